"""What was read becomes rows: chunk by chunk, each in one short transaction that also extends the lease."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from annotations.formats.base import Found, Item, LabelInfo, Listed, RowProblem
from annotations.models import AnnotatedImage, Annotation, AnnotationType, Kind, Label
from annotations.statistics import color_of
from deepcap.common.bulk import insert_rows
from deepcap.common.chunks import in_chunks

from .fit import fit_json
from .problems import Problems

ROWS_PER_CHUNK = 5_000
CHARACTERS_PER_CHUNK = 8 * 1024**2  # of masks and outlines, which may be long
IDS_PER_QUERY = 900
LABEL_LENGTH = 200
MOST_LABELS = 20_000
FRAMES = 2**31 - 1

LISTED = ("annotation_data", "image", "position", "annotation_count")
ANNOTATION = (
    *("item", "label", "kind", "value", "x", "y", "width", "height", "area"),
    *("counts", "polygons", "score", "frame", "extra"),
)
KINDS = {
    AnnotationType.SINGLE_LABEL: Kind.SINGLE_LABEL,
    AnnotationType.MULTI_LABEL: Kind.MULTI_LABEL,
    AnnotationType.DETECTION: Kind.BOX,
    AnnotationType.SEGMENTATION: Kind.MASK,
}

Shape = tuple[int | None, float | None, float | None, float | None, float | None, float | None, str | None]


class Rows:
    """Takes what a reader finds and writes it for one annotation data.

    ``committing`` is called inside each chunk's transaction: it extends the lease and raises LeaseLost when the rows
    are not wanted any more. The ids of the images and labels written so far are held in memory, nothing else.
    """

    def __init__(
        self, *, annotation_data_id: int, annotation_type: str, problems: Problems, committing: Callable[[int], None]
    ) -> None:
        self._data = annotation_data_id
        self._kind = KINDS[AnnotationType(annotation_type)].value
        self._shape = SHAPES[AnnotationType(annotation_type)]
        self._problems, self._committing = problems, committing
        self._labels: dict[str, int] = {}
        self._items: dict[int, int] = {}
        self._new_labels: dict[str, dict[str, Any] | None] = {}
        self._new_images: dict[int, None] = {}
        self._found: list[Found] = []
        self._characters = 0
        self.count = 0

    @property
    def images(self) -> int:
        return len(self._items)

    def take_all(self, items: Iterable[Item]) -> None:
        """Keep what ``items`` say and write it, chunk by chunk."""
        known_labels, known_images, append = self._labels, self._items, self._found.append
        for item in items:
            if item.__class__ is Found:
                image, label = item[0], item[1]
                if label not in known_labels and not self._name(label, row=item[2]):
                    continue
                if image not in known_images:
                    self._new_images[image] = None
                append(item)
                if item[5] is not None:
                    self._characters += len(item[5].counts) + 16 * sum(map(len, item[6] or ()))
            else:
                self._take_other(item)
            if len(self._found) >= ROWS_PER_CHUNK or self._characters >= CHARACTERS_PER_CHUNK:
                self.write()
        self.write()

    def write(self) -> None:
        """Write what is in hand: all of it or, when that raises, nothing."""
        try:
            self._write()
        except IntegrityError:
            if not self._drop_repeated():
                raise
            self._write()

    def _write(self) -> None:
        with transaction.atomic():
            labels, images = self._insert_labels(), self._insert_images()
            insert_rows(Annotation, ANNOTATION, self._rows({**self._labels, **labels}, images))
            self._problems.write()
            self._committing(self.count + len(self._found))
        self.count += len(self._found)
        self._labels.update(labels)
        self._items.update(images)
        self._problems.written()
        self._new_labels.clear()
        self._new_images.clear()
        self._found.clear()
        self._characters = 0

    def _rows(self, labels: dict[str, int], new: dict[int, int]) -> list[tuple[Any, ...]]:
        """Return the annotations in hand as the database takes them; what says nothing becomes a problem."""
        kind, shape_of, known = self._kind, self._shape, self._items
        rows, good = [], []
        for found in self._found:
            image, label, row, _value, _bbox, _mask, polygons, score, frame, extra = found
            try:
                shape = shape_of(found)
            except ValueError as error:
                self._refuse(row, str(error))
                continue
            good.append(found)
            rows.append(
                (
                    known.get(image) or new[image],
                    labels[label],
                    kind,
                    *shape,
                    polygons or None,
                    score,
                    frame,
                    fit_json(extra) if extra else None,
                )
            )
        if len(good) < len(self._found):
            self._found[:] = good
        return rows

    def _take_other(self, item: Item) -> None:
        if isinstance(item, RowProblem):
            self._problems.add(item)
        elif isinstance(item, Listed):
            if item.image not in self._items:
                self._new_images[item.image] = None
        elif isinstance(item, LabelInfo):
            self._name(item.name, extra=item.extra)
        if len(self._new_images) >= ROWS_PER_CHUNK or self._problems.waiting >= ROWS_PER_CHUNK:
            self.write()

    def _drop_repeated(self) -> int:
        """Drop from the rows in hand the classes that were given to their images before; return how many.

        Readers see to that; what slips through, the database refuses. Looked for only then.
        """
        if self._kind not in (Kind.SINGLE_LABEL, Kind.MULTI_LABEL):
            return 0
        written = Annotation.objects.filter(item__annotation_data=self._data)
        said: set[tuple[object, ...]] = set()
        for chunk in in_chunks(dict.fromkeys(found.image for found in self._found), IDS_PER_QUERY):
            rows = written.filter(item__image__in=chunk).values_list("item__image", "label__name", "frame")
            said.update(self._said_by(*row) for row in rows)
        kept = []
        for found in self._found:
            key = self._said_by(found.image, found.label, found.frame)
            if key in said:
                self._refuse(found.row, _("The image was labelled before."), "image")
            else:
                said.add(key)
                kept.append(found)
        dropped = len(self._found) - len(kept)
        self._found[:] = kept
        return dropped

    def _said_by(self, image: int, label: str, frame: int) -> tuple[object, ...]:
        return (image, frame) if self._kind == Kind.SINGLE_LABEL else (image, label, frame)

    def _name(self, name: str, *, row: int | None = None, extra: dict[str, Any] | None = None) -> bool:
        """Make sure that there is a label of this name; False when it cannot be one."""
        if name in self._labels or (name in self._new_labels and not extra):
            return True
        if not 0 < len(name) <= LABEL_LENGTH or "\x00" in name:
            self._refuse(
                row, _("A class needs a name of at most %(most)d characters.") % {"most": LABEL_LENGTH}, "class"
            )
            return False
        if len(self._labels) + len(self._new_labels) >= MOST_LABELS:
            self._refuse(row, _("There are more than %(most)d classes.") % {"most": MOST_LABELS}, "class")
            return False
        self._new_labels[name] = fit_json(extra)
        return True

    def _refuse(self, row: int | None, message: str, column: str = "") -> None:
        self._problems.add(RowProblem(row, column, "label_row_invalid", message))

    def _insert_labels(self) -> dict[str, int]:
        """Insert the labels in hand. Their colours are provisional: they follow from the order of all of them."""
        made = Label.objects.bulk_create(
            Label(annotation_data_id=self._data, name=name, color=color_of(number), position=number, extra=extra)
            for number, (name, extra) in enumerate(self._new_labels.items(), start=len(self._labels))
        )
        return {label.name: label.pk for label in made}

    def _insert_images(self) -> dict[int, int]:
        insert_rows(AnnotatedImage, LISTED, ((self._data, image, 0, 0) for image in self._new_images))
        ids: dict[int, int] = {}
        rows = AnnotatedImage.objects.filter(annotation_data=self._data).order_by()
        for chunk in in_chunks(self._new_images, IDS_PER_QUERY):
            ids.update(rows.filter(image__in=chunk).values_list("image", "pk"))
        return ids


def _class_of(found: Found) -> Shape:
    return (1, None, None, None, None, None, None)


def _has_or_not(found: Found) -> Shape:
    if found.value not in (0, 1):
        raise ValueError(_("The value is neither 0 nor 1."))
    return (found.value, None, None, None, None, None, None)


def _box(found: Found) -> Shape:
    if found.bbox is None:
        raise ValueError(_("There is no box."))
    x, y, width, height = found.bbox
    if not (width > 0 and height > 0):
        raise ValueError(_("The box has no area."))
    return (None, x, y, width, height, width * height, None)


def _mask(found: Found) -> Shape:
    if found.mask is None:
        raise ValueError(_("There is no mask."))
    x, y, width, height = found.bbox or found.mask.bbox
    return (None, x, y, width, height, found.mask.area, found.mask.counts)


SHAPES: dict[AnnotationType, Callable[[Found], Shape]] = {
    AnnotationType.SINGLE_LABEL: _class_of,
    AnnotationType.MULTI_LABEL: _has_or_not,
    AnnotationType.DETECTION: _box,
    AnnotationType.SEGMENTATION: _mask,
}
