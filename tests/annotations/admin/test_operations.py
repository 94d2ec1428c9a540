"""What operators do about annotation data: each button calls a service, and the audit log says so."""

import pytest

from annotations.models import AnnotationData, AnnotationDataStatus, LabelImport
from annotations.tasks import recount_annotation_data
from datasets.models import Deletion
from deepcap.accounts.models import AuditEvent
from deepcap.common.admin import page_of
from deepcap.common.leases import WorkState
from tests.admin.conftest import office, operate, sent  # noqa: F401 - fixtures
from tests.annotations.builders import make_annotation_data, make_label_import
from tests.builders import make_dataset

pytestmark = pytest.mark.django_db


@pytest.fixture
def data(user):
    return make_annotation_data(make_dataset(user, studies=2), name="Chest")


def test_a_recount_is_left_to_a_worker_and_puts_counts_right(operate, sent, data):  # noqa: F811
    AnnotationData.objects.update(annotation_count=99)
    assert "counts them again" in operate(data, "recount")
    assert sent == [("recount_annotation_data", (data.pk,))]
    recount_annotation_data(data.pk)
    data.refresh_from_db()
    assert data.annotation_count == 2
    assert AuditEvent.objects.filter(action="annotation_data.recount_ordered").exists()


def test_what_is_being_imported_is_not_recounted(operate, sent, data):  # noqa: F811
    AnnotationData.objects.update(status=AnnotationDataStatus.IMPORTING)
    assert "when it is done" in operate(data, "recount")
    assert sent == []


def test_an_import_is_cancelled_and_read_again(operate, sent, data):  # noqa: F811
    AnnotationData.objects.update(status=AnnotationDataStatus.IMPORTING)
    label_import = make_label_import(data.dataset, data, state=WorkState.RUNNING, stage="reading")
    assert "cancelled" in operate(label_import, "cancel")
    data.refresh_from_db()
    assert data.status == AnnotationDataStatus.IMPORT_FAILED
    assert data.status_detail == "The import was cancelled."
    assert "not under way" in operate(label_import, "cancel")
    assert "read again" in operate(label_import, "retry")
    assert LabelImport.objects.get().state == WorkState.PENDING
    assert sent == [("run_import", (label_import.pk,))]


def test_a_message_is_sent_again_only_for_what_waits(operate, sent, data):  # noqa: F811
    label_import = make_label_import(data.dataset, data, state=WorkState.PENDING)
    assert "sent again" in operate(label_import, "announce")
    assert sent == [("run_import", (label_import.pk,))]
    LabelImport.objects.update(state=WorkState.DONE)
    assert "does not wait" in operate(label_import, "announce")


def test_annotation_data_are_deleted_by_typing_the_word(office, operate, sent, data):  # noqa: F811
    assert "Type DELETE" in office.get(f"{page_of(data).removesuffix('change/')}operate/delete/").content.decode()
    assert "DELETE" in operate(data, "delete", {"confirmation": "delete"})
    assert not Deletion.objects.exists()
    assert "was ordered" in operate(data, "delete", {"confirmation": "DELETE"})
    data.refresh_from_db()
    assert data.status == AnnotationDataStatus.DELETING
