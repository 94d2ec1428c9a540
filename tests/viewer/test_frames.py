"""Frames as the viewer gets them: of every sample, windowed by the scene's rule, they are the server's rendering."""

from __future__ import annotations

import json
from contextlib import suppress

import pytest

from datasets.blobs.store import get_store
from datasets.imaging import ImagingError
from datasets.imaging.dicom import syntaxes
from datasets.services.pieces import HEAD_BYTES
from tests.imaging import samples

from . import build, client

pytestmark = pytest.mark.django_db

CT = "dicom/pydicom/CT_small.dcm"
USABLE = [s for s in samples.all_samples() if "accepted" in s.outcomes and "12000" not in s.path]
LOSSY = syntaxes.JPEG_BASELINE, syntaxes.JPEG_EXTENDED, syntaxes.JPEG_2000, syntaxes.JPEG_LS_NEAR


@pytest.mark.parametrize("sample", USABLE, ids=str)
def test_a_frame_windowed_by_the_scene_is_the_rendering(api, user, sample):
    study = build.make_empty_study(user)
    try:
        row = build.store(study, sample.path, sample.data)
    except ImagingError:
        assert sample.outcomes != {"accepted"}
        return
    image = only_image(api, study)
    if image["delivery"] == "none":
        assert image["undrawable_message"]
        assert api.get(frame_url(image)).json()["code"] == image["undrawable"]
        return
    luts = api.get(image["voi_lut_url"]).json()["luts"] if image["voi_lut_url"] else None
    for frame in sorted({1, row.frames // 2 + 1, row.frames}):
        rendering = api.get(image["rendered_url"], {"frame": frame})
        for decode in (False, True) if image["delivery"] != "image" else (True,):
            answer = api.get(frame_url(image, frame, decode=decode))
            assert answer.status_code == rendering.status_code
            if rendering.status_code != 200:
                assert answer.json()["code"] == rendering.json()["code"]
                continue
            shown = client.picture(client.decoded(answer, image), image, frame=frame, luts=luts)
            limit = 2.0 if row.transfer_syntax_uid in LOSSY else 0.0
            assert samples.difference(shown, samples.pixels(rendering.content)) <= limit
            check_rule(image, frame, rendering.headers.get("X-Window-Rule"), luts)
            if decode or image["delivery"] == "samples":
                check_layout(row, image, answer)


def check_rule(image, frame, rule, luts):
    """The scene names the rule that the server used; grey with alpha, shown as it is, counts as colour there."""
    if image["window"]["rule"] == "colour" and image["format"] != "DICOM":
        assert rule in ("colour", "stored", "min_max")
    elif frame == 1 and (image["window"]["rule"] != "voi_lut" or luts):
        assert rule == image["window"]["rule"]


def check_layout(row, image, answer):
    layout = json.loads(answer.headers["X-Samples"])
    if not row.attributes.get("HasModalityLUT"):
        assert layout == image["samples"]
    size = layout["bits_allocated"] // 8 * layout["samples_per_pixel"]
    assert len(answer.content) == size * image["width"] * image["height"]


def test_every_way_of_delivery_and_most_rules_are_among_the_samples_of_the_repository(api, user):
    ways, rules = set(), set()
    study = build.make_empty_study(user)
    for position, sample in enumerate(sample for sample in USABLE if sample.root == samples.LOCAL):
        with suppress(ImagingError):
            build.store(study, f"{position}", sample.data, position=position)
    for image in images_of(api, study):
        ways.add(image["delivery"])
        rules.add(image["window"]["rule"])
    assert ways >= {"frame", "samples", "image"}
    assert rules >= {"window", "window_frame", "min_max", "stored", "colour", "palette"}


@pytest.mark.parametrize("first", [-1024, 0, 100])
@pytest.mark.parametrize("signed", [False, True])
def test_lookup_tables_are_applied_as_the_server_does(api, user, first, signed):
    study = build.make_empty_study(user)
    for position, (modality, voi) in enumerate([(False, True), (True, False), (True, True)]):
        data = build.with_tables(first if signed else abs(first), signed=signed, modality=modality, voi=voi)
        build.store(study, f"{position}.dcm", data, position=position)
    for image in images_of(api, study):
        luts = api.get(image["voi_lut_url"]).json()["luts"] if image["voi_lut_url"] else None
        assert (image["window"]["rule"] == "voi_lut") == bool(luts)
        rendering = api.get(image["rendered_url"])
        for decode in (False, True):
            shown = client.picture(client.decoded(api.get(frame_url(image, decode=decode)), image), image, luts=luts)
            assert samples.difference(shown, samples.pixels(rendering.content)) == 0
        check_rule(image, 1, rendering.headers["X-Window-Rule"], luts)


@pytest.mark.parametrize("groups", ["shared", "own", "some"])
def test_windows_and_rescale_of_single_frames_are_those_of_the_server(api, user, groups):
    study = build.make_empty_study(user)
    build.store(study, "enhanced.dcm", build.enhanced(groups))
    image = only_image(api, study)
    assert (image["per_frame"] is None) == (groups == "shared")
    for frame in range(1, image["frames"] + 1):
        rendering = api.get(image["rendered_url"], {"frame": frame})
        shown = client.picture(client.decoded(api.get(frame_url(image, frame)), image), image, frame=frame)
        assert samples.difference(shown, samples.pixels(rendering.content)) == 0


def test_one_frame_of_a_long_object_is_read_and_no_more(api, user, monkeypatch):
    study = build.make_empty_study(user)
    frames, size = 400, 128 * 128
    row = build.store(study, "cine.dcm", build.multi_frame(frames, encapsulated=False))
    read = count_reads(monkeypatch)
    image = only_image(api, study)
    assert api.get(frame_url(image, 1)).content == bytes([1]) * size
    assert sum(read) <= HEAD_BYTES + size
    del read[:]
    assert api.get(frame_url(image, frames)).content == bytes([frames % 251]) * size
    assert sum(read) <= size
    assert row.blob.size > 5 * HEAD_BYTES


@pytest.mark.parametrize("table", ["basic", "extended", "none", "wrong"])
def test_encapsulated_frames_are_found_with_and_without_offset_tables(api, user, monkeypatch, table):
    study = build.make_empty_study(user)
    frames = 60
    data = build.multi_frame(frames, encapsulated=True, table=table)
    build.store(study, "cine.dcm", data)
    read = count_reads(monkeypatch)
    image = only_image(api, study)
    for frame in (1, 2, frames // 2, frames):
        answer = api.get(frame_url(image, frame))
        assert "X-Samples" not in answer.headers
        assert (client.decoded(answer, image) == frame % 251).all()
    assert sum(read) < len(data)
    if table == "extended":
        return
    decoded = api.get(frame_url(image, frames, decode=True))
    assert (client.decoded(decoded, image) == frames % 251).all()


def test_a_decoded_frame_of_a_long_object_is_cut_out_too(api, user, monkeypatch):
    study = build.make_empty_study(user)
    frames = 400
    build.store(study, "cine.dcm", build.multi_frame(frames, encapsulated=False))
    read = count_reads(monkeypatch)
    image = only_image(api, study)
    answer = api.get(frame_url(image, 250, decode=True))
    assert (client.decoded(answer, image) == 250).all()
    assert sum(read) <= HEAD_BYTES + 3 * 128 * 128
    del read[:]
    for url in (image["rendered_url"] + "?frame=251", image["tags_url"], f"/api/v1/images/{image['id']}/tags/"):
        assert api.get(url).status_code == 200
    assert sum(read) <= 8 * 128 * 128


def test_an_answer_may_be_kept_and_is_not_sent_twice(api, user):
    study = build.make_empty_study(user)
    build.store(study, "ct.dcm", samples.local(CT))
    url = frame_url(only_image(api, study))
    first = api.get(url)
    assert first.headers["Cache-Control"].startswith("private")
    assert first.headers["Content-Type"] == "application/octet-stream; transfer-syntax=1.2.840.10008.1.2.1"
    again = api.get(url, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    head = api.head(url)
    assert (head.status_code, head.headers["ETag"]) == (200, first.headers["ETag"])
    decoded = api.get(url, {"decode": "server"})
    assert decoded.headers["ETag"] != first.headers["ETag"]


def test_a_frame_that_is_not_there_is_404(api, user):
    study = build.make_empty_study(user)
    build.store(study, "ct.dcm", samples.local(CT))
    image = only_image(api, study)
    for number in (0, 2):
        answer = api.get(frame_url(image, number))
        assert (answer.status_code, answer.json()["code"]) == (404, "frame_missing")


def count_reads(monkeypatch):
    """Return a list that every read of the store adds its size to."""
    store, read = get_store(), []
    whole, ranged = store.read, store.open

    def reading(key):
        data = whole(key)
        read.append(len(data))
        return data

    def opening(key, start=0, end=None):
        read.append((store.size(key) if end is None else end) - start)
        return ranged(key, start, end)

    monkeypatch.setattr(store, "read", reading)
    monkeypatch.setattr(store, "open", opening)
    return read


def images_of(api, study):
    scene = api.get(f"/viewer/studies/{study.pk}/scene/").json()
    return [image for series in scene["series"] for image in series["images"]]


def only_image(api, study):
    [image] = images_of(api, study)
    return image


def frame_url(image, frame=1, *, decode=False):
    return image["frame_url"].replace("{frame}", str(frame)) + ("?decode=server" if decode else "")


def test_frames_do_not_expire_where_downloads_are_signed(api, user, monkeypatch):
    study = build.make_empty_study(user)
    build.store(study, "ct.dcm", samples.local(CT))
    monkeypatch.setattr(get_store(), "signed_url", lambda key, **options: "https://storage.example/signed")
    image = only_image(api, study)
    assert api.get(image["file_url"]).status_code == 302
    for url in (frame_url(image), frame_url(image, decode=True), image["rendered_url"], image["thumbnail_url"]):
        assert api.get(url).status_code == 200
