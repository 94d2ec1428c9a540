"""The header as a table."""

import pytest

from datasets.imaging.dicom.listing import list_tags
from tests.builders import make_dataset
from tests.imaging import samples

from . import build

pytestmark = pytest.mark.django_db


def test_a_header_is_listed_in_tag_order_with_keywords_and_names(api, user):
    study = build.make_empty_study(user)
    image = build.store(study, "ct.dcm", samples.local("dicom/pydicom/CT_small.dcm"))
    answer = api.get(f"/viewer/images/{image.pk}/tags/")
    rows = answer.json()["tags"]
    by_keyword = {row["keyword"]: row for row in rows}
    assert [row["tag"] for row in rows] == sorted(row["tag"] for row in rows)
    assert by_keyword["Modality"] == {
        "tag": "00080060",
        "keyword": "Modality",
        "name": "Modality",
        "vr": "CS",
        "value": "CT",
        "identifying": False,
    }
    assert by_keyword["PatientName"]["value"] == "CompressedSamples^CT1"
    assert {row["keyword"] for row in rows if row["identifying"]} >= {"PatientName", "PatientID", "InstitutionName"}
    assert by_keyword["ImagePositionPatient"]["value"].count("\\") == 2
    assert by_keyword["OtherPatientIDsSequence"]["children"][0][0]["identifying"]
    assert "PixelData" not in by_keyword
    etag = answer.headers["ETag"]
    assert api.get(f"/viewer/images/{image.pk}/tags/", headers={"If-None-Match": etag}).status_code == 304


@pytest.mark.parametrize("sample", [s for s in samples.load(samples.LOCAL) if s.path.startswith("dicom/")], ids=str)
def test_every_header_can_be_listed(api, user, sample):
    study = build.make_empty_study(user)
    try:
        image = build.store(study, sample.path, sample.data)
    except build.ImagingError:
        return
    rows = api.get(f"/viewer/images/{image.pk}/tags/").json()["tags"]
    assert {row["keyword"] for row in rows} >= {"Rows", "Columns", "BitsAllocated"}
    assert all(len(row["value"]) <= 256 for row in rows)


def test_other_images_have_no_tags(api, user):
    image = make_dataset(user, studies=1).images.get()
    for what in ("tags", "voi-lut"):
        answer = api.get(f"/viewer/images/{image.pk}/{what}/")
        assert (answer.status_code, answer.json()["code"]) == (404, "not_dicom")


def test_long_values_are_cut_and_binary_ones_told_by_their_size():
    private, text, binary = list_tags(
        {
            "00104000": {"vr": "LT", "Value": ["x" * 300]},
            "00280034": {"vr": "UN", "InlineBinary": "AAAA"},
            "00091001": {"vr": "LO", "Value": [None, 1.5]},
        }
    )
    assert (private["name"], private["value"]) == ("Private element", "\\1.5")
    assert (len(text["value"]), text["value"][-1]) == (256, "…")
    assert binary["value"] == "3 bytes"
