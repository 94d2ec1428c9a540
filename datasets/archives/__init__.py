"""Reading zip archives: where they lie, without unpacking them, trusting nothing they say.

``read_index`` reads the central directory and decides about every entry; ``batches`` cuts the members into pieces of
work; ``read_members`` reads one piece in one sequential pass. All three work on any ``ByteSource``.
"""

from .index import Index, read_index
from .limits import ArchiveError, ArchiveLimits
from .members import Member, Refused, batches
from .reader import read_members
from .sources import ByteSource, ByteStream, FileSource

__all__ = [
    "ArchiveError",
    "ArchiveLimits",
    "ByteSource",
    "ByteStream",
    "FileSource",
    "Index",
    "Member",
    "Refused",
    "batches",
    "read_index",
    "read_members",
]
