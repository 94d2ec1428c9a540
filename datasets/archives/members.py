"""A member of an archive, the refusal of one, and how members are cut into batches."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from .limits import MIB

LOCAL_HEADER_BYTES = 30
MAX_GAP_BYTES = 1 * MIB

Outcome = Literal["rejected", "skipped"]


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive, as its central directory describes it."""

    index: int
    """Place in the central directory, from 0."""
    path: str
    """Path inside the archive: ``/`` between folders, never absolute, no ``.`` or ``..``, no control characters."""
    offset: int
    """Where its local header starts in the source, prepended bytes included."""
    end: int
    """Where the next entry, or the central directory, starts: this member's bytes lie before it."""
    compressed_size: int
    size: int
    crc: int
    """CRC-32 of the inflated bytes."""
    method: int
    """Compression method, APPNOTE 4.4.5."""
    flags: int
    """General purpose bit flags, APPNOTE 4.4.4."""
    name_length: int
    """Length of the raw file name in bytes, which the local header must repeat."""

    @property
    def least_end(self) -> int:
        """Where the member ends if its local header carries no extra field."""
        return self.offset + LOCAL_HEADER_BYTES + self.name_length + self.compressed_size

    def to_json(self) -> list[int | str]:
        """Return the fields as a flat list, fit for a JSON column; ``from_json`` reads it back."""
        return [
            self.index,
            self.path,
            self.offset,
            self.end,
            self.compressed_size,
            self.size,
            self.crc,
            self.method,
            self.flags,
            self.name_length,
        ]

    @classmethod
    def from_json(cls, fields: Sequence[int | str]) -> "Member":
        """Rebuild a member from ``to_json``; raises ValueError for a list of another shape."""
        if len(fields) != 10:
            raise ValueError(f"A member has 10 fields, not {len(fields)}.")
        index, path, *numbers = fields
        return cls(int(index), str(path), *map(int, numbers))


@dataclass(frozen=True, slots=True)
class Refused:
    """One member that will not be read: ``code`` is stable, ``message`` is a sentence for the ingest report.

    ``path`` is safe to store and show (control characters replaced, cut to the longest path allowed).
    """

    path: str
    outcome: Outcome
    code: str
    message: str


def contiguous(members: Sequence[Member]) -> Iterator[list[Member]]:
    """Split members into runs that are worth one sequential read: in ascending order, no large hole between two."""
    run: list[Member] = []
    for member in members:
        if run and not run[-1].end <= member.offset <= run[-1].least_end + MAX_GAP_BYTES:
            yield run
            run = []
        run.append(member)
    if run:
        yield run


def batches(members: Sequence[Member], *, max_members: int = 200, max_bytes: int = 64 * MIB) -> Iterator[list[Member]]:
    """Cut an index's members into batches of work; the same members always give the same batches.

    Each batch is one contiguous run with at most ``max_members`` members and ``max_bytes`` inflated (or compressed,
    if that is more) bytes; a member larger than that is a batch of its own.
    """
    for run in contiguous(members):
        batch: list[Member] = []
        filled = 0
        for member in run:
            weight = max(member.size, member.compressed_size)
            if batch and (len(batch) == max_members or filled + weight > max_bytes):
                yield batch
                batch, filled = [], 0
            batch.append(member)
            filled += weight
        yield batch
