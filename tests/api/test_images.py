"""The faces of an image: thumbnail, stored file, rendering, tags."""

import io

import numpy
import pydicom
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image as Picture
from pydicom.dataset import Dataset as DicomDataset
from pydicom.dataset import FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

from datasets.services import decoding
from tests.blobs.conftest import use_bucket
from tests.builders import make_dataset, make_image, make_study, png

pytestmark = pytest.mark.django_db

DATA = bytes(range(256)) * 4


@pytest.fixture
def study(user):
    return make_study(make_dataset(user), images=0)


def dicom(pixels):
    """Return a DICOM file of frames × rows × columns, signed 16 bit, without a window."""
    file = DicomDataset()
    file.file_meta = FileMetaDataset()
    file.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    file.file_meta.MediaStorageSOPClassUID = file.SOPClassUID = CTImageStorage
    file.file_meta.MediaStorageSOPInstanceUID = file.SOPInstanceUID = "1.2.3.4"
    file.StudyInstanceUID, file.SeriesInstanceUID, file.Modality = "1.2.3", "1.2.3.5", "CT"
    file.NumberOfFrames, file.Rows, file.Columns = pixels.shape
    file.SamplesPerPixel, file.PhotometricInterpretation = 1, "MONOCHROME2"
    file.BitsAllocated, file.BitsStored, file.HighBit, file.PixelRepresentation = 16, 16, 15, 1
    file.PixelData = pixels.astype("<i2").tobytes()
    buffer = io.BytesIO()
    pydicom.dcmwrite(buffer, file, enforce_file_format=True)
    return buffer.getvalue()


@pytest.fixture
def ct(study):
    """Two frames of 16 × 20: a ramp from 0 to 319, and one from 1000."""
    ramp = numpy.arange(320).reshape(1, 16, 20)
    return make_image(study, "ct.dcm", dicom(numpy.concatenate([ramp, ramp + 1000])), format="DICOM", frames=2)


def url(image, face):
    return f"/api/v1/images/{image.pk}/{face}/"


def body(answer):
    return b"".join(answer.streaming_content)


# --- file -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("format", "content_type"), [("DICOM", "application/dicom"), ("JPEG", "image/jpeg"), ("PNG", "image/png")]
)
def test_the_file_is_what_was_stored_and_nothing_a_browser_would_run(api, study, format, content_type):
    image = make_image(study, "folder/evil.html", b"<script>alert(1)</script>", format=format)
    answer = api.get(url(image, "file"), headers={"accept": "text/html"})
    assert body(answer) == b"<script>alert(1)</script>"
    assert answer.headers["Content-Type"] == content_type
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="evil.html"'
    assert answer.headers["Content-Length"] == "25"
    assert answer.headers["ETag"] == f'"{image.blob.digest}"'
    assert "private" in answer.headers["Cache-Control"]


def test_a_name_in_any_script_is_kept(api, study):
    image = make_image(study, '胸部/正面 "1"\r\nX: y.png')
    disposition = api.get(url(image, "file")).headers["Content-Disposition"]
    assert disposition == "attachment; filename*=utf-8''%E6%AD%A3%E9%9D%A2%20%221%22%0D%0AX%3A%20y.png"


@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=st.integers(0, 1100), last=st.one_of(st.none(), st.integers(0, 1100)))
def test_a_range_is_the_bytes_between(api, study, first, last):
    image = study.images.first() or make_image(study, "a.dcm", DATA, format="DICOM")
    answer = api.get(url(image, "file"), headers={"range": f"bytes={first}-{'' if last is None else last}"})
    if last is not None and last < first:
        assert (answer.status_code, body(answer)) == (200, DATA)
    elif first >= len(DATA):
        assert (answer.status_code, answer.headers["Content-Range"]) == (416, f"bytes */{len(DATA)}")
    else:
        end = len(DATA) if last is None else min(last + 1, len(DATA))
        assert (answer.status_code, body(answer)) == (206, DATA[first:end])
        assert answer.headers["Content-Range"] == f"bytes {first}-{end - 1}/{len(DATA)}"
        assert answer.headers["Content-Length"] == str(end - first)


