"""The scene: what it tells, what is selected, and what it costs."""

import gzip
import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from datasets.models import Image, Series, Study
from tests.annotations.builders import make_annotation_data
from tests.builders import make_dataset, make_image, png
from tests.imaging import samples

from . import build

pytestmark = pytest.mark.django_db

CT = "dicom/pydicom/CT_small.dcm"


def scene_url(study):
    return f"/viewer/studies/{study.pk}/scene/"


def scene_of(api, study, **query):
    answer = api.get(scene_url(study), query)
    assert answer.status_code == 200
    return answer.json()


def many_images(study, count):
    """Add rows of a CT image to the study, all of one blob."""
    first = build.store(study, "0.dcm", samples.local(CT))
    rows = []
    for position in range(1, count):
        row = Image.objects.get(pk=first.pk)
        row.pk, row.path, row.position = None, f"{position}.dcm", position
        rows.append(row)
    Image.objects.bulk_create(rows)
    Study.objects.filter(pk=study.pk).update(image_count=count)


def test_a_ct_slice_is_told_with_all_that_shows_it(api, user):
    study = build.make_empty_study(user)
    row = build.store(study, "a/ct.dcm", samples.local(CT))
    [image] = scene_of(api, study)["series"][0]["images"]
    assert (image["name"], image["width"], image["height"], image["delivery"]) == ("ct.dcm", 128, 128, "frame")
    assert image["rescale"] == {"slope": 1.0, "intercept": -1024.0, "units": "HU"}
    assert image["samples"] == {
        "type": "int16",
        "bits_allocated": 16,
        "signed": True,
        "float": False,
        "samples_per_pixel": 1,
        "photometric_interpretation": "MONOCHROME2",
    }
    assert image["spacing"] == {"row": 0.661468, "column": 0.661468, "source": "PixelSpacing"}
    assert (image["aspect"], image["invert"], image["window"]) == (1.0, False, {"rule": "min_max"})
    assert image["frame_url"] == f"/viewer/images/{row.pk}/frames/{{frame}}/"
    assert image["geometry"]["position"] == row.attributes["ImagePositionPatient"]
    for name in ("file_url", "rendered_url", "thumbnail_url", "tags_url"):
        assert api.get(image[name]).status_code == 200


def test_a_scene_tells_of_neighbours_and_its_place(api, user):
    dataset = make_dataset(user, "Knees", studies=3)
    first, middle, last = dataset.studies.order_by("position")
    told = scene_of(api, middle)["study"]
    assert (told["position"], told["total"]) == (2, 3)
    assert (told["previous"]["id"], told["next"]["id"]) == (first.pk, last.pk)
    assert told["next"]["url"] == last.get_absolute_url()
    assert scene_of(api, first)["study"]["previous"] is None
    assert scene_of(api, last)["study"]["next"] is None
    assert scene_of(api, last)["dataset"] == {
        "id": dataset.pk,
        "name": "Knees",
        "url": f"/datasets/{dataset.pk}/?page=1",
    }


def test_series_come_in_display_order_with_their_images(api, user):
    study = build.make_empty_study(user)
    series = [
        Series.objects.create(study=study, series_instance_uid=f"1.{number}", series_number=number) for number in (7, 2)
    ]
    for position, which in enumerate([1, 1, 0]):
        build.store(study, f"{position}.dcm", samples.local(CT), position=position, series=series[which])
    told = scene_of(api, study)["series"]
    assert [(each["number"], len(each["images"])) for each in told] == [(2, 2), (7, 1)]
    assert [image["path"] for each in told for image in each["images"]] == ["0.dcm", "1.dcm", "2.dcm"]


def test_what_the_address_asks_for_is_selected(api, user):
    study = make_dataset(user, studies=1, images=3).studies.get()
    second = study.images.get(position=1)
    Image.objects.filter(pk=second.pk).update(frames=5)
    data = make_annotation_data(study.dataset)
    chosen = scene_of(api, study, image=second.pk, frame=4, annotation_data=data.pk)["selected"]
    assert chosen == {"image": second.pk, "frame": 4, "annotation_data": [data.pk]}


@pytest.mark.parametrize("asked", ["0", "-1", "x", "", "²", "9" * 30, "1.5"])
def test_what_is_not_there_is_not_selected(api, browser, user, asked):
    study = make_dataset(user, studies=1, images=2).studies.get()
    first = study.images.get(position=0)
    query = {"image": asked, "frame": asked, "annotation_data": asked}
    assert scene_of(api, study, **query)["selected"] == {"image": first.pk, "frame": 1, "annotation_data": []}
    assert browser.get(study.get_absolute_url(), query).context["image"] == first


