"""One import as leased work: chunks, duplicates, limits, lost leases, workers that end, files that are bad."""

from __future__ import annotations

import io
import time
import zipfile
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from annotations.formats.base import Found, LabelInfo, Listed, RowProblem
from annotations.importing import problems as problem_rows
from annotations.importing import rows as writing
from annotations.importing import work
from annotations.importing.sources import opened
from annotations.models import (
    AnnotatedImage,
    Annotation,
    AnnotationData,
    AnnotationDataStatus,
    Label,
    LabelImport,
    LabelProblem,
)
from annotations.services.imports import import_labels
from datasets.blobs.store import get_store
from datasets.models import Dataset, DatasetStatus
from deepcap.common.leases import WorkState
from tests.builders import make_dataset

from .conftest import run_all

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


@pytest.fixture
def dataset(user) -> Dataset:
    return make_dataset(user, "chest", studies=8)


def waiting(dataset, user, data: bytes = b"0/0.png,a\n1/0.png,b\n", filename="label.csv", **options) -> LabelImport:
    made = import_labels(dataset=dataset, by=user, file=io.BytesIO(data), filename=filename, **options)
    return made.label_import


def boxes(rows: int, images: int = 8) -> bytes:
    return b"".join(b"%d/0.png,%c,1,1,%d,4\n" % (n % images, 97 + n % 3, 1 + n % 9) for n in range(rows))


def test_rows_are_written_in_chunks_each_in_its_own_transaction(dataset, user, labelled, monkeypatch):
    monkeypatch.setattr(writing, "ROWS_PER_CHUNK", 10)
    done = []
    original = writing.Rows.write

    def counted(self):
        original(self)
        done.append(Annotation.objects.count())

    monkeypatch.setattr(writing.Rows, "write", counted)
    data = labelled(dataset, boxes(35))
    assert done == [10, 20, 30, 35]
    assert (data.status, data.annotation_count, data.image_count) == ("available", 35, 8)
    assert data.label_import.row_count == 35
    assert data.label_import.done_bytes == data.label_import.total_bytes == len(boxes(35))


def test_statements_grow_with_chunks_not_with_rows(dataset, user, monkeypatch):
    def statements(rows: int) -> int:
        pk = waiting(dataset, user, boxes(rows)).pk
        with CaptureQueriesContext(
            connection,
        ) as captured:
            work.run(pk)
        return len(captured)

    few, many = statements(40), statements(4_000)
    assert many <= few + 4


def test_an_import_that_starts_again_erases_what_the_last_attempt_left(dataset, user, monkeypatch):
    monkeypatch.setattr(writing, "ROWS_PER_CHUNK", 10)
    pk = waiting(dataset, user, boxes(25) + b"9/0.png,a,1,1,1,1\n").pk
    original = work.finish

    def dies(*args, **options):
        raise ZeroDivisionError

    monkeypatch.setattr(work, "finish", dies)
    with pytest.raises(ZeroDivisionError):
        work.run(pk)
    assert Annotation.objects.count() == 25
    monkeypatch.setattr(work, "finish", original)
    LabelImport.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    work.run(pk)
    assert (Annotation.objects.count(), AnnotatedImage.objects.count(), Label.objects.count()) == (25, 8, 3)
    assert LabelProblem.objects.count() == 1
    assert LabelImport.objects.get().attempts == 2


def test_a_worker_that_lost_its_lease_writes_nothing_more(dataset, user, monkeypatch):
    monkeypatch.setattr(writing, "ROWS_PER_CHUNK", 10)
    pk = waiting(dataset, user, boxes(35)).pk
    original = writing.Rows.write

    def taken_over(self):
        original(self)
        LabelImport.objects.update(lease_token="00000000-0000-4000-8000-000000000000")

    monkeypatch.setattr(writing.Rows, "write", taken_over)
    work.run(pk)
    assert Annotation.objects.count() == 10
    assert AnnotationData.objects.get().status == AnnotationDataStatus.IMPORTING


def test_a_file_that_takes_long_to_read_stays_with_its_worker(dataset, user, monkeypatch):
    """All rows are one chunk, each takes 20 seconds of a lease of 60."""
    pk = waiting(dataset, user, boxes(35)).pk
    passed, read, now, monotonic = 0, work.formats.read, timezone.now, time.monotonic
    monkeypatch.setattr(timezone, "now", lambda: now() + timedelta(seconds=passed))
    monkeypatch.setattr(time, "monotonic", lambda: monotonic() + passed)

    def slowly(*args):
        nonlocal passed
        for item in read(*args):
            assert LabelImport.objects.get(pk=pk).lease_until > timezone.now()
            assert LabelImport.objects.claim(pk) is None
            passed += 20
            yield item

    monkeypatch.setattr(work.formats, "read", slowly)
    work.run(pk)
    assert passed >= 35 * 20
    assert AnnotationData.objects.get().status == AnnotationDataStatus.AVAILABLE


