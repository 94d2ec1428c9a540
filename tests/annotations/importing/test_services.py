"""What people do about labels: who may, under which names, and what becomes of it."""

from __future__ import annotations

import io

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

from annotations.errors import LabelsRefused, NotTheOwner
from annotations.importing import work
from annotations.models import AnnotatedImage, Annotation, AnnotationData, Label, LabelImport, LabelProblem, Statistics
from annotations.services.annotation_data import rename_annotation_data
from annotations.services.deletions import (
    annotation_data_impact,
    delete_annotation_data,
    restore_annotation_data,
)
from annotations.services.imports import import_labels, keep_import, progress_of, replace_file, retry_import
from datasets.blobs.reconcile import reconcile
from datasets.blobs.sweep import sweep
from datasets.deletion import impact
from datasets.deletion import run as run_deletion
from datasets.errors import ConfirmationRequired, ValueRefused, WrongState
from datasets.models import Blob, DatasetStatus, WriteIntent
from datasets.services.deletions import delete_dataset, restore_dataset
from deepcap.accounts.models import AuditEvent
from tests.builders import make_dataset

from .conftest import run_all

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

GOOD = b"0/0.png,a\n1/0.png,b\n2/0.png,a\n"
BAD = b"0/0.png,a\n7/0.png,b\n"


@pytest.fixture
def dataset(user):
    return make_dataset(user, "chest", studies=3)


def ask(dataset, by, data=GOOD, filename="label.csv", **options):
    return import_labels(dataset=dataset, by=by, file=io.BytesIO(data), filename=filename, **options)


def audited() -> list[str]:
    return list(AuditEvent.objects.order_by("pk").values_list("action", flat=True))


def test_labels_are_importing_at_once_and_available_when_a_worker_has_read_them(dataset, user):
    data = ask(dataset, user)
    assert (data.status, data.name, data.annotation_type) == ("importing", "chest_label", "")
    assert progress_of(data) == {"stage": "queued", "done": 0, "total": 0, "eta_seconds": None}
    dataset.refresh_from_db()
    assert dataset.annotation_data_count == 1
    run_all(dataset)
    data = AnnotationData.objects.select_related("label_import").get()
    assert (data.status, data.annotation_type, data.annotation_count) == ("available", "single_label_classification", 3)
    assert progress_of(data) == {"stage": "done", "done": len(GOOD), "total": len(GOOD), "eta_seconds": 0}
    assert audited() == ["annotation_data.import_requested"]
    assert user.notifications.get().url == data.get_absolute_url()


def test_only_the_owner_and_operators_may(dataset, user, other_user, operator):
    data = ask(dataset, operator)
    run_all(dataset)
    AnnotationData.objects.update(status="import_failed")
    data.refresh_from_db()
    for action in (
        lambda: ask(dataset, other_user),
        lambda: keep_import(annotation_data=data, by=other_user),
        lambda: retry_import(annotation_data=data, by=other_user),
        lambda: replace_file(annotation_data=data, by=other_user, file=io.BytesIO(GOOD), filename="x.csv"),
        lambda: rename_annotation_data(annotation_data=data, by=other_user, name="mine"),
        lambda: delete_annotation_data(annotation_data=data, by=other_user, confirmation="DELETE"),
    ):
        with pytest.raises(NotTheOwner):
            action()
    assert AnnotationData.objects.count() == 1
    assert keep_import(annotation_data=data, by=user).status == "available"


@pytest.mark.parametrize("status", [status for status in DatasetStatus if status != DatasetStatus.AVAILABLE])
def test_labels_go_only_to_a_dataset_that_is_available(dataset, user, status):
    dataset.status = status
    with pytest.raises(WrongState):
        ask(dataset, user)
    assert not Blob.objects.filter(label_imports__isnull=False).exists()


def test_what_is_said_about_the_file_is_checked_before_anything_is_kept(dataset, user):
    for options, error in (
        ({"annotation_type": "opinion"}, ValueRefused),
        ({"file_format": "docx"}, ValueRefused),
        ({"name": " "}, ValueRefused),
        ({"data": b""}, LabelsRefused),
    ):
        with pytest.raises(error):
            ask(dataset, user, **options)
    assert not AnnotationData.objects.exists() and not WriteIntent.objects.exists()


