"""The index of an archive: which members it has, which are refused and why; no member is read for it."""

import stat
from array import array
from dataclasses import dataclass, field

from .directory import Directory, Entry, parse_entries, read_directory
from .encodings import NameDecoder
from .inflate import BZIP2, DEFLATED, LZMA, METHOD_NAMES, STORED
from .limits import ArchiveError, ArchiveLimits
from .members import LOCAL_HEADER_BYTES, Member, Refused
from .paths import Problem, displayable, judge, normalise
from .reader import too_large
from .sources import ByteSource

ENCRYPTED = 0x0001 | 0x0040 | 0x2000  # traditional or AES, strong, masked headers (APPNOTE 4.4.4)
PATCHED = 0x0020
AES_METHOD = 99
DOS_DIRECTORY = 0x10
SPECIAL_MODES = frozenset({stat.S_IFLNK, stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFCHR, stat.S_IFBLK})
READABLE_METHODS = frozenset({STORED, DEFLATED, BZIP2, LZMA})

ENCRYPTED_MEMBER = Problem("rejected", "zip_encrypted", "The file is encrypted; send it without a password.")
SPECIAL = Problem("rejected", "zip_member_special", "A link or device, not a file; links are never followed.")
FULL_FOLDER = Problem("rejected", "zip_member_special", "A folder that has content of its own.")
EMPTY = Problem("rejected", "file_empty", "The file is empty.")
OUTSIDE = Problem(
    "rejected", "member_damaged", "The file is damaged inside the zip file: it is not where it should be."
)
SUSPICIOUS = Problem("rejected", "zip_bomb", "The file would grow suspiciously when unpacked.")
DUPLICATE = Problem("rejected", "duplicate_path", "Several files of the archive have this path; none of them is taken.")


@dataclass(slots=True)
class Index:
    """What an archive holds. Folders are in neither list; an archive without any file has two empty ones."""

    members: list[Member] = field(default_factory=list)
    """Files that may be read, in ascending order of offset; no two have the same path or share a byte."""
    refused: list[Refused] = field(default_factory=list)
    name_encoding: str = "ascii"
    """How raw names were decoded: ascii, utf-8, or the one detected (see ``encodings.CODECS``)."""
    total_size: int = 0
    """Sum of the members' inflated sizes in bytes."""


def read_index(source: ByteSource, limits: ArchiveLimits) -> Index:
    """Read the central directory and decide about every entry, from its record alone.

    Raises ArchiveError if the archive as a whole is refused (see there for the codes).
    """
    directory = read_directory(source, limits)
    ends, decoder = _survey(directory, limits)
    index = Index(name_encoding=decoder.encoding)
    seen: set[str] = set()
    repeated: set[str] = set()
    for number, entry in enumerate(parse_entries(directory, limits)):
        path = normalise(decoder.decode(entry))
        if _is_folder(entry, path):
            continue
        problem = judge(path, limits.max_path_bytes) or _judge_entry(entry, path, ends[number], limits)
        if problem is None or problem.outcome == "rejected":
            (repeated if path in seen else seen).add(path)
        if problem is not None:
            shown = displayable(path, limits.max_path_bytes) or f"(entry {number + 1})"
            index.refused.append(Refused(shown, *problem))
            continue
        index.members.append(
            Member(
                index=number,
                path=path,
                offset=entry.offset,
                end=ends[number],
                compressed_size=entry.compressed_size,
                size=entry.size,
                crc=entry.crc,
                method=entry.method,
                flags=entry.flags,
                name_length=len(entry.name),
            )
        )
    _refuse_encrypted(index)
    if repeated:
        index.refused += [Refused(member.path, *DUPLICATE) for member in index.members if member.path in repeated]
        index.members = [member for member in index.members if member.path not in repeated]
    index.members.sort(key=lambda member: member.offset)
    _refuse_bomb(index, limits)
    return index


