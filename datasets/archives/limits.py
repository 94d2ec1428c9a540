"""What an archive may ask of us, and the refusal of a whole archive."""

from dataclasses import dataclass

KIB = 1024
MIB = 1024 * KIB
GIB = 1024 * MIB


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """Ceilings that are checked before the work they bound is begun.

    DEFLATE cannot expand by more than about 1032:1, and an empty slice or a sparse Segmentation comes close to that
    honestly. A high ratio alone therefore proves nothing: the ratio of a member counts only above
    ``ratio_free_member_bytes``, that of the archive only above ``ratio_free_total_bytes``; below them the absolute
    ceilings suffice.
    """

    max_archive_bytes: int = 20 * GIB
    """Size of the zip file itself."""
    max_entries: int = 2_000_000
    """Entries of the central directory, folders and junk included. An entry costs about half a KiB of memory."""
    max_directory_bytes: int = 512 * MIB
    """Size of the central directory, which is held in memory while it is parsed."""
    max_path_bytes: int = 1024
    """Length of a member's path in UTF-8."""
    max_member_bytes: int = 4 * GIB
    """Inflated size of one member, which is held in memory. DICOM's own ceiling for native Pixel Data (32-bit length);
    set it lower where a worker has less memory."""
    max_total_bytes: int = 256 * GIB
    """Sum of the declared inflated sizes."""
    max_member_ratio: int = 900
    """Inflated : compressed, of a member larger than ``ratio_free_member_bytes``."""
    ratio_free_member_bytes: int = 64 * MIB
    max_total_ratio: int = 100
    """Inflated : compressed, of an archive whose sizes sum to more than ``ratio_free_total_bytes``."""
    ratio_free_total_bytes: int = 1 * GIB


class ArchiveError(Exception):
    """The whole archive is refused: ``code`` is stable, ``message`` is a sentence for the person who sent it.

    Codes: ``zip_invalid`` (not a zip), ``zip_damaged``, ``zip_encrypted`` (every member), ``zip_bomb``,
    ``zip_too_many_entries``, ``zip_too_large``, ``zip_multi_disk``.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message

    def __str__(self) -> str:
        return self.message