def test_a_stream_that_cannot_go_back_is_kept_too(dataset, user):
    class Once:
        def __init__(self) -> None:
            self._inner = io.BytesIO(GOOD)

        def read(self, size: int = -1) -> bytes:
            return self._inner.read(size)

    import_labels(dataset=dataset, by=user, file=Once(), filename="C:\\labels\\label.csv")
    run_all(dataset)
    assert AnnotationData.objects.get().status == "available"
    assert LabelImport.objects.get().filename == "label.csv"


def test_names_are_unique_in_the_dataset(dataset, user):
    names = [ask(dataset, user).name, ask(dataset, user).name, ask(dataset, user, name="second").name]
    assert names == ["chest_label", "chest_label (2)", "second"]
    second = AnnotationData.objects.get(name="second")
    with pytest.raises(ValueRefused) as refused:
        rename_annotation_data(annotation_data=second, by=user, name="chest_label")
    assert refused.value.code == "name_taken"
    assert rename_annotation_data(annotation_data=second, by=user, name=" third ").name == "third"
    assert "annotation_data.renamed" in audited()


def test_the_type_that_was_asked_for_is_kept_or_refused(dataset, user, labelled):
    data = labelled(dataset, GOOD, annotation_type="single_label_classification", file_format="csv")
    assert data.status == "available"
    wrong = labelled(dataset, GOOD, annotation_type="object_detection", file_format="csv")
    assert wrong.status == "import_failed" and wrong.image_count == 0


def test_what_was_good_can_be_kept(dataset, user, labelled):
    data = labelled(dataset, BAD)
    assert (data.status, data.status_detail, data.image_count) == ("import_failed", "1 row could not be used.", 1)
    assert keep_import(annotation_data=data, by=user).status == "available"
    with pytest.raises(WrongState):
        keep_import(annotation_data=data, by=user)
    nothing = labelled(dataset, b"9/0.png,a\n")
    with pytest.raises(WrongState):
        keep_import(annotation_data=nothing, by=user)
    assert LabelProblem.objects.filter(label_import__annotation_data=data).count() == 1


def test_another_file_replaces_all_that_the_first_has_brought(dataset, user, labelled):
    data = labelled(dataset, BAD)
    first = data.label_import.blob
    replace_file(annotation_data=data, by=user, file=io.BytesIO(b"1/0.png,z\n"), filename="better.csv")
    assert (data.status, progress_of(data)["stage"]) == ("importing", "queued")
    with pytest.raises(WrongState):
        replace_file(annotation_data=data, by=user, file=io.BytesIO(GOOD), filename="again.csv")
    run_all(dataset)
    data = AnnotationData.objects.get()
    assert (data.status, data.image_count, data.annotation_count) == ("available", 1, 1)
    assert list(Label.objects.values_list("name", flat=True)) == ["z"]
    assert not LabelProblem.objects.exists()
    Blob.objects.update(touched_at="2000-01-01T00:00Z")
    sweep()
    assert not Blob.objects.filter(pk=first.pk).exists()


def test_a_failed_import_can_be_tried_again(dataset, user, labelled):
    data = labelled(dataset, BAD)
    retry_import(annotation_data=data, by=user)
    run_all(dataset)
    data.refresh_from_db()
    assert (data.status, data.image_count, LabelProblem.objects.count()) == ("import_failed", 1, 1)