@pytest.mark.parametrize("where", ["in a folder", "in a bucket"])
def test_every_piece_of_a_file_that_is_fetched_and_read_may_hold_the_lease(dataset, user, where, monkeypatch):
    blob = waiting(dataset, user, b"x" * (5 * 1024**2)).blob
    if where == "in a bucket":
        monkeypatch.setattr(type(get_store()), "local_path", lambda store, key: None)
    beats = []
    with opened(blob, "label.csv", beat=lambda: beats.append(None)) as files, files.files[0].open() as stream:
        assert len(stream.read()) == 5 * 1024**2
    assert len(beats) >= (10 if where == "in a bucket" else 5)


def test_an_import_that_ends_every_worker_is_given_up_and_told(dataset, user):
    made = waiting(dataset, user)
    LabelImport.objects.update(attempts=work.MAX_ATTEMPTS)
    work.run(made.pk)
    made.refresh_from_db()
    data = made.annotation_data
    assert (data.status, made.state, made.problems_by_code) == ("import_failed", "done", {"processing_failed": 1})
    assert data.status_detail == made.problems.get().message
    assert user.notifications.get().kind == "annotation_data.import_failed"


def test_a_fault_from_outside_does_not_count_as_an_attempt(dataset, user, monkeypatch):
    made = waiting(dataset, user)

    def unreachable(*_, **__):
        raise OperationalError

    monkeypatch.setattr(work, "detected", unreachable)
    with pytest.raises(OperationalError):
        work.run(made.pk)
    made.refresh_from_db()
    assert (made.attempts, made.lease_token) == (0, None)
    assert made.lease_until > timezone.now()


def test_a_reader_that_cannot_go_back_in_a_file_counts(dataset, user, monkeypatch):
    """``io.UnsupportedOperation`` is an OSError by name; an import that meets it must not be tried for ever."""
    made = waiting(dataset, user)

    def goes_back(*_, **__):
        raise io.UnsupportedOperation("seek")

    monkeypatch.setattr(work, "detected", goes_back)
    with pytest.raises(io.UnsupportedOperation):
        work.run(made.pk)
    made.refresh_from_db()
    assert made.attempts == 1


def test_only_imports_that_nobody_works_on_are_due_and_none_of_an_upload_under_way(dataset, user):
    lost, held, sent = (waiting(dataset, user) for _ in range(3))
    long_ago = timezone.now() - 2 * settings.DEEPCAP_LEASE
    LabelImport.objects.filter(pk=lost.pk).update(sent_at=long_ago)
    LabelImport.objects.filter(pk=held.pk).update(
        state=WorkState.RUNNING, lease_until=timezone.now() + timedelta(minutes=1), sent_at=long_ago
    )
    assert work.due() == [lost.pk]
    assert work.due() == []
    LabelImport.objects.update(sent_at=long_ago)
    Dataset.objects.update(status=DatasetStatus.PREPARING)
    assert work.due() == []
    assert sent.state == WorkState.PENDING


@pytest.mark.parametrize(
    ("data", "filename", "code"),
    [
        (b"\x00\x01\x02 nothing anybody knows", "labels.bin", "label_file_unknown"),
        (b"PK\x03\x04 cut", "labels.zip", "zip_damaged"),
    ],
)
def test_a_file_that_holds_no_labels_says_so(dataset, labelled, data, filename, code):
    made = labelled(dataset, data, filename)
    assert made.status == "import_failed"
    assert made.label_import.problems_by_code == {code: 1}
    assert made.status_detail == made.label_import.problems.get().message


def test_a_damaged_member_of_a_zip_is_reported_with_the_rest_read(dataset, labelled):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("good.csv", b"0/0.png,a\n")
        archive.writestr("bad.csv", b"1/0.png,b\n")
    data = bytearray(buffer.getvalue())
    data[data.index(b"1/0.png,b")] ^= 1
    labelled(dataset, bytes(data), "labels.zip")
    found = {made.label_import.options["set"]["name"]: made for made in AnnotationData.objects.all()}
    assert found["good"].status == "available"
    assert found["bad"].status == "import_failed"
    assert set(found["bad"].label_import.problems_by_code) <= {"label_file_damaged", "label_file_empty"}


def test_a_zip_with_several_sets_becomes_several_annotation_data(dataset, labelled):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("one.csv", b"0/0.png,a\n")
        archive.writestr("two.csv", boxes(9))
    made = labelled(dataset, buffer.getvalue(), "labels.zip", name="second opinion")
    names = list(AnnotationData.objects.order_by("name").values_list("name", "annotation_type", "status"))
    assert names == [
        ("second opinion", "single_label_classification", "available"),
        ("second opinion (2)", "object_detection", "available"),
    ]
    assert made.name == "second opinion"
    dataset.refresh_from_db()
    assert dataset.annotation_data_count == 2


