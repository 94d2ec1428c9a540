"""label.csv: no header, the image in the first column; the number of columns tells what the rows say.

2: image, class. 3: image, class, 0 or 1. 6: image, class, x, y, width, height. 5: image, class, width and height of the
image, mask. A row with the image alone says that there is nothing to label on it.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

from . import checks
from .base import (
    ALL_TYPES,
    DETECTION,
    MULTI_LABEL,
    SEGMENTATION,
    SINGLE_LABEL,
    AnnotationType,
    Found,
    Item,
    ItemOut,
    LabelError,
    LabelSet,
    Listed,
    Options,
    OutAnnotation,
    OutMember,
    Output,
    SideFile,
    folder,
    stem,
)
from .bits import decode_bits, encode_bits
from .images import Images
from .masks import union
from .orientation import Placement
from .rows import OncePerImage, Row, escape, read_rows, separator, unescape
from .text import open_text

SAMPLE = 1000  # rows that decide what a file is
WORDS: dict[AnnotationType, str] = {
    SINGLE_LABEL: "image, class",
    MULTI_LABEL: "image, class, 0 or 1",
    DETECTION: "image, class, x, y, width, height",
    SEGMENTATION: "image, class, image width, image height, mask",
}
COLUMNS: dict[AnnotationType, int] = {SINGLE_LABEL: 2, MULTI_LABEL: 3, SEGMENTATION: 5, DETECTION: 6}
TYPES = {count: kind for kind, count in COLUMNS.items()}
LITTLE = "#bitorder=little"
FLUSH = 64 * 1024


class LabelCsv:
    key = "csv"
    title = "CSV without a header (label.csv)"
    reads = ALL_TYPES
    writes = ALL_TYPES

    def sniff(self, files: Sequence[SideFile], images: Images) -> tuple[list[LabelSet], list[SideFile]]:
        sets: list[LabelSet] = []
        claimed: list[SideFile] = []
        for file in files:
            if not is_csv(file.path):
                continue
            claimed.append(file)
            name = stem(file.path)
            sets.append(LabelSet(self.key, type_of(file), [file], name, "_" + name))
        return sets, claimed

    def read(self, label_set: LabelSet, images: Images, options: Options) -> Iterator[Item]:
        encoding = str(options.get("encoding", ""))
        for file in label_set.files:
            try:
                kind = label_set.annotation_type or type_of(file, encoding)
                if kind is None:
                    raise _no_labels(file, encoding)
                with open_text(file, encoding) as stream:
                    yield from _read(stream, file.path, kind, images)
            except LabelError as error:
                yield error.at(None, file.path)
            except UnicodeDecodeError as error:
                yield LabelError(
                    f"The file is not {error.encoding}: byte {error.start} is none of its letters.",
                    code="label_encoding_unknown",
                ).at(None, file.path)

    def write(self, output: Output, items: Iterable[ItemOut]) -> Iterator[OutMember]:
        yield OutMember(f"{output.name}.csv", _lines(output.annotation_type, items))


def is_csv(path: str) -> bool:
    return path.lower().endswith((".csv", ".tsv"))


def type_of(file: SideFile, encoding: str = "") -> AnnotationType | None:
    """Tell by the number of columns of the first rows; None if no row says anything, or in an unknown encoding."""
    try:
        with open_text(file, encoding) as stream:
            counts = Counter(
                len(fields)
                for fields in (row[1] for row in islice(csv_rows(stream), SAMPLE) if not isinstance(row, csv.Error))
                if len(fields) in TYPES and not fields[0].startswith("#")
            )
    except (LabelError, UnicodeDecodeError):
        return None
    return TYPES[max(counts, key=lambda count: (counts[count], -count))] if counts else None


def _no_labels(file: SideFile, encoding: str) -> LabelError:
    """Return what is wrong with a file of which no row is one of labels. Raises LabelError in an unknown encoding."""
    with open_text(file, encoding) as stream:
        rows = (row[1] for row in islice(csv_rows(stream), SAMPLE) if not isinstance(row, csv.Error))
        if not any(field.strip() for fields in rows for field in fields):
            return LabelError("The file is empty.", code="label_file_empty")
    return LabelError(
        "No row has 2, 3, 5 or 6 columns, separated by commas, semicolons or tabs.", code="label_file_invalid"
    )


def csv_rows(stream: Any) -> Iterator[Row | csv.Error]:
    """Read the rows, whatever separates the fields."""
    start = stream.read(FLUSH)
    rest = start.rsplit("\n", 1)[-1]
    mark = separator(start[: len(start) - len(rest)].splitlines() or start.splitlines())
    return read_rows(_Again(start, stream), mark)  # type: ignore[arg-type]


class _Again:
    """A stream whose first part was read already, line by line; the csv module asks for no more."""

    def __init__(self, start: str, stream: Any):
        head = io.StringIO(start, newline="")
        lines = list(head)
        last = lines.pop() if lines and not lines[-1].endswith("\n") else ""
        self._lines = chain(lines, [last + stream.readline()] if last else [], stream)

    def __iter__(self) -> Iterator[str]:
        return self._lines


def _read(stream: Any, path: str, kind: AnnotationType, images: Images) -> Iterator[Item]:
    rows = csv_rows(stream)
    beside = folder(path)
    columns = COLUMNS[kind]
    parse = _parsers(images)[kind]
    labels: dict[str, int] = {}
    names: dict[str, str] = {}
    last_reference: str | None = None
    little = False
    for line in rows:
        if isinstance(line, csv.Error):
            number, text = line.args
            yield LabelError(f"The row cannot be read: {text}.").at(number, path)
            continue
        row, fields = line
        try:
            if len(fields) != columns:
                if not fields or not any(fields):
                    continue
                if row == 1 and fields[0].strip() == LITTLE:
                    little = True
                    continue
                fields = _trimmed(fields, kind)
            reference = fields[0]
            if reference != last_reference:
                image = images.find(unescape(reference), beside=beside)
                last_reference = reference
            if len(fields) == 1:
                yield Listed(image.id, row)
                continue
            label = names.get(fields[1])
            if label is None:
                label = names[fields[1]] = checks.label_name(unescape(fields[1]))
            number = labels.setdefault(label, len(labels) + 1)
            found = parse(image, label, number, fields, row, little)
            if found is not None:
                yield found
        except LabelError as error:
            yield error.at(row, path)


def _trimmed(fields: list[str], kind: AnnotationType) -> list[str]:
    """Return the row of another length if it names an image alone; else say what is wrong with it."""
    filled = len(fields)
    while filled and not fields[filled - 1].strip():
        filled -= 1
    if filled <= 1 and fields[0].strip():
        if kind != SINGLE_LABEL and len(fields) == 1:
            return fields[:1]
        if kind == SINGLE_LABEL:
            raise LabelError("The class is empty.", column="class")
    other = TYPES.get(len(fields))
    if other is not None:
        raise LabelError(
            f"The row has {len(fields)} columns ({WORDS[other]}), the file's rows have {COLUMNS[kind]} "
            f"({WORDS[kind]}).",
            code="label_kinds_mixed",
        )
    raise LabelError(f"The row has {len(fields)} columns, not {COLUMNS[kind]} ({WORDS[kind]}).")


Parser = Callable[[Any, str, int, list[str], int, bool], Found | None]


def _parsers(images: Images) -> dict[AnnotationType, Parser]:
    once = OncePerImage(len(images))
    classes: dict[int, int] = {}

    def single(image: Any, label: str, number: int, fields: list[str], row: int, little: bool) -> Found | None:
        earlier = once.first(0, image.place, row)
        if not earlier:
            classes[image.place] = number
            return Found(image.id, label, row, 1)
        if classes[image.place] != number:
            raise LabelError(
                f"The image has another class already, in row {earlier}.", column="class", code="label_conflict"
            )
        return None

    def multi(image: Any, label: str, number: int, fields: list[str], row: int, little: bool) -> Found | None:
        value = fields[2].strip()
        if value not in ("0", "1"):
            raise LabelError(
                f"The value is {f'“{value[:40]}”' if value else 'empty'}; it must be 0 or 1.", column="value"
            )
        earlier = once.first(2 * number + int(value), image.place, row)
        if once.first(2 * number + 1 - int(value), image.place, 0):
            raise LabelError("The image has this class with the other value already.", code="label_conflict")
        return None if earlier else Found(image.id, label, row, int(value))

    def boxed(image: Any, label: str, number: int, fields: list[str], row: int, little: bool) -> Found:
        try:
            x, y, width, height = float(fields[2]), float(fields[3]), float(fields[4]), float(fields[5])
            sound = width > 0 and height > 0 and x >= 0 and y >= 0
            sound = sound and x + width <= image.width and y + height <= image.height
        except ValueError:
            sound = False
        if sound:
            return Found(image.id, label, row, None, (x, y, width, height))
        x, y, width, height = (checks.number(text, name) for text, name in zip(fields[2:], BOX_COLUMNS, strict=True))
        return Found(image.id, label, row, None, checks.box(x, y, width, height, image))

    def masked(image: Any, label: str, number: int, fields: list[str], row: int, little: bool) -> Found:
        width, height = (_size(text, name) for text, name in zip(fields[2:4], SIZE_COLUMNS, strict=True))
        placement = Placement(image, width, height, SIZE_COLUMNS[0])
        mask = checks.filled(decode_bits(fields[4], width, height, little=little))
        earlier = once.first(number, image.place, row)
        if earlier:
            raise LabelError(
                f"The image has a mask of this class already, in row {earlier}.", code="label_conflict", column="class"
            )
        return Found(image.id, label, row, mask=placement.mask(mask))

    return {SINGLE_LABEL: single, MULTI_LABEL: multi, DETECTION: boxed, SEGMENTATION: masked}


BOX_COLUMNS = ("x", "y", "width", "height")
SIZE_COLUMNS = ("image width", "image height")


def _size(text: str, column: str) -> int:
    value = checks.number(text, column)
    if value != int(value) or value <= 0:
        raise LabelError(f"“{text[:40]}” is not a size in pixels.", column=column)
    return int(value)


def _lines(kind: AnnotationType, items: Iterable[ItemOut]) -> Iterator[bytes]:
    buffer = io.StringIO(newline="")
    table = csv.writer(buffer, lineterminator="\n")
    for item in items:
        path = escape(item.image.path)
        if not item.annotations and kind != SINGLE_LABEL:
            table.writerow([path])
        for row in _fields(kind, item):
            table.writerow([path, *row])
        if buffer.tell() > FLUSH:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()


def _fields(kind: AnnotationType, item: ItemOut) -> Iterator[list[object]]:
    for annotation in item.annotations if kind != SEGMENTATION else _per_class(item.annotations):
        label = escape(annotation.label)
        if kind == SINGLE_LABEL:
            yield [label]
        elif kind == MULTI_LABEL:
            yield [label, annotation.value]
        elif kind == DETECTION and annotation.bbox is not None:
            yield [label, *(plain(value) for value in annotation.bbox)]
        elif annotation.mask is not None:
            yield [label, annotation.mask.width, annotation.mask.height, encode_bits(annotation.mask)]


def _per_class(annotations: Sequence[OutAnnotation]) -> Iterator[OutAnnotation]:
    """Join the masks of one class: an image has one row for each."""
    by_label: dict[str, list[OutAnnotation]] = {}
    for annotation in annotations:
        by_label.setdefault(annotation.label, []).append(annotation)
    for several in by_label.values():
        if len(several) == 1:
            yield several[0]
        else:
            yield several[0]._replace(mask=union(one.mask for one in several if one.mask is not None))


def plain(value: float) -> str:
    """Write a number as short as it can be read back: 5 and not 5.0."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
