"""CSV with a header: which column says what, told by the options or guessed from the names."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from . import checks
from .base import (
    DETECTION,
    MULTI_LABEL,
    SINGLE_LABEL,
    AnnotationType,
    Found,
    ImageRef,
    Item,
    ItemOut,
    LabelError,
    LabelSet,
    Listed,
    Options,
    OutMember,
    Output,
    SideFile,
    folder,
    stem,
)
from .images import Images
from .labelcsv import csv_rows, is_csv
from .rows import OncePerImage, unescape
from .text import open_text

NAMES: dict[str, str] = {
    "image": "image imageid imagename imageindex imagepath img imgid imgpath imgname file filename filepath path "
    "patientimage dicom imagefile",
    "label": "label labels class classname category categoryname object objectname target finding diagnosis dx "
    "findinglabel findinglabels",
    "value": "value present presence onehot positive",
    "x": "x xleft left bboxx xtop",
    "y": "y ytop top bboxy",
    "width": "w width bboxw bboxwidth boxwidth",
    "height": "h height bboxh bboxheight boxheight",
    "xmin": "xmin x1 x0 minx",
    "ymin": "ymin y1 y0 miny",
    "xmax": "xmax x2 maxx right",
    "ymax": "ymax y2 maxy bottom",
    "score": "score confidence probability",
}
MEANINGS = {name: meaning for meaning, names in NAMES.items() for name in names.split()}
SIZE = ("x", "y", "width", "height")
CORNERS = ("xmin", "ymin", "xmax", "ymax")
ANY_PLACE = ("image", "label", "value", "score", *SIZE, *CORNERS)
SAMPLE = 200


class HeaderCsv:
    key = "csv-header"
    title = "CSV with a header"
    reads = (SINGLE_LABEL, MULTI_LABEL, DETECTION)
    writes = ()

    def sniff(self, files: Sequence[SideFile], images: Images) -> tuple[list[LabelSet], list[SideFile]]:
        sets: list[LabelSet] = []
        claimed: list[SideFile] = []
        for file in files:
            if not is_csv(file.path):
                continue
            columns = guess(file)
            if "image" not in columns or len(columns) < 2 or _names_an_image(file, images):
                continue
            claimed.append(file)
            name = stem(file.path)
            sets.append(LabelSet(self.key, type_of(columns), [file], name, "_" + name, {"columns": columns}))
        return sets, claimed

    def read(self, label_set: LabelSet, images: Images, options: Options) -> Iterator[Item]:
        encoding = str(options.get("encoding", ""))
        for file in label_set.files:
            try:
                columns = options.get("columns") or guess(file, encoding)
                kind = label_set.annotation_type or type_of(columns)
                if kind not in self.reads:
                    raise LabelError("A file with a header cannot hold masks.", code="label_file_invalid")
                with open_text(file, encoding) as stream:
                    yield from _Reader(file.path, columns, kind, images).read(csv_rows(stream))
            except LabelError as error:
                yield error.at(None, file.path)
            except UnicodeDecodeError:
                yield LabelError("The file's encoding is not the stated one.", code="label_encoding_unknown").at(
                    None, file.path
                )

    def write(self, output: Output, items: Iterable[ItemOut]) -> Iterator[OutMember]:
        raise NotImplementedError("CSV is written without a header.")


def header_of(file: SideFile, encoding: str = "") -> list[str]:
    """Return the names in the file's first row, for a person to say which column is what."""
    with open_text(file, encoding) as stream:
        first = next(csv_rows(stream), None)
    return [name.strip() for name in first[1]] if isinstance(first, tuple) else []


def guess(file: SideFile, encoding: str = "") -> dict[str, Any]:
    """Return the column for each meaning that the header's names tell; {} where there is no header.

    A table with one column of 0 and 1 for each class has these columns under "labels".
    """
    try:
        with open_text(file, encoding) as stream:
            rows = [row[1] for row in islice(csv_rows(stream), SAMPLE) if isinstance(row, tuple) and row[1]]
    except (LabelError, UnicodeDecodeError):
        return {}
    if not rows or any(_is_number(name) for name in rows[0]):
        return {}
    columns: dict[str, Any] = {}
    for name in rows[0]:
        meaning = MEANINGS.get(re.sub(r"[^a-z0-9]", "", name.lower()))
        if meaning is not None:
            columns.setdefault(meaning, name.strip())
    if "image" in columns and "label" not in columns:
        taken = set(columns.values())
        flags = [
            name.strip()
            for place, name in enumerate(rows[0])
            if name.strip() not in taken and all(row[place : place + 1] in (["0"], ["1"]) for row in rows[1:])
        ]
        if flags and len(rows) > 1:
            columns["labels"] = flags
    return columns


