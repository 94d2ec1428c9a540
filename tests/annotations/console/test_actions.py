"""What people do with annotation data in the console: dialogs, refusals, what comes of them; and for whom."""

import io

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from annotations.console.urls import urlpatterns
from annotations.models import AnnotationData, AnnotationDataStatus, AnnotationType, Derivation, LabelImport
from datasets.models import Deletion
from tests.annotations.builders import make_annotation_data, make_label_import
from tests.builders import make_dataset

pytestmark = pytest.mark.django_db

OF_A_DATASET = {"annotation-data-card", "annotation-data-upload", "dataset-divide", "dataset-subset"}
NAMES = [pattern.name for pattern in urlpatterns]
DIALOGS = ["upload", "replace", "rename", "download", "convert", "delete"]


@pytest.fixture
def dataset(user):
    return make_dataset(user, "Chest", studies=3)


@pytest.fixture
def data(dataset):
    return make_annotation_data(dataset, name="Mine")


def url_of(name, data):
    if name in OF_A_DATASET:
        return reverse(name, args=[data.dataset_id])
    if name == "annotation-data-overlay":
        return reverse(name, args=[data.pk, data.dataset.images.first().pk])
    return reverse(name, args=[data.pk])


# --- for whom ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_who_is_not_signed_in_is_sent_to_sign_in(anonymous, data, name):
    url = url_of(name, data)
    for answer in (anonymous.get(url), anonymous.post(url)):
        assert answer.status_code == 302
        assert answer.url == f"{reverse('login')}?next={url}"


@pytest.mark.parametrize("name", NAMES)
def test_an_owner_is_answered_and_a_stranger_finds_nothing(client, stranger, data, name):
    expected = {"annotation-data-keep": 405, "annotation-data-progress": 204}.get(name, 200)
    assert client.get(url_of(name, data)).status_code == expected
    if expected != 405:
        assert stranger.get(url_of(name, data)).status_code == 404


@pytest.mark.parametrize("action", ["keep", "replace", "rename", "convert", "delete", "upload"])
def test_a_stranger_changes_nothing(stranger, data, action):
    AnnotationData.objects.update(status=AnnotationDataStatus.IMPORT_FAILED)
    wanted = {"name": "Theirs", "confirmation": "DELETE", "annotation_type": data.annotation_type}
    answer = stranger.post(url_of(f"annotation-data-{action}", data), wanted | {"file": label_file()})
    assert answer.status_code == 404
    assert list(AnnotationData.objects.values_list("name", "status")) == [("Mine", AnnotationDataStatus.IMPORT_FAILED)]


def test_annotation_data_of_a_dataset_being_deleted_are_not_found(client, data):
    type(data.dataset).objects.update(status="deleting")
    assert client.get(data.get_absolute_url()).status_code == 404


# --- what they do -----------------------------------------------------------------------------------------------------


def label_file(text="0/0.png,a\n", name="findings.csv"):
    return SimpleUploadedFile(name, text.encode())


def test_labels_are_uploaded_and_the_page_of_what_is_made_opens(client, dataset):
    url = reverse("annotation-data-upload", args=[dataset.pk])
    answer = client.post(url, {"file": label_file(), "name": "", "annotation_type": "", "file_format": ""})
    made = AnnotationData.objects.get()
    assert answer.url == made.get_absolute_url()
    assert (made.name, made.status) == ("Chest_findings", AnnotationDataStatus.IMPORTING)
    assert "Labels are being imported" in client.get(answer.url).content.decode()


def test_columns_of_a_file_with_a_header_are_told_to_the_import(client, dataset):
    columns = {"column_image": "File", "column_label": "", "column_labels": ["A", "B"], "column_nonsense": "x"}
    client.post(reverse("annotation-data-upload", args=[dataset.pk]), {"file": label_file(), **columns})
    assert LabelImport.objects.get().options["read"] == {"columns": {"image": "File", "labels": ["A", "B"]}}


def test_an_upload_without_a_file_is_refused_in_the_dialog(htmx, dataset):
    answer = htmx.post(reverse("annotation-data-upload", args=[dataset.pk]), {"name": "x"})
    assert answer.status_code == 400
    assert "Choose a label file." in answer.content.decode()


def test_a_file_with_problems_is_replaced(client, data):
    AnnotationData.objects.update(status=AnnotationDataStatus.IMPORT_FAILED)
    make_label_import(data.dataset, data, [{"code": "label_row_invalid", "message": "No."}])
    answer = client.post(reverse("annotation-data-replace", args=[data.pk]), {"file": label_file()})
    assert answer.url == data.get_absolute_url()
    data.refresh_from_db()
    assert data.status == AnnotationDataStatus.IMPORTING


