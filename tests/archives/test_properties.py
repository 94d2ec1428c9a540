"""What holds for every archive: honest ones come back, damaged ones never give wrong bytes."""

import zipfile
from io import BytesIO

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasets.archives import ArchiveError, batches, read_index
from tests.archives.build import LIMITS, File, MemorySource, archive, contents_of

# Letters of many scripts; no separators, dots or controls, which have tests of their own.
PARTS = st.text(st.characters(categories=["Lu", "Ll", "Lo", "Nd"]), min_size=1, max_size=12).map(
    lambda part: f"x{part}"
)
PATHS = st.lists(PARTS, min_size=1, max_size=4).map("/".join)
CONTENTS = st.binary(min_size=1, max_size=2000).map(lambda content: b"." + content)
METHODS = st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
FILES = st.dictionaries(PATHS, st.tuples(CONTENTS, METHODS), max_size=8)


def written(files, comment=b"", prefix=b""):
    buffer = BytesIO()
    buffer.write(prefix)
    with zipfile.ZipFile(buffer, "a" if prefix else "w") as file:
        for path, (content, method) in files.items():
            file.writestr(path, content, compress_type=method)
        file.comment = comment
    return buffer.getvalue()


@given(files=FILES, comment=st.binary(max_size=100), prefix=st.sampled_from([b"", b"#!program\n"]))
def test_what_the_standard_library_writes_comes_back(files, comment, prefix):
    contents, refused = contents_of(written(files, comment, prefix), portion=97)
    assert contents == {path: content for path, (content, _) in files.items()}
    assert refused == {}


@settings(suppress_health_check=[HealthCheck.too_slow], max_examples=300)
@given(files=FILES.filter(bool), data=st.data())
def test_damaged_archives_are_refused_and_never_give_wrong_bytes(files, data):
    broken = bytearray(written(files))
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(broken) - 1))
        broken[position] = data.draw(st.integers(0, 255))
    cut = data.draw(st.one_of(st.just(len(broken)), st.integers(0, len(broken))))
    try:
        contents, _ = contents_of(bytes(broken[:cut]))
    except ArchiveError as error:
        assert error.code.startswith("zip_")
        return
    originals = {content for content, _ in files.values()}
    assert set(contents.values()) <= originals


@given(st.binary(max_size=3000))
def test_noise_is_refused(noise):
    try:
        contents, _ = contents_of(noise)
    except ArchiveError:
        return
    assert contents == {}


@given(junk=st.binary(max_size=200), data=st.data())
def test_noise_in_the_directory_is_refused_or_read_within_bounds(junk, data):
    honest = archive(*(File(b"%d.png" % n, bytes([n]) * 50) for n in range(3)))
    position = data.draw(st.integers(honest.index(b"PK\x01\x02"), len(honest)))
    try:
        contents, _ = contents_of(honest[:position] + junk + honest[position + len(junk) :])
    except ArchiveError:
        return
    assert set(contents.values()) <= {bytes([n]) * 50 for n in range(3)}


@given(
    sizes=st.lists(st.integers(1, 300), max_size=60),
    max_members=st.integers(1, 10),
    max_bytes=st.integers(1, 500),
)
def test_batches_cover_every_member_once_in_order(sizes, max_members, max_bytes):
    data = archive(*(File(b"%d" % n, bytes(size), method=0) for n, size in enumerate(sizes)))
    members = read_index(MemorySource(data), LIMITS).members
    cut = list(batches(members, max_members=max_members, max_bytes=max_bytes))
    assert [member for batch in cut for member in batch] == members
    for batch in cut:
        assert 1 <= len(batch) <= max_members
        assert len(batch) == 1 or sum(member.size for member in batch) <= max_bytes


@given(st.lists(st.binary(min_size=1, max_size=20), unique=True, max_size=12))
def test_any_bytes_as_names_give_distinct_safe_paths_or_a_refusal(names):
    index = read_index(MemorySource(archive(*(File(name) for name in names))), LIMITS)
    paths = [member.path for member in index.members]
    assert len(set(paths)) == len(paths)
    for path in paths:
        assert not path.startswith("/")
        assert ".." not in path.split("/")
        assert not any(ord(character) < 32 for character in path)
        path.encode()
    for refusal in index.refused:
        assert refusal.path
        assert "\0" not in refusal.path
