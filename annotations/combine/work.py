"""One combination: claimed by lease, copied piece by piece, counted. Killed at any line it goes on where it was.

The place it has reached is written by the transaction that copies the piece, so that no piece is copied twice.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import F, Model
from django.utils import timezone
from django.utils.translation import gettext as _

from annotations import statistics
from annotations.models import (
    AnnotatedImage,
    Annotation,
    AnnotationData,
    AnnotationDataStatus,
    Combination,
    CombinationStage,
    Label,
)
from annotations.statistics.pages import by_index
from datasets.models import Dataset, DatasetSource, DatasetStatus, Image, Series, Study
from deepcap.common.leases import LeaseLost, WorkState
from deepcap.common.pace import Pace
from deepcap.common.sql import tell_planner

from .arranging import arrange_copies
from .endings import Refused, fail, finish
from .images import Target, copy_studies
from .labels import Labelling, copy_plain
from .recipe import Recipe
from .rivals import drop_contested, find_rivals, settle

logger = logging.getLogger(__name__)

MAX_ATTEMPTS = 4
COOL_OFF = timedelta(seconds=30)
OUTSIDE_FAULTS = (OperationalError, InterfaceError)
TURN_SECONDS = 300
IMAGES_PER_PIECE = 2_000
LISTED_PER_PIECE = 2_000
ANNOTATIONS_PER_PIECE = 10_000
MANY_IMAGES = 5_000
DUE_AT_A_TIME = 1_000


class SourceGone(Exception):
    """A source is being deleted: what has been copied is not the whole."""


class Waits(Exception):
    """The dataset that is made is being deleted. It may be restored."""


class TurnOver(Exception):
    """There is more to do, and others wait for the worker."""


def run(combination_id: int) -> bool:
    """Do a turn of a combination that nobody else works on; True if there is more to do."""
    work = Combination.objects.select_related("dataset__owner", "annotation_data").claim(combination_id)
    if work is None:
        return False
    try:
        _try(work)
    except TurnOver:
        return True
    except Waits:
        _hand_back(work, settings.DEEPCAP_LEASE)
    except LeaseLost:
        logger.info("Combination %s was taken over, cancelled or deleted.", work.pk)
    except OUTSIDE_FAULTS:
        _hand_back(work, COOL_OFF)
        raise
    return False


def due() -> list[int]:
    """Find combinations that nobody works on although they could be, and note that they are announced again."""
    lost = Combination.objects.to_resend(older_than=settings.DEEPCAP_LEASE)
    ids = list(lost.order_by("pk").values_list("pk", flat=True)[:DUE_AT_A_TIME])
    Combination.objects.filter(pk__in=ids).update(sent_at=timezone.now())
    return ids


def _try(work: Combination) -> None:
    """Go on with the work, or end it where it cannot be done."""
    if work.attempts > MAX_ATTEMPTS:
        fail(work, _("This could not be made: it ended every worker that tried. An operator has to look at it."))
        logger.error("Combination %s was given up after %s attempts.", work.pk, MAX_ATTEMPTS)
        return
    try:
        _turn(work, until=time.monotonic() + TURN_SECONDS)
    except SourceGone:
        fail(work, _("A dataset or annotation data that this was being made from were deleted."))
    except Refused as refused:
        fail(work, str(refused))


def _turn(work: Combination, *, until: float) -> None:
    recipe = Recipe.from_json(work.recipe)
    if work.stage == CombinationStage.IMAGES:
        _copy_images(work, recipe, until=until)
        _tell_planner(work, Study, Series, Image)
        _enter(work, CombinationStage.ARRANGING)
    if work.stage == CombinationStage.ARRANGING:
        _require_target(work)
        arrange_copies(work.dataset_id, beat=work.extend_lease)
        _enter(work, CombinationStage.LABELS)
    if work.stage == CombinationStage.LABELS:
        for made, part in recipe.labellings(work.annotation_data_id):
            if made not in work.place.get("labelled", ()):
                _make_annotation_data(work, made, part, until=until)
        _enter(work, CombinationStage.COUNTING)
    _require_target(work)
    for made, _part in recipe.labellings(work.annotation_data_id):
        if _wanted(work, made):
            statistics.count(made, beat=work.extend_lease)
            statistics.recompute(made, beat=work.extend_lease)
    finish(work, recipe)


def _copy_images(work: Combination, recipe: Recipe, *, until: float) -> None:
    pace = Pace(IMAGES_PER_PIECE)
    for number, source in enumerate(recipe.sources):
        if number < work.place.get("source", 0):
            continue
        chosen = None if source.studies is None else set(source.studies)
        target = Target(work.dataset_id, number, source.name, recipe.keeps_once)
        for studies, images, last in _study_pieces(work, source.dataset, chosen, pace):
            _take_turn(work, until=until)
            with pace.piece(images), transaction.atomic(), by_index():
                place = Counter(work.place)
                _require(work, dataset_id=source.dataset)
                copied = copy_studies(target, studies, position=place["studies"]) if studies else None
                if copied:
                    place.update(studies=copied.studies, images=copied.images, duplicates=copied.duplicates)
                    dealt_with = F("done_count") + images
                    DatasetSource.objects.filter(dataset=work.dataset_id, number=number).update(done_count=dealt_with)
                _reach(work, {**place, "source": number, "next": last + 1})
        with transaction.atomic():
            _require(work, dataset_id=source.dataset)  # of one that was erased nothing is left to be read
            _reach(work, {**work.place, "source": number + 1, "next": 0})


def _study_pieces(
    work: Combination, dataset_id: int, chosen: set[int] | None, pace: Pace
) -> Iterator[tuple[list[int], int, int]]:
    """Yield studies in display order, their number of images and the last position, from the place reached."""
    rows = Study.objects.filter(dataset=dataset_id).order_by("position").values_list("pk", "position", "image_count")
    while page := list(rows.filter(position__gte=work.place.get("next", 0))[: pace.size]):
        studies: list[int] = []
        images = 0
        last = page[0][1]
        for pk, position, count in page:
            if chosen is None or pk in chosen:
                if studies and images + count > pace.size:
                    break
                studies.append(pk)
                images += count
            last = position
        yield studies, images, last


def _make_annotation_data(work: Combination, made: int, recipe: Recipe, *, until: float) -> None:
    if work.place.get("labelling") != made:
        rest = {key: value for key, value in work.place.items() if key not in ("source", "next", "listed")}
        _reach(work, {**rest, "labelling": made})
    if data := _wanted(work, made):
        _copy_labels(work, data, recipe, until=until)
        _tell_planner(work, AnnotatedImage, Annotation)
    _reach(work, {**work.place, "labelled": [*work.place.get("labelled", ()), made]})


def _copy_labels(work: Combination, data: AnnotationData, recipe: Recipe, *, until: float) -> None:
    labels = _labels_of(work, data, recipe)
    pace = Pace(LISTED_PER_PIECE)
    for number, source in enumerate(recipe.sources):
        if number < work.place.get("source", 0):
            continue
        if source.annotation_data is not None:
            labelling = Labelling(
                dataset_id=work.dataset_id,
                number=number,
                source_id=source.annotation_data,
                target_id=data.pk,
                annotation_type=data.annotation_type,
                labels=labels[number],
                keeps_once=recipe.keeps_once,
            )
            for piece, listed in _listed_pieces(work, source.annotation_data, pace):
                _take_turn(work, until=until)
                with pace.piece(listed):
                    _copy_listed(work, labelling, piece, on_conflict=recipe.on_conflict)
        with transaction.atomic():
            if source.annotation_data is not None:
                _require(work, annotation_data_id=source.annotation_data)
            _reach(work, {**work.place, "source": number + 1, "next": 0})
    while True:
        with transaction.atomic():
            work.extend_lease()
            dropped = drop_contested(data.pk)
        if not dropped:
            return


def _copy_listed(work: Combination, labelling: Labelling, piece: tuple[int, int], *, on_conflict: str) -> None:
    """Copy a piece and note that it is done; both or neither."""
    with transaction.atomic(), by_index():
        _require(work, annotation_data_id=labelling.source_id)
        place = Counter(work.place)
        rivals = find_rivals(labelling, piece) if labelling.number else []
        leaving = [rival.item for rival in rivals]
        place["listed"] += copy_plain(labelling, piece, leaving=leaving, position=place["listed"])
        if rivals:
            place.update(settle(labelling, rivals, on_conflict=on_conflict, position=place["listed"]))
        _reach(work, {**place, "source": labelling.number, "next": piece[1] + 1})


def _listed_pieces(work: Combination, annotation_data_id: int, pace: Pace) -> Iterator[tuple[tuple[int, int], int]]:
    """Yield ranges of positions of the source, from the place that was reached, and how many images each lists.

    None has very many annotations.
    """
    listed = AnnotatedImage.objects.filter(annotation_data=annotation_data_id).order_by("position")
    rows = listed.values_list("position", "annotation_count")
    while page := list(rows.filter(position__gte=work.place.get("next", 0))[: pace.size]):
        annotations, images = page[0][1], 1
        for _position, number in page[1:]:
            annotations += number
            if annotations > ANNOTATIONS_PER_PIECE:
                break
            images += 1
        yield (page[0][0], page[images - 1][0]), images


@transaction.atomic
def _labels_of(work: Combination, target: AnnotationData, recipe: Recipe) -> list[list[tuple[int, int]]]:
    """Return (old, new) labels of each source; the new ones are there afterwards, each with its place and colour."""
    work.extend_lease()
    data_ids = [source.annotation_data for source in recipe.sources if source.annotation_data is not None]
    old: dict[int, list[Label]] = {}
    for label in Label.objects.filter(annotation_data__in=data_ids).order_by("position", "pk"):
        old.setdefault(label.annotation_data_id, []).append(label)
    named = [
        [(label, name) for label in old.get(source.annotation_data or 0, []) if (name := source.name_of(label.name))]
        for source in recipe.sources
    ]
    there = set(target.labels.values_list("name", flat=True))
    extra = {name: label.extra for each in reversed(named) for label, name in reversed(each) if label.name == name}
    missing = dict.fromkeys(name for each in named for _label, name in each if name not in there)
    Label.objects.bulk_create(
        Label(annotation_data=target, name=name, color=statistics.color_of(0), extra=extra.get(name))
        for name in missing
    )
    statistics.arrange_labels(target.pk)
    new = dict(target.labels.values_list("name", "pk"))
    return [[(label.pk, new[name]) for label, name in each] for each in named]


def _tell_planner(work: Combination, *tables: type[Model]) -> None:
    if work.place.get("images", 0) >= MANY_IMAGES:
        tell_planner(*tables)


def _enter(work: Combination, stage: CombinationStage) -> None:
    place = {key: value for key, value in work.place.items() if key not in ("source", "next")}
    work.extend_lease(stage=stage, place=place)
    work.stage, work.place = stage, place


def _reach(work: Combination, place: dict[str, Any]) -> None:
    work.extend_lease(place=place)
    work.place = place


def _take_turn(work: Combination, *, until: float) -> None:
    if time.monotonic() >= until:
        work.release(WorkState.PENDING, attempts=0, sent_at=timezone.now())
        raise TurnOver


def _wanted(work: Combination, annotation_data_id: int) -> AnnotationData | None:
    """Return annotation data that are being made; None where somebody has deleted them meanwhile."""
    made = AnnotationData.objects.filter(pk=annotation_data_id, dataset=work.dataset_id)
    return made.filter(status=AnnotationDataStatus.IMPORTING).first()


def _require(work: Combination, *, dataset_id: int | None = None, annotation_data_id: int | None = None) -> None:
    """Hold what the piece is read from and written to until the transaction ends, in the order of deletions.

    Raises Waits or SourceGone. Datasets come before the work's own row: that is how a deletion takes these locks.
    """
    wanted = [work.dataset_id] if dataset_id is None else [work.dataset_id, dataset_id]
    rows = Dataset.objects.filter(pk__in=wanted).order_by("pk").select_for_update(no_key=True)
    status = dict(rows.values_list("pk", "status"))
    if status.get(work.dataset_id) != DatasetStatus.PREPARING:
        raise Waits
    if dataset_id is not None and status.get(dataset_id) != DatasetStatus.AVAILABLE:
        raise SourceGone
    if annotation_data_id is not None:
        source = AnnotationData.objects.filter(pk=annotation_data_id, status=AnnotationDataStatus.AVAILABLE)
        alive = source.exclude(dataset__status=DatasetStatus.DELETING).select_for_update(no_key=True, of=("self",))
        if not list(alive.values_list("pk")):
            raise SourceGone


def _require_target(work: Combination) -> None:
    if not Dataset.objects.filter(pk=work.dataset_id, status=DatasetStatus.PREPARING).exists():
        raise Waits


def _hand_back(work: Combination, pause: timedelta) -> None:
    """Leave the row to be taken again after a pause; the attempt does not count."""
    Combination.objects.filter(pk=work.pk, lease_token=work.lease_token).update(
        lease_token=None, lease_until=timezone.now() + pause, sent_at=None, attempts=F("attempts") - 1
    )
