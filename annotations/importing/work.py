"""One import: claimed by lease, its file read, its rows counted. Killed at any line and run again, it ends the same.

An attempt starts by erasing what the one before has left. What is wrong with the file becomes problems of the import;
the annotation data are available only when there are none, otherwise their owner decides.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from io import UnsupportedOperation
from itertools import chain

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F
from django.utils import timezone

from annotations import formats
from annotations.formats.base import AnnotationType, Found, Item, LabelError, LabelSet, RowProblem
from annotations.formats.images import Images
from annotations.models import AnnotationData, AnnotationDataStatus, LabelImport
from datasets.archives import ArchiveError
from datasets.blobs.store import STORAGE_FAULTS
from datasets.models import Dataset, DatasetStatus
from deepcap.common.leases import Heartbeat, LeaseLost

from .erase import empty
from .finish import finish, give_up
from .fit import fit_json
from .images import images_of
from .problems import Problems, of_refused
from .reshape import reshaped
from .rows import Rows
from .sets import detected, from_json
from .siblings import settle_sets
from .sources import Files, opened

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 3
COOL_OFF = timedelta(seconds=30)
OUTSIDE_FAULTS = (OperationalError, InterfaceError, *STORAGE_FAULTS)
SETTLED = (DatasetStatus.AVAILABLE, DatasetStatus.PREPARATION_FAILED)
DUE_AT_A_TIME = 200

Beat = Callable[[], None]


def run(import_id: int, *, images: Callable[[int], Images] = images_of, beat: Beat | None = None) -> list[int]:
    """Take an import to its end, unless somebody else does; return the imports of further sets found in its file.

    ``images`` gives the images of a dataset. ``beat`` is called with every chunk, in its transaction, and may raise to
    stop: work that this one is part of holds its own lease by it. Faults from outside, a storage that does not answer,
    are raised; the import is taken up again in a while.
    """
    work = LabelImport.objects.claim(import_id)
    if work is None or work.annotation_data is None:
        return []
    try:
        if work.attempts > MAX_ATTEMPTS:
            give_up(work)
            return []
        return _import(work, images=images, beat=beat)
    except LeaseLost:
        logger.info("Import %s was taken over or cancelled.", import_id)
        return []
    except UnsupportedOperation:  # an OSError by name, but a fault of ours: it would happen again, so it counts
        raise
    except OUTSIDE_FAULTS:
        _cool_off(work)
        raise


def due() -> list[int]:
    """Find imports that nobody works on although they could be, and note that they are announced again.

    Those of an upload that is still being prepared are its ingest's.
    """
    lost = LabelImport.objects.to_resend(older_than=settings.DEEPCAP_LEASE).filter(dataset__status__in=SETTLED)
    ids = list(lost.order_by("pk").values_list("pk", flat=True)[:DUE_AT_A_TIME])
    LabelImport.objects.filter(pk__in=ids).update(sent_at=timezone.now())
    return ids


def _import(work: LabelImport, *, images: Callable[[int], Images], beat: Beat | None) -> list[int]:
    hold = _Hold(work, beat)
    problems = Problems(work)
    empty(work, beat=hold)
    further: list[int] = []
    rows = None
    try:
        with opened(work.blob, work.filename, beat=hold.often) as files:
            for refused in files.refused:
                if refused.outcome == "rejected":
                    problems.add(of_refused(refused))
            known = images(work.dataset_id)
            label_set, further = _choose(work, files, known, hold)
            rows = _read(work, label_set, files=files, images=known, problems=problems, hold=hold)
            _keep_options(work, label_set, hold)
    except LabelError as error:
        problems.add(error.at(None, work.filename))
    except ArchiveError as error:
        problems.add(RowProblem(None, "", error.code, error.message, work.filename))
    if problems.waiting:
        with transaction.atomic():
            problems.write()
            hold()
    finish(work, problems=problems, row_count=rows.count if rows else 0, hold=hold)
    return further


class _Hold:
    """Keeps the leases that this work stands under, as long as its rows are wanted."""

    def __init__(self, work: LabelImport, beat: Beat | None) -> None:
        self._work, self._beat = work, beat
        self.often = Heartbeat(self._hold_alone)

    def __call__(self, **values: object) -> None:
        """Extend, with ``values`` set on the import. Raises LeaseLost."""
        if self._beat is not None:
            self._beat()  # before the import's row is locked: the order in which a deletion takes them
        self._work.extend_lease(**values)
        if Dataset.objects.filter(pk=self._work.dataset_id, status=DatasetStatus.DELETING).exists():
            raise LeaseLost(f"Dataset {self._work.dataset_id} is being deleted.")

    @transaction.atomic
    def _hold_alone(self) -> None:
        self()


def _choose(work: LabelImport, files: Files, images: Images, hold: _Hold) -> tuple[LabelSet, list[int]]:
    """Return the set that this import is of, and the imports made for the others when they are first seen."""
    described = work.options.get("set")
    if described is not None:
        return from_json(described, files.files), []
    sets = detected(
        files.files,
        images,
        annotation_type=work.options.get("annotation_type", ""),
        file_format=work.options.get("file_format", ""),
    )
    return sets[0], settle_sets(work, sets, file_count=len(files.files), hold=hold)


def _read(
    work: LabelImport, label_set: LabelSet, *, files: Files, images: Images, problems: Problems, hold: _Hold
) -> Rows | None:
    """Write all that can be read of a set; None when nothing says of what type it is."""
    total = max(1, sum(file.size for file in label_set.files))
    files.meter.done = 0
    hold(total_bytes=total)
    options = work.options.get("read") or {}
    items = _guarded(formats.read(label_set, images, options), problems, hold.often)
    first: list[Item] = []
    annotation_type = label_set.annotation_type
    while annotation_type is None:
        item = next(items, None)
        if item is None:
            break
        first.append(item)
        annotation_type = _type_of(item)
    if annotation_type is None:
        for item in first:
            if isinstance(item, RowProblem):
                problems.add(item)
        return None
    source_type, reshape = annotation_type, work.options.get("reshape")
    if reshape is not None:
        annotation_type = reshape["annotation_type"]
    AnnotationData.objects.filter(pk=work.annotation_data_id, status=AnnotationDataStatus.IMPORTING).update(
        annotation_type=annotation_type
    )
    found: Iterable[Item] = chain(first, items)
    if reshape is not None:
        found = reshaped(found, reshape, source_type=source_type)
    rows = Rows(
        annotation_data_id=work.annotation_data_id,
        annotation_type=annotation_type,
        problems=problems,
        committing=lambda count: hold(row_count=count, done_bytes=min(files.meter.done, total)),
    )
    rows.take_all(found)
    return rows


def _keep_options(work: LabelImport, label_set: LabelSet, hold: _Hold) -> None:
    """Keep what the reader has learnt of the file as a whole (COCO: info, licenses), for exports to write it back."""
    described = work.options.get("set")
    if described is not None and label_set.options:
        work.options = {**work.options, "set": {**described, "options": fit_json(label_set.options)}}
        hold(options=work.options)


def _guarded(items: Iterable[Item], problems: Problems, beat: Beat) -> Iterator[Item]:
    """Yield what a reader yields until its file turns out to be damaged, which is a problem of the file."""
    try:
        for item in items:
            beat()
            yield item
    except LabelError as error:
        problems.add(error.at(None))


def _type_of(item: Item) -> AnnotationType | None:
    """Tell the type of a set by one of its annotations, for formats that do not say it beforehand."""
    if not isinstance(item, Found):
        return None
    if item.mask is not None:
        return "image_segmentation"
    return "object_detection" if item.bbox is not None else "multi_label_classification"


def _cool_off(work: LabelImport) -> None:
    """Leave an import that failed through no fault of its own to be taken again in a while; it does not count."""
    LabelImport.objects.filter(pk=work.pk, lease_token=work.lease_token).update(
        lease_token=None, lease_until=timezone.now() + COOL_OFF, sent_at=None, attempts=F("attempts") - 1
    )