def test_what_is_good_is_kept(client, data):
    AnnotationData.objects.update(status=AnnotationDataStatus.IMPORT_FAILED)
    answer = client.post(reverse("annotation-data-keep", args=[data.pk]), follow=True)
    assert "are available" in answer.content.decode()


def test_a_new_name_is_shown_where_the_dialog_was_opened(user, data):
    from django.test import Client

    url = reverse("annotation-data-rename", args=[data.pk])
    for here in (data.get_absolute_url(), data.dataset.get_absolute_url()):
        browser = Client(headers={"HX-Request": "true", "HX-Current-URL": f"http://testserver{here}"})
        browser.force_login(user)
        assert browser.post(url, {"name": f"Seen at {here}"}).url == here
    assert browser.post(url, {"name": " "}).status_code == 400


def test_labels_under_one_new_name_are_merged_and_others_left_out(client, dataset):
    data = make_annotation_data(dataset, AnnotationType.MULTI_LABEL, ["a", "b", "c", "d"])
    labels = {label.name: label.pk for label in data.labels.all()}
    wanted = {f"keep_{labels[name]}": "1" for name in "abc"} | {f"as_{labels['a']}": "b", f"as_{labels['c']}": "new"}
    answer = client.post(
        reverse("annotation-data-convert", args=[data.pk]),
        wanted | {"name": "Fewer", "annotation_type": data.annotation_type},
    )
    made = AnnotationData.objects.get(name="Fewer")
    assert answer.url == made.get_absolute_url()
    pairs = {tuple(pair) for pair in Derivation.objects.get().options["pairs"]}
    assert pairs == {("a", "b"), ("b", "b"), ("c", "new")}


def test_only_conversions_that_there_are_are_offered(client, dataset):
    url = reverse("annotation-data-convert", args=[make_annotation_data(dataset, AnnotationType.DETECTION).pk])
    offered = [value for value, _title in client.get(url).context["targets"]]
    assert offered == ["object_detection", "single_label_classification", "multi_label_classification"]


def test_downloads_offer_the_formats_of_the_type(client, data):
    page = client.get(reverse("annotation-data-download", args=[data.pk]))
    assert "csv" in dict(page.context["formats"])
    assert f'action="/api/v1/annotation-data/{data.pk}/export/"' in page.content.decode()


def test_deleting_needs_the_word_and_leads_to_the_dataset_and_the_receipt(client, data):
    url = reverse("annotation-data-delete", args=[data.pk])
    dialog = client.get(url).content.decode()
    assert "<dt>3</dt><dd>annotations</dd>" in dialog
    assert "cannot be undone" in dialog
    assert client.post(url, {"confirmation": "delete"}).status_code == 400
    answer = client.post(url, {"confirmation": "DELETE"}, follow=True)
    assert answer.redirect_chain[0][0] == data.dataset.get_absolute_url()
    receipt = reverse("deletion-receipt", args=[Deletion.objects.get().pk])
    assert receipt in answer.content.decode()
    assert "Deletion of Mine" in client.get(receipt).content.decode()
    assert client.get(data.get_absolute_url()).status_code == 404


def test_annotation_data_are_restored_while_there_is_time(client, data, settings):
    settings.DEEPCAP_TRASH_DAYS = 3
    client.post(reverse("annotation-data-delete", args=[data.pk]), {"confirmation": "DELETE"})
    deletion = Deletion.objects.get()
    assert "Mine" in client.get(reverse("deletion-list")).content.decode()
    answer = client.post(reverse("deletion-restore", args=[deletion.pk]))
    assert answer.url == data.get_absolute_url()
    data.refresh_from_db()
    assert data.status == AnnotationDataStatus.AVAILABLE


# --- masks drawn small ------------------------------------------------------------------------------------------------


def test_masks_are_drawn_half_transparent_in_the_colour_of_their_label(client, dataset):
    from PIL import Image as Picture

    data = make_annotation_data(dataset, AnnotationType.SEGMENTATION, ["heart"])
    answer = client.get(url_of("annotation-data-overlay", data))
    with Picture.open(io.BytesIO(answer.content)) as picture:
        assert picture.size == (20, 16)
        assert picture.getpixel((3, 3)) == (0x03, 0xA9, 0xF4, 128)