def test_problems_are_counted_completely_and_kept_up_to_a_limit(dataset, labelled, monkeypatch):
    monkeypatch.setattr(problem_rows, "KEPT", 20)
    made = labelled(dataset, b"0/0.png,a\n" + b"".join(b"%d.png,a\n" % n for n in range(1000, 1050)))
    assert made.label_import.problem_count == 50
    assert made.label_import.problems.count() == 20
    assert made.status_detail == "50 rows could not be used."


class Told:
    """Stands for the import that rows are written for."""

    def __init__(self, made: LabelImport, annotation_type: str) -> None:
        self.problems = problem_rows.Problems(made)
        self.rows = writing.Rows(
            annotation_data_id=made.annotation_data_id,
            annotation_type=annotation_type,
            problems=self.problems,
            committing=lambda count: None,
        )


labels = st.sampled_from(["a", "b", "c", "A", "é"])
found_boxes = st.builds(
    lambda image, label, row, box, score, extra: Found(image, label, row, bbox=box, score=score, extra=extra),
    st.integers(0, 7),
    labels,
    st.integers(1, 99),
    st.tuples(st.integers(0, 5), st.integers(0, 5), st.integers(-1, 5), st.integers(0, 5)),
    st.none() | st.floats(0, 1),
    st.none() | st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)
items = st.lists(
    found_boxes
    | st.builds(Listed, image=st.integers(0, 7), row=st.integers(1, 99))
    | st.builds(LabelInfo, labels, st.none())
    | st.builds(lambda row, text: RowProblem(row, "x", "c", text), st.none() | st.integers(0, 9), labels),
    max_size=40,
)


@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(items=items, chunk=st.integers(1, 12))
def test_whatever_is_read_is_written_once_whatever_the_chunks(dataset, user, items, chunk):
    pks = list(dataset.images.order_by("pk").values_list("pk", flat=True))
    made = waiting(dataset, user)
    told = Told(made, "object_detection")
    given_items = [item._replace(image=pks[item.image]) if isinstance(item, Found | Listed) else item for item in items]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing, "ROWS_PER_CHUNK", chunk)
        told.rows.take_all(given_items)
    good = [item for item in given_items if isinstance(item, Found) and min(item.bbox[2:]) > 0]
    rows = Annotation.objects.filter(item__annotation_data=made.annotation_data).order_by("pk")
    written = [
        (row.item.image_id, row.label.name, (row.x, row.y, row.width, row.height), row.score, row.extra or None)
        for row in rows.select_related("item", "label")
    ]
    assert written == [(item.image, item.label, item.bbox, item.score, item.extra or None) for item in good]
    listed = {item.image for item in given_items if isinstance(item, Found | Listed)}
    assert set(made.annotation_data.listed.values_list("image", flat=True)) == listed
    named = {item.label for item in given_items if isinstance(item, Found)}
    named |= {item.name for item in given_items if isinstance(item, LabelInfo)}
    assert set(made.annotation_data.labels.values_list("name", flat=True)) == named
    refused = sum(isinstance(item, RowProblem) for item in given_items)
    refused += sum(isinstance(item, Found) and min(item.bbox[2:]) <= 0 for item in given_items)
    assert told.problems.count == made.problems.count() == refused
    made.annotation_data.delete()


@hypothesis_settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(st.integers(0, 3), labels, st.integers(0, 1)), max_size=30),
    kind=st.sampled_from(["single_label_classification", "multi_label_classification"]),
    chunk=st.integers(1, 9),
)
def test_a_class_is_given_to_an_image_once_and_what_repeats_it_is_a_problem(dataset, user, rows, kind, chunk):
    pks = list(dataset.images.order_by("pk").values_list("pk", flat=True))
    made = waiting(dataset, user)
    told = Told(made, kind)
    found = [
        Found(image=pks[image], label=label, row=n, value=value) for n, (image, label, value) in enumerate(rows, 1)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing, "ROWS_PER_CHUNK", chunk)
        told.rows.take_all(found)
    said = {}
    for one in found:
        said.setdefault(one.image if kind.startswith("single") else (one.image, one.label), one)
    written = Annotation.objects.filter(item__annotation_data=made.annotation_data)
    assert set(written.values_list("item__image", "label__name")) == {(one.image, one.label) for one in said.values()}
    assert written.count() == len(said)
    assert told.problems.count == len(found) - len(said)
    made.annotation_data.delete()


def test_run_all_leaves_nothing_pending(dataset, user):
    waiting(dataset, user)
    run_all(dataset)
    assert not LabelImport.objects.exclude(state=WorkState.DONE).exists()
