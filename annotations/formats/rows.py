"""Rows of files with commas (or semicolons, or tabs), and what may not stand in one image twice."""

from __future__ import annotations

import csv
import re
from array import array
from collections.abc import Iterable, Iterator
from typing import TextIO

MAX_FIELD = 256 * 1024 * 1024  # a mask of the largest image; the csv module's own 128 KiB are too few
FORMULA = re.compile(r"'*[=+\-@\t\r]")
ESCAPED = re.compile(r"'+[=+\-@\t\r]")
SEPARATORS = ",;\t"
BLOCK = 256 * 1024 * 1024

csv.field_size_limit(MAX_FIELD)

Row = tuple[int, list[str]]


def separator(lines: Iterable[str]) -> str:
    """Tell what separates the fields: a comma, unless no line has one and most have something else."""
    sample = [line for line in lines if line.strip()]
    if any("," in line for line in sample):
        return ","
    counts = {mark: sum(mark in line for line in sample) for mark in SEPARATORS[1:]}
    best = max(counts, key=counts.__getitem__)
    return best if sample and counts[best] * 2 > len(sample) else ","


def read_rows(stream: TextIO, delimiter: str) -> Iterator[Row | csv.Error]:
    """Yield each row with its number, from 1 and empty ones counted; a fault of the reader instead of a row."""
    reader = csv.reader(stream, delimiter=delimiter)
    row = 0
    while True:
        row += 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield csv.Error(row, str(error))
            continue
        yield row, fields


def escape(text: str) -> str:
    """Put an apostrophe before what a spreadsheet would take for a formula; ``unescape`` takes it away."""
    return "'" + text if FORMULA.match(text) else text


def unescape(text: str) -> str:
    return text[1:] if text[:1] == "'" and ESCAPED.match(text) else text


class OncePerImage:
    """Remembers in which row a label was given for an image: one number for each pair, or a table for many rows."""

    def __init__(self, images: int):
        self._images = images
        self._rows: dict[int, array[int]] = {}
        self._sparse: dict[tuple[int, int], int] = {}

    def first(self, label: int, image: int, row: int) -> int:
        """Return the row that spoke of this label and image before, else 0 and remember this one."""
        rows = self._rows.get(label)
        if rows is None:
            if (len(self._rows) + 1) * self._images * 4 > BLOCK:
                return self._first_sparse(label, image, row)
            rows = self._rows[label] = array("I", bytes(4 * self._images))
        earlier = rows[image]
        if not earlier:
            rows[image] = row
        return earlier

    def _first_sparse(self, label: int, image: int, row: int) -> int:
        earlier = self._sparse.get((label, image), 0)
        if not earlier:
            self._sparse[label, image] = row
        return earlier
