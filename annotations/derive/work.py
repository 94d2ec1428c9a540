"""One derivation: claimed by lease, copied piece by piece, counted. Killed at any line it goes on where it was.

The place it has reached is written by the transaction that copies the piece, so that no piece is copied twice.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotations import statistics
from annotations.models import AnnotatedImage, AnnotationData, AnnotationDataStatus, AnnotationType, Derivation, Label
from annotations.statistics.pages import by_index
from datasets.models import DatasetStatus
from deepcap.accounts.services import notify
from deepcap.common.leases import LeaseLost, WorkState

from .masks import copy_united, is_per_class, merged_labels
from .statements import Copy, copy_annotations, copy_images

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 4
COOL_OFF = timedelta(seconds=30)
OUTSIDE_FAULTS = (OperationalError, InterfaceError)
TURN_SECONDS = 300
IMAGES_PER_PIECE = 1_000
ANNOTATIONS_PER_PIECE = 10_000
DUE_AT_A_TIME = 1_000


class SourceGone(Exception):
    """What was being copied from is gone or going: what has been copied is not the whole."""


class Waits(Exception):
    """What is being made, or its dataset, is being deleted. It may be restored."""


def run(derivation_id: int) -> bool:
    """Do a turn of a derivation that nobody else works on; True if there is more to do."""
    work = Derivation.objects.select_related("annotation_data__dataset").claim(derivation_id)
    if work is None:
        return False
    try:
        if work.attempts > MAX_ATTEMPTS:
            _fail(work, _("This could not be made: it ended every worker that tried. An operator has to look at it."))
            logger.error("Derivation %s was given up after %s attempts.", work.pk, MAX_ATTEMPTS)
            return False
        return _turn(work, until=time.monotonic() + TURN_SECONDS)
    except SourceGone:
        _fail(work, _("The annotation data this was being made from were deleted."))
    except Waits:
        _hand_back(work, settings.DEEPCAP_LEASE)
    except LeaseLost:
        logger.info("Derivation %s was taken over or deleted.", work.pk)
    except OUTSIDE_FAULTS:
        _hand_back(work, COOL_OFF)
        raise
    return False


def due() -> list[int]:
    """Find derivations that nobody works on although they could be, and note that they are announced again."""
    lost = Derivation.objects.to_resend(older_than=settings.DEEPCAP_LEASE)
    ids = list(lost.order_by("pk").values_list("pk", flat=True)[:DUE_AT_A_TIME])
    Derivation.objects.filter(pk__in=ids).update(sent_at=timezone.now())
    return ids


def _turn(work: Derivation, *, until: float) -> bool:
    _check(work)
    copy = _copy_of(work)
    united = _labels_to_unite(work, copy)
    for piece in _pieces(work):
        if time.monotonic() >= until:
            work.release(WorkState.PENDING, attempts=0, sent_at=timezone.now())
            return True
        _copy_piece(work, copy, piece, united)
    statistics.count(work.annotation_data_id, beat=work.extend_lease)
    statistics.recompute(work.annotation_data_id, beat=work.extend_lease)
    _finish(work)
    return False


@transaction.atomic
def _copy_of(work: Derivation) -> Copy:
    """Return what is copied; the new labels are there afterwards, each with its place and colour."""
    work.extend_lease()
    source, target = work.source, work.annotation_data
    assert source is not None  # _check was passed
    old = {label.name: label for label in source.labels.all()}
    pairs = [pair for pair in work.options["pairs"] if pair[0] in old]
    new = dict(target.labels.values_list("name", "pk"))
    missing = dict.fromkeys(name for _old, name in pairs if name not in new)
    Label.objects.bulk_create(
        Label(
            annotation_data=target,
            name=name,
            color=statistics.color_of(0),
            extra=old[name].extra if [name, name] in pairs else None,
        )
        for name in missing
    )
    statistics.arrange_labels(target.pk)
    new = dict(target.labels.values_list("name", "pk"))
    return Copy(
        source_id=source.pk,
        source_type=source.annotation_type,
        target_id=target.pk,
        target_type=target.annotation_type,
        labels=[(old[before].pk, new[after]) for before, after in pairs],
    )


def _labels_to_unite(work: Derivation, copy: Copy) -> set[int]:
    """Return the labels whose masks are united; decided once for all of the data."""
    if copy.target_type != AnnotationType.SEGMENTATION or not merged_labels(copy):
        return set()
    if "per_class" not in work.options:
        per_class = is_per_class(copy.source_id, beat=work.extend_lease)
        work.options = {**work.options, "per_class": per_class}
        work.extend_lease(options=work.options)
    return merged_labels(copy) if work.options["per_class"] else set()


def _pieces(work: Derivation) -> Iterator[tuple[int, int]]:
    """Yield ranges of positions of the source, from the place that was reached, none with very many annotations."""
    listed = AnnotatedImage.objects.filter(annotation_data=work.source_id).order_by("position")
    rows = listed.values_list("position", "annotation_count")
    while True:
        first = work.options.get("next", 0)
        page = list(rows.filter(position__gte=first)[:IMAGES_PER_PIECE])
        if not page:
            return
        last, annotations = page[0]
        for position, number in page[1:]:
            annotations += number
            if annotations > ANNOTATIONS_PER_PIECE:
                break
            last = position
        yield first, last


def _copy_piece(work: Derivation, copy: Copy, piece: tuple[int, int], united: set[int]) -> None:
    """Copy a piece and note that it is done; both or neither."""
    with transaction.atomic(), by_index():
        work.extend_lease()
        _check(work)
        left_out = Counter(work.options.get("left_out", {}))
        left_out.update(copy_images(copy, piece))
        one_by_one = copy.only({new for _old, new in copy.labels} - united)
        left_out.update(copy_annotations(one_by_one, piece))
        if united:
            copy_united(copy, piece, united)
        options = {**work.options, "next": piece[1] + 1, "left_out": dict(left_out)}
        work.extend_lease(options=options)
    work.options = options


def _check(work: Derivation) -> None:
    """Raise SourceGone or Waits unless everything is there that the work needs."""
    made = AnnotationData.objects.filter(pk=work.annotation_data_id, status=AnnotationDataStatus.IMPORTING)
    if not made.exclude(dataset__status=DatasetStatus.DELETING).exists():
        raise Waits
    source = AnnotationData.objects.filter(pk=work.source_id, status=AnnotationDataStatus.AVAILABLE)
    if not source.exists():
        raise SourceGone


@transaction.atomic
def _finish(work: Derivation) -> None:
    """The annotation data are available, and their maker knows what was left out."""
    work.release(WorkState.DONE, finished_at=timezone.now())
    _check(work)
    data = AnnotationData.objects.get(pk=work.annotation_data_id)
    left_out = {reason: number for reason, number in work.options.get("left_out", {}).items() if number}
    detail = " ".join(LEFT_OUT[reason](number) % {"count": number} for reason, number in left_out.items())
    AnnotationData.objects.filter(pk=data.pk).update(
        status=AnnotationDataStatus.AVAILABLE,
        status_detail=detail[:500],
        source_detail={**data.source_detail, **({"left_out": left_out} if left_out else {})},
    )
    _tell(work, kind="annotation_data.available", text=_("Annotation data “%(name)s” are ready.") % {"name": data.name})


@transaction.atomic
def _fail(work: Derivation, message: str) -> None:
    work.release(WorkState.FAILED, finished_at=timezone.now())
    data = work.annotation_data
    AnnotationData.objects.filter(pk=data.pk, status=AnnotationDataStatus.IMPORTING).update(
        status=AnnotationDataStatus.IMPORT_FAILED, status_detail=message[:500]
    )
    text = _("Annotation data “%(name)s” could not be made.") % {"name": data.name}
    _tell(work, kind="annotation_data.import_failed", text=text)


def _tell(work: Derivation, *, kind: str, text: str) -> None:
    data = work.annotation_data
    notify(user=work.requested_by or data.dataset.owner, kind=kind, text=text, url=data.get_absolute_url())


def _hand_back(work: Derivation, pause: timedelta) -> None:
    """Leave the row to be taken again after a pause; the attempt does not count."""
    Derivation.objects.filter(pk=work.pk, lease_token=work.lease_token).update(
        lease_token=None, lease_until=timezone.now() + pause, sent_at=None, attempts=F("attempts") - 1
    )


LEFT_OUT = {
    "conflicts": lambda count: ngettext(
        "%(count)d image with several classes was left out.",
        "%(count)d images with several classes were left out.",
        count,
    ),
    "without_class": lambda count: ngettext(
        "%(count)d image without a class was left out.", "%(count)d images without a class were left out.", count
    ),
    "empty_masks": lambda count: ngettext(
        "%(count)d empty mask was left out.", "%(count)d empty masks were left out.", count
    ),
}