@pytest.mark.parametrize(
    ("fields", "delivery"),
    [
        ({}, "image"),
        ({"format": "JPEG", "attributes": {"Orientation": 6}}, "image"),
        ({"attributes": {"Orientation": 6}}, "samples"),
        ({"bits_stored": 16}, "samples"),
        ({"format": "JPEG", "photometric_interpretation": "CMYK"}, "samples"),
        ({"undrawable": "decoder_missing"}, "none"),
    ],
)
def test_browsers_get_the_files_that_they_show_as_the_server_does(api, user, fields, delivery):
    study = build.make_empty_study(user)
    make_image(study, "a", png(), **{"photometric_interpretation": "MONOCHROME2", **fields})
    [image] = scene_of(api, study)["series"][0]["images"]
    assert image["delivery"] == delivery
    assert bool(image["undrawable_message"]) == (delivery == "none")


def test_a_scene_takes_the_same_queries_for_one_image_and_for_many(api, user):
    costs = []
    for count in (1, 300):
        study = build.make_empty_study(user)
        many_images(study, count)
        make_annotation_data(study.dataset)
        make_annotation_data(study.dataset)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            scene = scene_of(api, study)
        assert sum(len(each["images"]) for each in scene["series"]) == count
        costs.append(len(queries))
    assert costs[0] == costs[1] <= 9


def test_a_scene_opens_no_file(api, user, monkeypatch, store):
    study = build.make_empty_study(user)
    many_images(study, 3)
    for name in ("read", "open", "source", "size"):
        monkeypatch.setattr(store, name, None)
    assert len(scene_of(api, study)["series"][0]["images"]) == 3


def test_an_unchanged_scene_is_not_sent_again_and_its_images_are_not_read(api, user):
    study = build.make_empty_study(user)
    many_images(study, 50)
    etag = api.get(scene_url(study)).headers["ETag"]
    with CaptureQueriesContext(connection) as queries:
        answer = api.get(scene_url(study), headers={"If-None-Match": etag})
    assert (answer.status_code, answer.content) == (304, b"")
    assert not any("datasets_image" in query["sql"].split("WHERE")[0] for query in queries.captured_queries)
    study.dataset.name = "renamed"
    study.dataset.save()
    assert api.get(scene_url(study), headers={"If-None-Match": etag}).status_code == 200
    etag = api.get(scene_url(study)).headers["ETag"]
    make_annotation_data(study.dataset)
    assert api.get(scene_url(study), headers={"If-None-Match": etag}).status_code == 200


def test_a_large_scene_travels_compressed(api, user):
    study = build.make_empty_study(user)
    many_images(study, 300)
    plain = api.get(scene_url(study))
    packed = api.get(scene_url(study), headers={"Accept-Encoding": "gzip, br"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert json.loads(gzip.decompress(packed.content)) == plain.json()
    assert len(packed.content) * 10 < len(plain.content)
    assert "Accept-Encoding" in packed.headers["Vary"]


def test_the_page_brings_a_scene_and_a_first_picture_along(browser, user):
    study = build.make_empty_study(user)
    image = build.store(study, "ct.dcm", samples.local(CT))
    answer = browser.get(study.get_absolute_url())
    page = answer.content.decode()
    assert f'data-scene-url="{scene_url(study)}"' in page
    assert f"/api/v1/images/{image.pk}/rendered/?frame=1" in page
    assert answer.context["scene"]["selected"]["image"] == image.pk
    assert 'id="viewer-scene"' in page
    assert 'data-viewer-state="loading"' in page


def test_the_page_of_a_huge_study_leaves_the_scene_to_be_fetched(browser, user):
    study = build.make_empty_study(user)
    many_images(study, 501)
    answer = browser.get(study.get_absolute_url())
    assert answer.context["scene"] is None
    assert 'id="viewer-scene"' not in answer.content.decode()


def test_no_name_becomes_markup(browser, user):
    study = build.make_empty_study(user, name="</script><img src=x onerror=alert(1)>")
    build.store(study, "</script><img src=x>.dcm", samples.local(CT))
    page = browser.get(study.get_absolute_url()).content.decode()
    assert "<img src=x" not in page


def test_htmx_is_told_to_leave_for_the_viewer(browser, user):
    study = make_dataset(user, studies=1).studies.get()
    answer = browser.get(study.get_absolute_url(), headers={"HX-Request": "true", "HX-Boosted": "true"})
    assert answer.headers["HX-Redirect"] == study.get_absolute_url()