@pytest.mark.parametrize(
    ("wanted", "status", "bytes_"),
    [
        ("bytes=-10", 206, DATA[-10:]),
        ("bytes=-5000", 206, DATA),
        ("bytes=-0", 416, b""),
        ("bytes=0-0", 206, DATA[:1]),
        ("bytes=0-1,5-6", 200, DATA),
        ("bytes=-", 200, DATA),
        ("items=0-1", 200, DATA),
        ("bytes=" + "9" * 5000 + "-", 200, DATA),
    ],
)
def test_ranges_at_the_edges(api, study, wanted, status, bytes_):
    image = make_image(study, "a.dcm", DATA, format="DICOM")
    answer = api.get(url(image, "file"), headers={"range": wanted})
    assert answer.status_code == status
    assert (body(answer) if answer.streaming else answer.content) == bytes_


def test_a_range_of_something_else_is_answered_with_the_whole(api, study):
    image = make_image(study, "a.dcm", DATA, format="DICOM")
    same = {"range": "bytes=0-9", "if-range": f'"{image.blob.digest}"'}
    other = {"range": "bytes=0-9", "if-range": '"something else"'}
    assert api.get(url(image, "file"), headers=same).status_code == 206
    assert api.get(url(image, "file"), headers=other).status_code == 200


@pytest.mark.parametrize("face", ["file", "thumbnail"])
def test_what_the_client_has_is_not_sent_again(api, study, face):
    image = make_image(study, "a.png")
    etag = api.get(url(image, face)).headers["ETag"]
    for known in (etag, f"W/{etag}", f'"x", {etag}', "*"):
        assert api.get(url(image, face), headers={"if-none-match": known}).status_code == 304
    assert api.get(url(image, face), headers={"if-none-match": '"x"'}).status_code == 200


def test_head_says_the_length_and_sends_nothing(api, study):
    image = make_image(study, "a.dcm", DATA, format="DICOM")
    answer = api.head(url(image, "file"))
    assert (answer.status_code, answer.headers["Content-Length"], answer.content) == (200, "1024", b"")
    assert answer.headers["Accept-Ranges"] == "bytes"


@pytest.mark.s3
@pytest.mark.xdist_group("radosgw")
def test_a_bucket_serves_the_file_itself(api, study, radosgw, settings, monkeypatch):
    import urllib.request

    use_bucket(radosgw, settings, monkeypatch)
    image = make_image(study, "胸部.dcm", DATA, format="DICOM")
    answer = api.get(url(image, "file"))
    assert (answer.status_code, answer.headers["Cache-Control"]) == (302, "private, no-store")
    request = urllib.request.Request(answer.headers["Location"], headers={"Range": "bytes=10-19"})
    with urllib.request.urlopen(request) as direct:
        assert (direct.status, direct.read()) == (206, DATA[10:20])
        assert direct.headers["Content-Type"] == "application/dicom"
        assert direct.headers["Content-Disposition"].startswith("attachment; filename*=utf-8''%E8%83%B8")
    assert api.head(url(image, "file")).headers["Content-Length"] == "1024"
    assert api.get(url(image, "thumbnail")).content == b"\xff\xd8 thumbnail \xff\xd9"


# --- thumbnail --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("accept", ["image/webp,image/*", "*/*", "image/avif", "application/json"])
def test_a_thumbnail_is_a_jpeg_that_browsers_may_keep(api, study, accept):
    answer = api.get(url(make_image(study, "a.png"), "thumbnail"), headers={"accept": accept})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/jpeg")
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert answer.content == b"\xff\xd8 thumbnail \xff\xd9"


