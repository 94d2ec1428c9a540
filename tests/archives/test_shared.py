"""The collection of real and hostile archives, where it is present: results as its manifest says."""

import json
from pathlib import Path

import pytest

from datasets.archives import ArchiveError, FileSource, Refused, batches, read_index, read_members
from tests import shared
from tests.archives.build import LIMITS

SHARED = shared.FOLDER

pytestmark = [pytest.mark.wide, shared.needs("zips")]


def outcome(name):
    """Return the paths read, and (outcome, code) of each refusal."""
    source = FileSource(SHARED / name)
    index = read_index(source, LIMITS)
    read, refused = [], [(refusal.outcome, refusal.code) for refusal in index.refused]
    for batch in batches(index.members):
        for member, result in read_members(source, batch, LIMITS):
            if isinstance(result, Refused):
                refused.append((result.outcome, result.code))
            else:
                read.append(member.path)
    return read, refused, index.name_encoding


def names_in(folder):
    return sorted(path.name for path in (SHARED / folder).glob("*.zip")) if (SHARED / folder).is_dir() else []


@pytest.mark.parametrize("name", names_in("zips"))
def test_good_archives_are_read_whole(name):
    read, refused, _ = outcome(f"zips/{name}")
    assert read
    assert {kind for kind, _ in refused} <= {"skipped"}
    expected = json.loads((SHARED / "zips" / "expected.json").read_text()).get(f"zips/{name}", {})
    if "names" in expected:
        assert sorted(Path(path).name for path in read) == sorted(expected["names"])


@pytest.mark.parametrize(
    "name", ["names_backslash.zip", "names_big5_no_utf8_flag.zip", "zip64_forced.zip", "lzma_method14.zip"]
)
def test_unusual_writers_are_understood(name):
    read, refused, encoding = outcome(f"zips/{name}")
    assert len(set(read)) == 6
    assert all(path.startswith("image/") for path in read)
    assert refused == []
    if "big5" in name:
        assert encoding == "big5"
        assert "image/左手00.jpeg" in read


def test_junk_and_dicomdir_are_skipped():
    read, refused, _ = outcome("zips/macos_junk.zip")
    assert (len(read), set(refused)) == (6, {("skipped", "junk")})
    read, refused, _ = outcome("zips/dicom_fileset_dicomdir.zip")
    assert (len(read), refused) == (31, [("skipped", "junk")])


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("bomb_overlap_1.9GB.zip", "zip_bomb"),
        ("encrypted_zipcrypto.zip", "zip_encrypted"),
        ("text_renamed.zip", "zip_invalid"),
        ("truncated.zip", "zip_damaged"),
    ],
)
def test_bad_archives_are_refused_whole(name, code):
    with pytest.raises(ArchiveError) as caught:
        outcome(f"bad/zip/{name}")
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("name", "count", "codes"),
    [
        ("bomb_single_80MB.zip", 0, ["zip_bomb"]),
        ("crc_error.zip", 59, ["member_damaged"]),
        ("duplicate_names.zip", 2, ["duplicate_path"] * 3),
        ("empty_archive.zip", 0, []),
        ("mixed_good_and_bad.zip", 10, []),
        ("nested_zip_in_zip.zip", 6, ["nested_archive"]),
        ("only_folders.zip", 0, []),
        ("path_traversal.zip", 6, ["zip_path_unsafe"] * 5),
        ("symlink.zip", 6, ["zip_member_special"]),
    ],
)
def test_bad_members_are_refused_one_by_one(name, count, codes):
    read, refused, _ = outcome(f"bad/zip/{name}")
    assert len(read) == count
    assert [code for _, code in refused] == codes
