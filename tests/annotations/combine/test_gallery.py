"""The gallery: operators publish, users import; what is imported stands on its own, and no byte is written for it."""

import json

import pytest
from django.conf import settings
from django.core.management import call_command
from django.urls import reverse

from annotations import tasks
from annotations.console.gallery_urls import urlpatterns
from annotations.models import AnnotationType, SourceKind
from annotations.services.gallery import import_from_gallery
from annotations.statistics import recount_all as recount_annotations
from datasets.blobs.store import get_store
from datasets.deletion import run as erase
from datasets.errors import QuotaExceeded, ValueRefused, WrongState
from datasets.ingest.recount import recount_all
from datasets.models import Blob, Dataset, DatasetStatus, GalleryEntry, Image, Origin
from datasets.services.deletions import delete_dataset
from datasets.services.gallery import About, publish_dataset, withdraw_dataset
from deepcap.accounts.models import AuditEvent
from deepcap.common.errors import Conflict, Forbidden
from tests.annotations.builders import make_annotation_data

from .world import dataset_of, single

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

GALLERY = "/datasets/gallery/"


@pytest.fixture
def published(operator):
    """An entry with two annotation data."""
    dataset = dataset_of(operator, "source", range(7))
    single(dataset, *"xyxyxyx")
    make_annotation_data(dataset, AnnotationType.DETECTION, ["b"], name="boxes")
    about = About(
        name="Chest", modality="X-Ray", body_part="Chest", provider="Clinic", source_url="https://clinic.test/"
    )
    return publish_dataset(dataset=dataset, by=operator, about=about)


@pytest.fixture
def member(client, user):
    client.force_login(user)
    return client


def imported(entry, user):
    dataset = import_from_gallery(entry=entry, by=user)
    tasks.run_combination(dataset.combination.pk)
    dataset.refresh_from_db()
    assert dataset.status == DatasetStatus.AVAILABLE, dataset.status_detail
    assert recount_all() == 0
    assert recount_annotations() == 0
    return dataset


def test_all_comes_along_and_no_object_is_written(published, user, monkeypatch):
    monkeypatch.setattr(type(get_store()), "put", None)
    blobs = Blob.objects.count()
    dataset = imported(published, user)
    assert (dataset.owner, dataset.name, dataset.origin) == (user, "Chest", Origin.GALLERY)
    assert (dataset.image_count, dataset.annotation_data_count) == (7, 2)
    assert set(dataset.annotation_data.values_list("source_kind", flat=True)) == {SourceKind.GALLERY}
    assert [data.annotation_count for data in dataset.annotation_data.order_by("pk")] == [7, 7]
    assert Blob.objects.count() == blobs
    assert AuditEvent.objects.filter(action="dataset.imported_from_gallery", target_id=str(dataset.pk)).exists()


def test_it_stays_when_the_published_dataset_is_erased(published, user, operator):
    dataset = imported(published, user)
    deletion = delete_dataset(dataset=published.dataset, by=operator, confirmation="DELETE")
    while erase(deletion.pk):
        pass
    assert not GalleryEntry.objects.exists()
    dataset.refresh_from_db()
    assert dataset.annotation_data.count() == 2
    for image in Image.objects.filter(dataset=dataset).select_related("blob"):
        assert get_store().read(image.blob.original_key)


def test_it_is_imported_once_until_it_is_deleted(published, user):
    dataset = imported(published, user)
    with pytest.raises(Conflict):
        import_from_gallery(entry=published, by=user)
    delete_dataset(dataset=dataset, by=user, confirmation="DELETE")
    assert imported(published, user).name == "Chest"


def test_the_quota_holds(published, user):
    user.storage_quota_bytes = 10
    user.save()
    with pytest.raises(QuotaExceeded):
        import_from_gallery(entry=published, by=user)


def test_only_operators_publish_and_withdraw(published, user, operator):
    with pytest.raises(Forbidden):
        publish_dataset(dataset=dataset_of(user, "mine", [1]), by=user, about=About(name="x"))
    with pytest.raises(Forbidden):
        withdraw_dataset(entry=published, by=user)
    with pytest.raises(ValueRefused):
        publish_dataset(dataset=published.dataset, by=operator, about=About(name="x", source_url="javascript:alert(1)"))
    withdraw_dataset(entry=published, by=operator)
    assert Dataset.objects.filter(name="source").exists()


