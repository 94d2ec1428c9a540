"""Every zip, image and bad file of the larger collection, through the whole ingest, where it is present."""

from __future__ import annotations

import json

import pytest

from datasets.models import DatasetStatus

pytestmark = pytest.mark.django_db

WHOLE_ARCHIVE = {
    "bomb_overlap_1.9GB.zip": "zip_bomb",
    "encrypted_zipcrypto.zip": "zip_encrypted",
    "text_renamed.zip": "zip_invalid",
    "truncated.zip": "zip_damaged",
}


def codes(dataset):
    return {problem.code for problem in dataset.problems.all() if problem.outcome == "rejected"}


@pytest.fixture
def zips(shared_data):
    return json.loads((shared_data / "zips" / "expected.json").read_text())


def test_every_sound_zip_is_available_with_the_expected_number_of_images(ingest, shared_data, zips):
    wrong = {}
    for name, expected in zips.items():
        path = shared_data / name
        if name.startswith("bad/"):
            continue
        dataset = ingest(path.read_bytes(), path.name)
        too_small = "image_too_small" in codes(dataset)  # a file-set whose pixel data was cut to a few rows
        good = dataset.status == DatasetStatus.AVAILABLE and dataset.image_count == expected["images"]
        if not good and not too_small:
            wrong[name] = (dataset.status, dataset.image_count, expected["images"], sorted(codes(dataset)))
    assert wrong == {}


def test_names_in_the_zip_are_kept(ingest, shared_data, zips):
    dataset = ingest((shared_data / "zips" / "names_utf8.zip").read_bytes(), "names.zip")
    names = {path.rpartition("/")[2] for path in dataset.images.values_list("path", flat=True)}
    assert names == set(zips["zips/names_utf8.zip"]["names"])
    guessed = ingest((shared_data / "zips" / "names_big5_no_utf8_flag.zip").read_bytes(), "big5.zip")
    assert guessed.ingest.name_encoding == "big5"


@pytest.mark.parametrize(("name", "code"), WHOLE_ARCHIVE.items())
def test_a_hostile_or_broken_archive_is_refused_whole_and_leaves_nothing(ingest, shared_data, store, name, code):
    dataset = ingest((shared_data / "bad" / "zip" / name).read_bytes(), name)
    assert dataset.status == DatasetStatus.PREPARATION_FAILED
    assert codes(dataset) == {code}
    assert not dataset.images.exists() and not dataset.studies.exists()
    assert not list(store.keys("blobs/"))


@pytest.mark.parametrize(
    ("name", "images", "code"),
    [
        ("mixed_good_and_bad.zip", 6, None),
        ("crc_error.zip", 59, "member_damaged"),
        ("duplicate_names.zip", 2, "duplicate_path"),
        ("symlink.zip", 6, "zip_member_special"),
        ("path_traversal.zip", 6, "zip_path_unsafe"),
        ("nested_zip_in_zip.zip", 6, "nested_archive"),
        ("bomb_single_80MB.zip", 0, "zip_bomb"),
        ("empty_archive.zip", 0, None),
        ("no_image_folder_only_docs.zip", 0, None),
        ("only_folders.zip", 0, None),
    ],
)
def test_a_bad_member_costs_only_itself(ingest, shared_data, name, images, code):
    dataset = ingest((shared_data / "bad" / "zip" / name).read_bytes(), name)
    assert dataset.status == DatasetStatus.PREPARATION_FAILED
    assert dataset.image_count == images
    assert code is None or code in codes(dataset)


def test_every_bad_file_alone_is_told_by_name_and_reason_or_accepted_as_the_manifest_allows(ingest, shared_data):
    for kind in ("dicom", "jpg", "png"):
        paths = sorted((shared_data / "bad" / kind).iterdir())
        dataset = ingest([(path.name, path.read_bytes()) for path in paths], f"{kind}.zip")
        told = set(dataset.problems.values_list("path", flat=True))
        accepted = set(dataset.images.values_list("path", flat=True))
        assert told | accepted == {path.name for path in paths}
        assert not told & accepted
        assert all(problem.message.endswith(".") and problem.code for problem in dataset.problems.all())
