"""Reading zip archives: where they lie, without unpacking them, trusting nothing they say.

``read_index`` reads the central directory and decides about every entry; ``batches`` cuts the members into pieces of
work; ``read_members`` reads one piece in one sequential pass; ``open_member`` streams a single one. All of them work on
any ``ByteSource``.
"""

from .index import Index, read_index
from .inflate import DamagedError
from .limits import ArchiveError, ArchiveLimits
from .members import Member, Refused, batches
from .paths import is_packed_volume
from .reader import Allocate, read_members, too_large
from .sources import ByteSource, ByteStream, FileSource
from .streams import open_member, open_whole

__all__ = [
    "Allocate",
    "ArchiveError",
    "ArchiveLimits",
    "ByteSource",
    "ByteStream",
    "DamagedError",
    "FileSource",
    "Index",
    "Member",
    "Refused",
    "batches",
    "is_packed_volume",
    "open_member",
    "open_whole",
    "read_index",
    "read_members",
    "too_large",
]