def test_an_image_that_could_not_be_drawn_has_no_thumbnail(api, study):
    image = make_image(study, "a.dcm", thumbnail=None)
    answer = api.get(url(image, "thumbnail"))
    assert (answer.status_code, answer.json()["code"]) == (404, "no_thumbnail")
    assert api.get(f"/api/v1/images/{image.pk}/").json()["thumbnail_url"] is None


# --- rendering --------------------------------------------------------------------------------------------------------


def grey(answer):
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/png")
    return numpy.asarray(Picture.open(io.BytesIO(answer.content)))


def test_a_frame_without_a_window_runs_from_its_minimum_to_its_maximum(api, ct):
    for frame in (1, 2):
        answer = api.get(url(ct, "rendered"), {"frame": frame})
        shown = grey(answer)
        assert (shown.shape, shown.min(), shown.max()) == ((16, 20), 0, 255)
        assert answer.headers["X-Window-Rule"] == "min_max"


def test_a_window_decides_what_is_black_and_white(api, ct):
    answer = api.get(url(ct, "rendered"), {"window_center": 100, "window_width": 11})
    shown = grey(answer).ravel()
    assert (answer.headers["X-Window-Rule"], answer.headers["X-Window-Center"]) == ("window_given", "100.0")
    assert set(shown[:90]) == {0}
    assert set(shown[110:]) == {255}
    assert 0 < shown[100] < 255


def test_a_rendering_is_not_sent_again(api, ct):
    etag = api.get(url(ct, "rendered"), {"frame": 2}).headers["ETag"]
    kept = api.get(url(ct, "rendered"), {"frame": 2}, headers={"if-none-match": etag})
    assert (kept.status_code, kept.headers["Cache-Control"]) == (304, "private, max-age=86400")
    assert api.get(url(ct, "rendered"), {"frame": 1}, headers={"if-none-match": etag}).status_code == 200


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"frame": 0}, "frame"),
        ({"frame": 3}, "frame"),
        ({"frame": "x"}, "frame"),
        ({"window_center": 1}, "window_width"),
        ({"window_width": 1}, "window_center"),
        ({"window_center": 1, "window_width": 0}, "window_width"),
        ({"window_center": "nan", "window_width": 1}, "window_center"),
        ({"window_center": 1, "window_width": "inf"}, "window_width"),
    ],
)
def test_a_frame_or_window_that_cannot_be_is_refused(api, ct, query, field):
    answer = api.get(url(ct, "rendered"), query)
    assert (answer.status_code, answer.json()["code"], list(answer.json()["fields"])) == (400, "invalid", [field])


def test_who_waits_too_long_for_a_turn_is_asked_to_come_again(api, ct, monkeypatch):
    monkeypatch.setattr(decoding, "LONGEST_WAIT", 0.01)
    with decoding.decoder():
        answer = api.get(url(ct, "rendered"))
    assert (answer.status_code, answer.json()["code"]) == (503, "decoder_busy")
    assert api.get(url(ct, "rendered")).status_code == 200


def test_a_png_is_rendered_as_it_is(api, study):
    shown = grey(api.get(url(make_image(study, "a.png", png(77)), "rendered")))
    assert (shown.shape, set(shown.ravel())) == ((16, 20), {77})


def test_a_file_that_does_not_decode_is_refused_by_code(api, study):
    answer = api.get(url(make_image(study, "a.png", b"\x89PNG\r\n\x1a\n broken"), "rendered"))
    assert (answer.status_code, answer.json()["code"]) == (422, "image_corrupt")


# --- tags -------------------------------------------------------------------------------------------------------------


def test_tags_are_dicom_json_without_pixels(api, ct):
    tags = api.get(url(ct, "tags")).json()
    assert tags["00080060"] == {"vr": "CS", "Value": ["CT"]}
    assert tags["00280010"] == {"vr": "US", "Value": [16]}
    assert "InlineBinary" not in tags.get("7FE00010", {})


def test_a_png_has_no_tags(api, study):
    answer = api.get(url(make_image(study, "a.png"), "tags"))
    assert (answer.status_code, answer.json()["code"]) == (404, "not_dicom")