def test_what_is_not_available_is_neither_shown_nor_imported(published, member, user):
    Dataset.objects.filter(pk=published.dataset_id).update(status=DatasetStatus.PREPARING)
    published.refresh_from_db()
    assert "Clinic" not in member.get(GALLERY).content.decode()
    assert member.post(reverse("gallery-import", args=[published.pk])).status_code == 404
    with pytest.raises(WrongState):
        import_from_gallery(entry=published, by=user)


# --- the console ------------------------------------------------------------------------------------------------------


def test_an_entry_is_shown_imported_and_opened(published, member, user):
    page = member.get(GALLERY).content.decode()
    for told in ("Chest", "X-Ray, Chest", "Single-label Classification", "Object Detection", "https://clinic.test/"):
        assert told in page
    assert page.count(f"/datasets/gallery/{published.pk}/pictures/") == 5
    answer = member.post(reverse("gallery-import", args=[published.pk]), follow=True)
    dataset = Dataset.objects.get(owner=user)
    assert f'href="/datasets/{dataset.pk}/"' in answer.content.decode()
    assert "Imported" in answer.content.decode()
    assert "From the gallery" in member.get(dataset.get_absolute_url()).content.decode()


def test_pictures_are_shown_to_everybody_and_nothing_else_of_the_dataset(published, member):
    picture = member.get(reverse("gallery-picture", args=[published.pk, 0]))
    assert picture.headers["Content-Type"] == "image/jpeg"
    assert member.get(reverse("gallery-picture", args=[published.pk, 5])).status_code == 404
    image = Image.objects.filter(dataset=published.dataset).first()
    assert member.get(reverse("api:image-thumbnail", args=[image.pk])).status_code == 404
    assert member.get(published.dataset.get_absolute_url()).status_code == 404


@pytest.mark.parametrize("pattern", urlpatterns, ids=lambda pattern: pattern.name)
def test_who_is_not_signed_in_is_sent_to_sign_in(client, published, pattern):
    args = {"dataset-gallery": [], "gallery-import": [published.pk], "gallery-picture": [published.pk, 0]}
    url = reverse(pattern.name, args=args[pattern.name])
    assert client.get(url).url == client.post(url).url == f"{reverse('login')}?next={url}"


def test_the_gallery_is_searched_filtered_and_sorted_with_as_many_queries(
    published, member, operator, django_assert_num_queries
):
    member.get(GALLERY)
    with django_assert_num_queries(8):
        member.get(GALLERY)
    for number in range(4):
        dataset = dataset_of(operator, f"d{number}", range(number + 1))
        publish_dataset(dataset=dataset, by=operator, about=About(name=f"Head {number}", modality="CT"))
    with django_assert_num_queries(8):
        page = member.get(GALLERY).content.decode()
    assert page.index("Chest") < page.index("Head 0")
    page = member.get(GALLERY, {"ordering": "-study_count", "modality": "CT"}).content.decode()
    assert page.index("Head 3") < page.index("Head 0")
    assert "Clinic" not in page
    assert "Head 0" not in member.get(GALLERY, {"annotation_type": "object_detection"}).content.decode()
    assert "Nothing found" in member.get(GALLERY, {"search": "nothing like it"}).content.decode()


def test_an_operator_publishes_by_a_form(client, operator):
    client.force_login(operator)
    dataset = dataset_of(operator, "mine", [1])
    url = f"/admin/datasets/dataset/{dataset.pk}/operate/publish/"
    assert "not de-identified" in client.get(url).content.decode()
    client.post(url, {"name": "Mine", "modality": "CT"})
    entry = GalleryEntry.objects.get()
    assert (entry.name, entry.modality, entry.published_by) == ("Mine", "CT", operator)
    change = f"/admin/datasets/galleryentry/{entry.pk}/operate/change/"
    assert 'value="CT"' in client.get(change).content.decode()
    client.post(change, {"name": "Ours"})
    assert GalleryEntry.objects.get().name == "Ours"
    client.post(f"/admin/datasets/galleryentry/{entry.pk}/operate/withdraw/")
    assert not GalleryEntry.objects.exists()


def test_the_samples_are_published(operator):
    call_command("load_samples")
    samples = settings.BASE_DIR / "samples"
    described = {entry["zip"].removesuffix(".zip") for entry in json.loads((samples / "gallery.json").read_text())}
    assert set(GalleryEntry.objects.values_list("name", flat=True)) == described
    assert described == {path.stem for path in samples.glob("*.zip")}
