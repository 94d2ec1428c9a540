"""What a member's name may be: safe paths, junk that operating systems leave behind, archives inside the archive."""

import re
from typing import NamedTuple

from .members import Outcome

CONTROL_CHARACTERS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")
DRIVE = re.compile(r"[A-Za-z]:")

JUNK_FOLDER = "/__macosx/"
JUNK_NAMES = frozenset({".ds_store", "thumbs.db", "desktop.ini", "icon\r"})
ARCHIVE_SUFFIXES = (".zip", ".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".txz", ".zst", ".tzst")

ARCHIVE_SIGNATURES = (
    b"PK\x03\x04",  # zip
    b"PK\x05\x06",  # zip without members
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\x07",
    b"\x1f\x8b\x08",  # gzip
    b"\xfd7zXZ\x00",
    b"\x28\xb5\x2f\xfd",  # zstd
)
TAR_SIGNATURE = slice(257, 262)
BZIP2 = re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)")


class Problem(NamedTuple):
    """Why a member is refused; the same words for every member with this fate."""

    outcome: Outcome
    code: str
    message: str


NAMELESS = Problem("rejected", "zip_path_unsafe", "The entry has no file name.")
CLIMBS = Problem("rejected", "zip_path_unsafe", "The path leads out of the archive (it contains “..”).")
ABSOLUTE = Problem("rejected", "zip_path_unsafe", "The path is absolute; paths must lie inside the archive.")
CONTROLS = Problem("rejected", "zip_path_unsafe", "The path contains control characters.")
TOO_LONG = Problem("rejected", "path_too_long", "The path is too long.")
JUNK = Problem("skipped", "junk", "A file the operating system keeps for itself; not an image.")
DICOMDIR = Problem("skipped", "junk", "The directory of a DICOM file-set; not an image itself.")
NESTED = Problem("rejected", "nested_archive", "An archive inside the archive is not opened; unpack it first.")


def normalise(name: str) -> str:
    """Return the name with ``/`` between folders, without empty and ``.`` parts; a leading ``/`` stays."""
    path = name.replace("\\", "/") if "\\" in name else name
    if "//" not in path and "./" not in path and not path.endswith("/.") and path != ".":
        return path
    root = "/" if path.startswith("/") else ""
    tail = "/" if path.endswith(("/", "/.")) else ""
    inner = "/".join(part for part in path.split("/") if part not in ("", "."))
    return root + inner + tail if inner else root


def judge(path: str, max_bytes: int) -> Problem | None:
    """Say what is wrong with a normalised path of a file, or None if the file may be read."""
    if not path:
        return NAMELESS
    base = path.rpartition("/")[2]
    lowered = base.lower()
    if CONTROL_CHARACTERS.search(path) and lowered != "icon\r":
        return CONTROLS
    if path[0] == "/" or DRIVE.match(path):
        return ABSOLUTE
    if ".." in path and ".." in path.split("/"):
        return CLIMBS
    if len(path) * 4 > max_bytes and len(path.encode()) > max_bytes:
        return TOO_LONG
    if lowered in JUNK_NAMES or base.startswith("._") or JUNK_FOLDER in f"/{path.lower()}":
        return JUNK
    if lowered == "dicomdir":
        return DICOMDIR
    if lowered.endswith(ARCHIVE_SUFFIXES) and not is_packed_volume(lowered):
        return NESTED
    return None


def is_packed_volume(path: str) -> bool:
    """Tell by its name whether a file is a compressed NIfTI volume: gzip around one volume, no archive."""
    return path.lower().endswith(".nii.gz")


def displayable(path: str, max_bytes: int) -> str:
    """Return the path fit to be stored and shown: no control characters, at most ``max_bytes`` of UTF-8."""
    shown = CONTROL_CHARACTERS.sub("\N{REPLACEMENT CHARACTER}", path)
    encoded = shown.encode()
    if len(encoded) <= max_bytes:
        return shown
    return encoded[: max_bytes - 3].decode(errors="ignore") + "…"


def is_archive(content: bytes | memoryview) -> bool:
    """Tell by its first bytes whether a file is an archive; a DICOM file (PS3.10, 7.1) may carry anything in front."""
    if content[128:132] == b"DICM":
        return False
    start = bytes(content[: TAR_SIGNATURE.stop])
    return start.startswith(ARCHIVE_SIGNATURES) or start[TAR_SIGNATURE] == b"ustar" or BZIP2.match(start) is not None