def test_deleting_takes_what_hangs_under_the_annotation_data_and_nothing_else(dataset, user, labelled):
    other = labelled(dataset, GOOD, "other.csv")
    data = labelled(dataset, BAD + b"1/0.png,b\n")
    assert {key: number for key, number in annotation_data_impact(data).items() if number} == {
        "annotation_data": 1,
        "annotations": 2,
    }
    assert impact(dataset)["annotations"] == 5 and impact(dataset)["annotation_data"] == 2
    with pytest.raises(ConfirmationRequired):
        delete_annotation_data(annotation_data=data, by=user, confirmation="delete")
    deletion = delete_annotation_data(annotation_data=data, by=user, confirmation="DELETE")
    dataset.refresh_from_db()
    assert dataset.annotation_data_count == 1
    assert list(AnnotationData.objects.visible_to(user)) == [other]
    assert delete_annotation_data(annotation_data=data, by=user, confirmation="DELETE") == deletion
    Blob.objects.update(touched_at="2000-01-01T00:00Z")
    while run_deletion(deletion.pk):
        pass
    deletion.refresh_from_db()
    assert deletion.stage == "done"
    assert (deletion.counts["annotations"], deletion.counts["annotation_data"]) == (2, 1)
    assert deletion.objects_removed == 1
    assert list(AnnotationData.objects.all()) == [other]
    for model, rows in ((Annotation, 3), (AnnotatedImage, 3), (LabelImport, 1), (LabelProblem, 0), (Statistics, 1)):
        assert model.objects.count() == rows
    assert dataset.images.count() == 3
    assert list(reconcile()) == []


def test_a_million_annotations_go_in_batches(dataset, user, labelled, django_assert_max_num_queries):
    rows = b"".join(b"%d/0.png,a,1,1,%d,4\n" % (n % 3, 1 + n % 9) for n in range(5_000))
    deletion = delete_annotation_data(annotation_data=labelled(dataset, rows), by=user, confirmation="DELETE")
    with django_assert_max_num_queries(150):
        run_deletion(deletion.pk)
    assert not Annotation.objects.exists()


def test_deleting_stops_the_import_and_restoring_starts_it_over(dataset, user, settings):
    settings.DEEPCAP_TRASH_DAYS = 1
    data = ask(dataset, user)
    deletion = delete_annotation_data(annotation_data=data, by=user, confirmation="DELETE")
    run_all(dataset)
    assert work.run(data.label_import.pk) == [] and not Annotation.objects.exists()
    ask(dataset, user)
    restored = restore_annotation_data(deletion=deletion, by=user)
    assert (restored.name, restored.status) == ("chest_label (2)", "importing")
    run_all(dataset)
    restored.refresh_from_db()
    assert (restored.status, restored.annotation_count) == ("available", 3)
    dataset.refresh_from_db()
    assert dataset.annotation_data_count == 2
    with pytest.raises(WrongState):
        restore_annotation_data(deletion=deletion, by=user)


def test_deleting_the_dataset_stops_imports_and_restoring_resumes_them(dataset, user, settings):
    settings.DEEPCAP_TRASH_DAYS = 1
    data = ask(dataset, user)
    deletion = delete_dataset(dataset=dataset, by=user, confirmation="DELETE")
    assert work.run(data.label_import.pk) == [] and not Annotation.objects.exists()
    restore_dataset(deletion=deletion, by=user)
    assert work.due() == [data.label_import.pk]
    run_all(dataset)
    data.refresh_from_db()
    assert data.status == "available"


def test_deleting_the_dataset_takes_labels_and_their_files(dataset, user, labelled):
    labelled(dataset, GOOD)
    deletion = delete_dataset(dataset=dataset, by=user, confirmation="DELETE")
    Blob.objects.update(touched_at="2000-01-01T00:00Z")
    while run_deletion(deletion.pk):
        pass
    assert not Blob.objects.exists() and not AnnotationData.objects.exists()
    assert list(reconcile()) == []


def test_the_command_imports_and_explains(dataset, user, tmp_path, capsys):
    path = tmp_path / "label.csv"
    path.write_bytes(GOOD)
    call_command("import_labels", dataset.pk, str(path), "--here")
    assert "chest_label (Available)" in capsys.readouterr().out
    path.write_bytes(BAD)
    with pytest.raises(CommandError, match=r"label\.csv:2: .*may mean any of 3 images"):
        call_command("import_labels", dataset.pk, str(path), "--name", "worse", "--here")
    with pytest.raises(CommandError, match="no dataset"):
        call_command("import_labels", 10**9, str(path))
    assert django_settings.DEEPCAP_TRASH_DAYS == 0
