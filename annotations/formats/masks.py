"""Masks as COCO keeps them: run lengths column by column, compressed to a text.

The same counts, texts, areas and boxes as pycocotools makes, which the tests hold this to.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

Bitmap = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]

MAX_PIXELS = 1 << 30
GROUP_BITS = 5
MORE = 0x20
FIRST_CHARACTER = 48
NO_RUNS = "Run lengths must be a list of whole numbers that are not negative."


class Mask(NamedTuple):
    """A binary mask of ``height`` rows and ``width`` columns; ``counts`` is COCO's compressed run-length text."""

    height: int
    width: int
    counts: str

    @classmethod
    def from_array(cls, pixels: npt.NDArray[Any]) -> Self:
        """Encode an array of rows and columns; whatever is not 0 belongs to the mask."""
        height, width = pixels.shape
        flat = np.ravel(pixels != 0, order="F")
        if not flat.size:
            raise ValueError("The mask has no pixels.")
        changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
        return cls._from_changes(height, width, np.concatenate(([0], changes)) if flat[0] else changes)

    @classmethod
    def from_runs(cls, height: int, width: int, runs: Sequence[int] | Integers) -> Self:
        """Encode run lengths, background first, as an uncompressed COCO RLE lists them.

        Raises:
            ValueError: a run is negative, or they do not add up to the size.
        """
        try:
            lengths = np.asarray(runs)
        except (OverflowError, ValueError) as error:
            raise ValueError(NO_RUNS) from error
        if lengths.ndim != 1 or lengths.dtype.kind not in "iu" or int(lengths.min()) < 0:
            raise ValueError(NO_RUNS)
        lengths = lengths.astype(np.int64)
        if int(lengths.max()) > MAX_PIXELS or int(lengths.sum()) != height * width:
            raise ValueError(f"The run lengths add up to {int(lengths.sum())}, not to {height} × {width}.")
        return cls(height, width, _compress(lengths))

    @classmethod
    def from_counts(cls, height: int, width: int, counts: str | bytes | Sequence[int]) -> Self:
        """Take COCO's ``counts``, compressed or not, after checking that they fit the size; the runs stay as they are.

        Raises:
            ValueError: they do not.
        """
        if not 0 < height * width <= MAX_PIXELS:
            raise ValueError(f"A mask of {height} × {width} pixels is not possible.")
        if isinstance(counts, bytes):
            counts = counts.decode("ascii", "replace")
        if isinstance(counts, str):
            return cls.from_runs(height, width, _expand(counts))
        return cls.from_runs(height, width, counts)

    @classmethod
    def _from_changes(cls, height: int, width: int, changes: Integers) -> Self:
        """Encode the places (strictly ascending, below height × width) at which the mask begins and ends."""
        borders = np.concatenate(([0], changes, [height * width]))
        return cls(height, width, _compress(np.diff(borders)))

    @classmethod
    def empty(cls, height: int, width: int) -> Self:
        return cls.from_runs(height, width, [height * width])

    def runs(self) -> Integers:
        """Return the run lengths, background first."""
        return _expand(self.counts)

    def decode(self) -> Bitmap:
        """Return the mask as an array of rows and columns."""
        runs = self.runs()
        values = np.zeros(len(runs), dtype=bool)
        values[1::2] = True
        return np.repeat(values, runs).reshape((self.height, self.width), order="F")

    @property
    def area(self) -> int:
        """Pixels that belong to the mask."""
        return int(self.runs()[1::2].sum())

    @property
    def bbox(self) -> tuple[float, float, float, float]:
        """The box around it (x, y, width, height); of an empty mask (0, 0, 0, 0)."""
        starts, ends = self._spans()
        if not starts.size:
            return (0.0, 0.0, 0.0, 0.0)
        last = ends - 1
        left, right = int(starts[0] // self.height), int(last[-1] // self.height)
        if np.any(starts // self.height != last // self.height):
            top, bottom = 0, self.height - 1  # a run over two columns touches the last row and the first
        else:
            top, bottom = int((starts % self.height).min()), int((last % self.height).max())
        return (float(left), float(top), float(right - left + 1), float(bottom - top + 1))

    def _spans(self) -> tuple[Integers, Integers]:
        """Return first pixel and end of every run of the mask that is not empty, counted column by column."""
        runs = self.runs()
        ends = np.cumsum(runs)
        starts = (ends - runs)[1::2]
        ends = ends[1::2]
        filled = ends > starts
        return starts[filled], ends[filled]

    def to_coco(self) -> dict[str, Any]:
        return {"size": [self.height, self.width], "counts": self.counts}


def union(masks: Iterable[Mask]) -> Mask:
    """Return what belongs to any of the masks (at least one, all of one size)."""
    return _merge(list(masks), every=False)


def area_of_union(masks: Iterable[Mask]) -> int:
    """Return how many pixels belong to any of the masks (at least one, all of one size)."""
    spans = [mask._spans() for mask in masks]
    if len(spans) == 1:
        return int((spans[0][1] - spans[0][0]).sum())
    starts = np.concatenate([start for start, _ in spans])
    ends = np.concatenate([end for _, end in spans])
    order = np.argsort(starts, kind="stable")
    starts, ends = starts[order], ends[order]
    reached = np.maximum.accumulate(ends)  # behind the last pixel of all spans up to this one
    new = starts.copy()
    new[1:] = np.maximum(starts[1:], reached[:-1])
    return int(np.maximum(reached - new, 0).sum())


def intersection(masks: Iterable[Mask]) -> Mask:
    """Return what belongs to all of the masks (at least one, all of one size)."""
    return _merge(list(masks), every=True)


def _merge(masks: list[Mask], *, every: bool) -> Mask:
    first = masks[0]
    if any((mask.height, mask.width) != (first.height, first.width) for mask in masks):
        raise ValueError("Masks of different sizes have nothing in common.")
    if len(masks) == 1:
        return first
    spans = [mask._spans() for mask in masks]
    starts = np.concatenate([start for start, _ in spans])
    ends = np.concatenate([end for _, end in spans])
    return Mask._from_changes(
        first.height, first.width, changes_of(starts, ends, len(masks) if every else 1, first.height * first.width)
    )


def changes_of(starts: Integers, ends: Integers, depth: int, size: int) -> Integers:
    """Return where the number of open spans first reaches ``depth`` and falls below it again, in ascending order."""
    places = np.concatenate((starts, ends))
    steps = np.concatenate((np.ones(len(starts), np.int64), np.full(len(ends), -1, np.int64)))
    where, inverse = np.unique(places, return_inverse=True)
    inside = np.cumsum(np.bincount(inverse, weights=steps, minlength=len(where)).astype(np.int64)) >= depth
    turns = inside != np.concatenate(([False], inside[:-1]))
    changes: Integers = where[turns]
    return changes[changes < size]


def _compress(runs: Integers) -> str:
    """Write run lengths as differences to the run before the last, five bits a character (COCO's rleToString)."""
    values = runs.astype(np.int64, copy=True)
    values[3:] -= runs[1:-2]
    groups = np.ones(len(values), dtype=np.int64)
    for length in range(1, 8):
        limit = 1 << (GROUP_BITS * length - 1)
        groups[(values >= limit) | (values < -limit)] = length + 1
    longest = int(groups.max())
    places = np.arange(longest)
    digits = (values[:, None] >> (GROUP_BITS * places)) & 0x1F
    digits |= np.where(places < (groups[:, None] - 1), MORE, 0)
    characters = (digits + FIRST_CHARACTER).astype(np.uint8)
    return characters[places < groups[:, None]].tobytes().decode("ascii")


def _expand(text: str) -> Integers:
    """Read COCO's compressed counts (rleFrString); ``ValueError`` if they are none."""
    if not text.isascii():
        raise ValueError("The counts are no compressed run lengths.")
    digits = np.frombuffer(text.encode("ascii"), dtype=np.uint8).astype(np.int64) - FIRST_CHARACTER
    if not digits.size or int(digits.min()) < 0 or int(digits.max()) > 0x3F or digits[-1] & MORE:
        raise ValueError("The counts are no compressed run lengths.")
    last = np.flatnonzero((digits & MORE) == 0)
    first = np.concatenate(([0], last[:-1] + 1))
    lengths = last - first + 1
    if int(lengths.max()) > 7:
        raise ValueError("The counts hold a number that is too large.")
    shifts = GROUP_BITS * (np.arange(len(digits)) - np.repeat(first, lengths))
    values = np.add.reduceat((digits & 0x1F) << shifts, first)
    values -= np.where(digits[last] & 0x10, np.int64(1) << (GROUP_BITS * lengths), 0)
    runs: Integers = values
    runs[1::2] = np.cumsum(values[1::2])
    runs[2::2] = np.cumsum(values[2::2])
    return runs
