"""What the benchmarks rest on: corpora that stay the same, files that differ, rows as the product would leave them."""

import hashlib
import io
from types import SimpleNamespace

import pytest
from django.urls import reverse
from pydicom import dcmread

from annotations.models import AnnotationData
from benchmarks import combining, labelling, report
from benchmarks.corpus import NAMES, corpus
from benchmarks.report import Section
from benchmarks.rows import make_datasets, make_dicom_dataset, make_large_dataset, person
from benchmarks.tables import nearest, table
from datasets.imaging.examine import examine
from datasets.models import Dataset, Image


@pytest.fixture(autouse=True)
def few_files(monkeypatch):
    """Corpora of four files, so that making one takes a moment."""
    from benchmarks import corpus as module

    kinds = {name: kind.__class__(kind.title, kind.originals, 4, 4) for name, kind in module.KINDS.items()}
    monkeypatch.setattr(module, "KINDS", kinds)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("ct")])
def test_every_encoding_of_a_corpus_holds_the_same_pixels(name, tmp_path):
    plain = corpus("ct-raw", tmp_path).members()
    for member, expected in zip(corpus(name, tmp_path).members(), plain, strict=True):
        assert (dcmread(io.BytesIO(member)).pixel_array == dcmread(io.BytesIO(expected)).pixel_array).all()
        assert examine(member).thumbnail


def test_a_corpus_is_the_same_wherever_it_is_made_and_has_no_two_equal_files(tmp_path):
    made = [
        [hashlib.sha256(member).hexdigest() for member in corpus("ct-raw", tmp_path / place, stored=stored).members()]
        for place, stored in (("here", False), ("there", False), ("there", True))
    ]
    here, there, stored = made
    assert here == there
    assert len(set(here + stored)) == 8


def test_a_section_replaces_the_last_one_of_its_name_and_leaves_the_others(tmp_path, monkeypatch):
    monkeypatch.setattr(report, "REPORT", tmp_path / "BENCHMARKS.md")
    monkeypatch.setattr(report, "RESULTS", tmp_path / "results")
    for name, text in (("one", "first"), ("two", "second"), ("one", "third")):
        report.write(name, name.title(), Section(text, {"text": text}), quick=False)
    written = (tmp_path / "BENCHMARKS.md").read_text()
    assert "first" not in written
    assert written.index("third") < written.index("second")
    assert '"text": "third"' in (tmp_path / "results" / "one.json").read_text()


def test_tables_and_percentiles_are_what_they_say():
    assert table(["a", "b"], [["x", 1]]) == "| a | b |\n| --- | ---: |\n| x | 1 |"
    assert nearest([3.0, 1.0, 2.0], 0.95) == 3.0


@pytest.mark.django_db
@pytest.mark.postgres
def test_multiplied_rows_make_datasets_that_the_product_can_show(client, user):
    make_datasets(user, 12)
    large = make_large_dataset(user, images=120)
    assert Dataset.objects.count() == 13
    assert sorted(large.studies.values_list("position", flat=True)) == list(range(120))
    assert all(image.study.cover_id == image.pk and image.path == image.study.key for image in images_of(large))
    assert len({image.blob_id for image in images_of(large)}) == 120
    client.force_login(user)
    last = client.get(reverse("dataset-detail", args=[large.pk]), {"page": 3})
    assert "series/0000119.dcm" in last.content.decode()


def images_of(dataset):
    return Image.objects.filter(dataset=dataset).select_related("study")


@pytest.mark.django_db
@pytest.mark.postgres
def test_multiplied_boxes_make_annotation_data_that_can_be_counted_and_shown(client, user, tmp_path):
    owner = person("many")
    make_large_dataset(owner, images=20)
    labelling.multiply_boxes(200)
    labelling.count()
    data = AnnotationData.objects.get()
    assert (data.image_count, data.study_count, data.annotation_count) == (20, 20, 200)
    assert [label.annotation_count for label in data.labels.all()] == [20] * 10
    assert set(data.listed.values_list("annotation_count", flat=True)) == {10}
    assert sum(data.statistics.numbers["box_area"]["counts"]) == 200
    assert labelling.write_out("csv")["bytes"] > 0
    path = tmp_path / "label.csv"
    assert labelling.write_boxes(str(path), images=20, rows=200) == path.stat().st_size
    lines = path.read_text().splitlines()
    assert len(lines) == 200
    assert {line.split(",")[0] for line in lines} == {image.path for image in images_of(data.dataset)}


@pytest.mark.django_db
@pytest.mark.postgres
def test_the_loop_makes_of_two_datasets_what_the_product_makes(monkeypatch):
    monkeypatch.setattr(combining, "_Writes", lambda: SimpleNamespace(count=dict))  # hooks that stay for good
    owner = person("many")
    first = make_large_dataset(owner, images=40, name="first")
    second = make_dicom_dataset(owner, images=40, like=first, shared=100)
    assert (second.studies.count(), second.studies.last().images.count()) == (2, 20)
    for dataset, labels in ((first, combining.LABELS), (second, [name.title() for name in combining.LABELS])):
        combining._label(dataset, labels)
    made, looped = combining.combine(), combining.loop(naive=False)
    assert made["rows"] == looped["rows"] == {"studies": 42, "series": 2, "images": 80, "listed": 80, "annotations": 80}
    assert combining.outcome("both") == combining.outcome("looped")
