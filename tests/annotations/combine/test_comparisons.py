"""Two datasets beside each other: counted by the database, as set arithmetic would."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotations.errors import ComparisonRefused
from annotations.services.comparisons import compare, studies_of
from datasets.models import Image, Study

from .world import dataset_of, images_of, single

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

contents = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4)), min_size=6, max_size=6)


@pytest.fixture
def pair(user):
    """Two datasets of six studies, and ten blobs."""
    a, b = dataset_of(user, "a", range(6)), dataset_of(user, "b", range(6, 12))
    return a, b, list(Image.objects.order_by("pk").values_list("blob", flat=True))[:10]


def fill(dataset, blobs, rows):
    """Give the studies of a dataset bytes and patients; 0 is nobody. Return [(blob, patient key)]."""
    filled = []
    for image, (shade, patient) in zip(images_of(dataset), rows, strict=True):
        key = f"patient {patient}" if patient else ""
        Image.objects.filter(pk=image.pk).update(blob=blobs[shade])
        Study.objects.filter(pk=image.study_id).update(patient_key=key)
        filled.append((blobs[shade], key))
    return filled


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(contents, contents)
def test_numbers_and_lists_are_those_of_sets(pair, rows_a, rows_b):
    a, b, blobs = pair
    in_a, in_b = fill(a, blobs, rows_a), fill(b, blobs, rows_b)
    bytes_a, bytes_b = ({blob for blob, _key in rows} for rows in (in_a, in_b))
    people_a, people_b = ({key for _blob, key in rows if key} for rows in (in_a, in_b))
    found = compare(a, b)
    assert found.shared_blobs == len(bytes_a & bytes_b)
    assert found.shared_patients == len(people_a & people_b)
    assert found.a.shared_images == sum(blob in bytes_b for blob, _key in in_a)
    assert found.b.own_images == sum(blob not in bytes_a for blob, _key in in_b)
    assert (found.a.patients, found.b.patients) == (len(people_a), len(people_b))
    assert found.b.shared_patient_studies == sum(key in people_a for _blob, key in in_b)

    def positions(kind):
        return [row.study.position for row in studies_of(a, b, kind).rows]

    assert positions("images") == [place for place, (blob, _key) in enumerate(in_a) if blob in bytes_b]
    assert positions("only_a") == [place for place, (blob, _key) in enumerate(in_a) if blob not in bytes_b]
    assert positions("only_b") == [place for place, (blob, _key) in enumerate(in_b) if blob not in bytes_a]
    assert positions("patients") == [place for place, (_blob, key) in enumerate(in_a) if key and key in people_b]
    for row in studies_of(a, b, "images").rows:
        blob, _key = in_a[row.study.position]
        assert {study.position for study in row.beside} == {p for p, (other, _k) in enumerate(in_b) if other == blob}
    for row in studies_of(a, b, "patients").rows:
        _blob, key = in_a[row.study.position]
        assert {study.position for study in row.beside} == {p for p, (_b, other) in enumerate(in_b) if other == key}


def test_pages_follow_each_other_without_gaps(user):
    a, b = dataset_of(user, "a", range(7)), dataset_of(user, "b", range(1, 6), folder="b/")
    seen, after = [], -1
    while after is not None:
        page = studies_of(a, b, "images", after=after, size=2)
        seen += [row.study.position for row in page.rows]
        after = page.next
    assert seen == [1, 2, 3, 4, 5]


def test_labels_that_may_mean_the_same_are_side_by_side(user):
    a, b = dataset_of(user, "a", range(3)), dataset_of(user, "b", range(3))
    single(a, "Pneumonia", "normal", "x")
    single(b, "pneumonia", "normal", "normal")
    found = {pair.match: (dict(pair.a), dict(pair.b)) for pair in compare(a, b).labels}
    assert found == {
        "case": ({"Pneumonia": 1}, {"pneumonia": 1}),
        "exact": ({"normal": 1}, {"normal": 2}),
        "none": ({"x": 1}, {}),
    }


def test_a_dataset_is_not_compared_with_itself(user):
    dataset = dataset_of(user, "a", range(1))
    with pytest.raises(ComparisonRefused):
        compare(dataset, dataset)


def test_statements_do_not_grow_with_the_datasets(user):
    numbers = []
    for size in (3, 30):
        a, b = dataset_of(user, f"a{size}", range(size)), dataset_of(user, f"b{size}", range(1, size))
        with CaptureQueriesContext(connection) as queries:
            compare(a, b)
            studies_of(a, b, "images", size=50)
        numbers.append(len(queries))
    assert numbers[0] == numbers[1] <= 8
