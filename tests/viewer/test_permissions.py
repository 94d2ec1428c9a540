"""Who gets what from every address of the viewer: taken from the URLconf: a new one fails until it is listed."""

import pytest
from django.urls import reverse

from datasets.models import Dataset, DatasetStatus
from tests.annotations.builders import make_annotation_data
from tests.imaging import samples
from viewer.urls import urlpatterns

from . import build

pytestmark = pytest.mark.django_db

ADDRESSES = {
    "viewer-study": "study",
    "viewer-scene": "study",
    "viewer-annotations": "study",
    "viewer-frame": "image",
    "viewer-voi-lut": "image",
    "viewer-tags": "image",
}
ALL = sorted(ADDRESSES)


@pytest.fixture
def address(user):
    study = build.make_empty_study(user)
    image = build.store(study, "ct.dcm", samples.local("dicom/pydicom/CT_small.dcm"))
    data = make_annotation_data(study.dataset)

    def address_of(name):
        pk = study.pk if ADDRESSES[name] == "study" else image.pk
        url = reverse(name, args=[pk, 1] if name == "viewer-frame" else [pk])
        return f"{url}?annotation_data={data.pk}" if name == "viewer-annotations" else url

    return address_of


def test_every_address_is_listed_here():
    assert {pattern.name for pattern in urlpatterns} == set(ADDRESSES)


@pytest.mark.parametrize("name", ALL)
def test_the_owner_is_answered(browser, api, address, name):
    assert browser.get(address(name)).status_code == 200
    assert browser.head(address(name)).status_code in (200, 405)


@pytest.mark.parametrize("name", ALL)
def test_a_stranger_is_told_nothing(stranger, address, name):
    answer = stranger.get(address(name))
    assert answer.status_code == 404
    if name != "viewer-study":
        assert answer.json() == {"code": "not_found", "detail": "Not found."}


@pytest.mark.parametrize("name", ALL)
def test_somebody_who_is_not_signed_in_is_refused(anonymous, address, name):
    answer = anonymous.get(address(name))
    if name == "viewer-study":
        assert (answer.status_code, answer.url) == (302, f"{reverse('login')}?next={address(name)}")
    else:
        assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


@pytest.mark.parametrize("name", ALL)
def test_nothing_is_changed_here(browser, address, name):
    for method in (browser.post, browser.put, browser.patch, browser.delete):
        assert method(address(name)).status_code == 405


@pytest.mark.parametrize("name", ALL)
def test_what_is_being_deleted_is_gone(browser, address, name):
    url = address(name)
    Dataset.objects.update(status=DatasetStatus.DELETING)
    assert browser.get(url).status_code == 404


def test_annotation_data_of_another_dataset_are_not_told(browser, user, other_user, address):
    other = build.make_empty_study(other_user)
    build.store(other, "ct.dcm", samples.local("dicom/pydicom/CT_small.dcm"))
    foreign = make_annotation_data(other.dataset)
    url = address("viewer-annotations").split("?")[0]
    for asked in (foreign.pk, "", "x", "9" * 40):
        assert browser.get(url, {"annotation_data": asked}).status_code == 404