def type_of(columns: Mapping[str, Any]) -> AnnotationType:
    if all(name in columns for name in SIZE) or all(name in columns for name in CORNERS):
        return DETECTION
    return MULTI_LABEL if "labels" in columns or "value" in columns else SINGLE_LABEL


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _names_an_image(file: SideFile, images: Images) -> bool:
    header = header_of(file)
    try:
        images.find(header[0], beside=folder(file.path))
    except LabelError:
        return False
    return True


class _Reader:
    """Reads rows by the place of each column."""

    def __init__(self, path: str, columns: Mapping[str, Any], kind: AnnotationType, images: Images):
        self.path, self.columns, self.kind, self.images = path, columns, kind, images
        self.beside = folder(path)
        self.once = OncePerImage(len(images))
        self.numbers: dict[str, int] = {}
        self.first_label: dict[int, str] = {}

    def read(self, rows: Iterator[tuple[int, list[str]] | csv.Error]) -> Iterator[Item]:
        header = next(rows, None)
        if not isinstance(header, tuple):
            raise LabelError("The file is empty.", code="label_file_empty")
        places = self._places([name.strip() for name in header[1]])
        for line in rows:
            if isinstance(line, csv.Error):
                yield LabelError(f"The row cannot be read: {line.args[1]}.").at(line.args[0], self.path)
                continue
            row, fields = line
            if not any(fields):
                continue
            try:
                if len(fields) < len(header[1]):
                    raise LabelError(f"The row has {len(fields)} columns, the header {len(header[1])}.")
                values = {meaning: fields[place] for meaning, place in places.items()}
                image = self.images.find(unescape(values["image"]), beside=self.beside)
            except LabelError as error:
                yield error.at(row, self.path)
                continue
            yield from self._items(image, values, row)

    def _places(self, header: list[str]) -> dict[str, int]:
        wanted = {meaning: name for meaning, name in self.columns.items() if meaning in ANY_PLACE}
        wanted |= {f"label:{name}": name for name in self.columns.get("labels", ())}
        missing = [name for name in wanted.values() if name not in header]
        if missing:
            raise LabelError(f"The file has no column “{missing[0]}”.", code="label_file_invalid")
        if "image" not in wanted:
            raise LabelError("No column is said to name the image.", code="label_file_invalid")
        return {meaning: header.index(name) for meaning, name in wanted.items()}

    def _items(self, image: ImageRef, values: Mapping[str, str], row: int) -> Iterator[Item]:
        flags = [name for name in values if name.startswith("label:")]
        if flags and self.kind == MULTI_LABEL:
            for name in flags:
                yield from self._caught(row, lambda name=name: self._flag(image, name[6:], values[name], row))  # type: ignore[misc]
            return
        label = values.get("label", "").strip()
        boxed = any(values.get(name, "").strip() for name in (*SIZE, *CORNERS))
        if not label and self.kind != SINGLE_LABEL and not boxed and not values.get("value", "").strip():
            yield Listed(image.id, row)
            return
        yield from self._caught(row, lambda: self._found(image, values, row))

    def _caught(self, row: int, make: Any) -> Iterator[Item]:
        try:
            found = make()
        except LabelError as error:
            yield error.at(row, self.path)
        else:
            if found is not None:
                yield found

    def _found(self, image: ImageRef, values: Mapping[str, str], row: int) -> Found | None:
        label = checks.label_name(unescape(values.get("label", "")), self.columns.get("label", "class"))
        if self.kind == MULTI_LABEL:
            return self._flag(image, label, values.get("value", "1"), row)
        if self.kind == SINGLE_LABEL:
            earlier = self.once.first(0, image.place, row)
            if earlier and self.first_label[image.place] != label:
                raise LabelError(f"The image has another class already, in row {earlier}.", code="label_conflict")
            self.first_label.setdefault(image.place, label)
            return None if earlier else Found(image.id, label, row, 1)
        meanings = SIZE if all(name in values for name in SIZE) else CORNERS
        if any(name not in values for name in meanings):
            raise LabelError("The file has no columns for a box.", code="label_file_invalid")
        x, y, a, b = (checks.number(values[name], self.columns[name]) for name in meanings)
        box = checks.box(x, y, a, b, image) if meanings is SIZE else checks.box(x, y, a - x, b - y, image)
        text = values.get("score", "").strip()
        return Found(image.id, label, row, None, box, score=checks.score(text, self.columns["score"]) if text else None)

    def _flag(self, image: ImageRef, name: str, text: str, row: int) -> Found | None:
        label = checks.label_name(name)
        value = text.strip()
        if value not in ("0", "1"):
            raise LabelError(f"The value is “{value[:40]}”; it must be 0 or 1.", column=label)
        number = self.numbers.setdefault(label, len(self.numbers) + 1)
        earlier = self.once.first(2 * number + int(value), image.place, row)
        if self.once.first(2 * number + 1 - int(value), image.place, 0):
            raise LabelError("The image has this class with the other value already.", code="label_conflict")
        return None if earlier else Found(image.id, label, row, int(value))