def _survey(directory: Directory, limits: ArchiveLimits) -> tuple["array[int]", NameDecoder]:
    """Walk the directory once for what needs all entries: where each one's bytes must end, and how names are encoded.

    Raises ArchiveError zip_bomb if two entries share a byte: no packer writes that, but it makes kilobytes inflate to
    gigabytes (D. Fifield, "A better zip bomb", 2019).
    """
    offsets, least_ends = array("Q"), array("Q")
    decoder = NameDecoder()
    for entry in parse_entries(directory, limits):
        # Beyond the directory nothing is valid; such entries are refused one by one.
        offsets.append(min(entry.offset, directory.start))
        least_ends.append(min(entry.offset + LOCAL_HEADER_BYTES + entry.compressed_size, directory.start + 1))
        decoder.learn(entry)
    decoder.decide()
    ends = array("Q", bytes(8 * len(offsets)))
    following = directory.start
    for number in sorted(range(len(offsets)), key=offsets.__getitem__, reverse=True):
        if least_ends[number] > following and following < directory.start:
            raise ArchiveError("zip_bomb", "The zip file is refused: its files overlap, as in a zip bomb.")
        ends[number] = following
        following = offsets[number]
    return ends, decoder


def _is_folder(entry: Entry, path: str) -> bool:
    if entry.size:
        return False
    mode = entry.attributes >> 16
    return path.endswith("/") or stat.S_ISDIR(mode) or bool(entry.attributes & DOS_DIRECTORY)


def _judge_entry(entry: Entry, path: str, end: int, limits: ArchiveLimits) -> Problem | None:
    """Say why an entry with a good path may not be read, or None."""
    if stat.S_IFMT(entry.attributes >> 16) in SPECIAL_MODES:
        return SPECIAL
    if path.endswith("/"):
        return FULL_FOLDER
    if entry.flags & ENCRYPTED or entry.method == AES_METHOD:
        return ENCRYPTED_MEMBER
    if not entry.size:
        return EMPTY
    if entry.method not in READABLE_METHODS or entry.flags & PATCHED:
        return _unsupported(entry)
    if entry.offset + LOCAL_HEADER_BYTES + len(entry.name) + entry.compressed_size > end:
        return OUTSIDE
    if entry.size > limits.max_member_bytes:
        refusal = too_large(path, limits)
        return Problem(refusal.outcome, refusal.code, refusal.message)
    if entry.size > limits.ratio_free_member_bytes and entry.size > entry.compressed_size * limits.max_member_ratio:
        return SUSPICIOUS
    return None


def _unsupported(entry: Entry) -> Problem:
    name = "patch data" if entry.flags & PATCHED else METHOD_NAMES.get(entry.method, "an unknown method")
    return Problem(
        "rejected",
        "compression_unsupported",
        f"The file is compressed with {name} (method {entry.method}); pack it with Deflate.",
    )


def _refuse_encrypted(index: Index) -> None:
    """Raise ArchiveError zip_encrypted if there are encrypted members and no other ones."""
    if index.members:
        return
    codes = {refusal.code for refusal in index.refused if refusal.outcome == "rejected"}
    if codes == {ENCRYPTED_MEMBER.code}:
        raise ArchiveError("zip_encrypted", "The zip file is encrypted; send it without a password.")


def _refuse_bomb(index: Index, limits: ArchiveLimits) -> None:
    """Sum the declared sizes, which inflating never exceeds, and raise ArchiveError zip_bomb if they are absurd."""
    index.total_size = sum(member.size for member in index.members)
    packed = sum(member.compressed_size for member in index.members)
    if index.total_size > limits.max_total_bytes:
        raise ArchiveError(
            "zip_bomb", f"The zip file would unpack to {index.total_size} bytes; at most {limits.max_total_bytes}."
        )
    if index.total_size > limits.ratio_free_total_bytes and index.total_size > packed * limits.max_total_ratio:
        raise ArchiveError("zip_bomb", "The zip file is refused: it would grow suspiciously when unpacked.")
