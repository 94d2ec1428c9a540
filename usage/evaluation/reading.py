"""The predictions of a job, read from their file into rows, an image each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotations import formats
from annotations.formats.base import Found, Item, LabelError, Listed, RowProblem
from annotations.formats.images import Images
from annotations.importing.images import images_of
from annotations.importing.sets import detected
from annotations.importing.sources import opened
from annotations.models import AnnotatedImage
from datasets.archives import ArchiveError
from deepcap.common.bulk import insert_rows
from deepcap.common.chunks import in_chunks
from deepcap.common.leases import Heartbeat
from usage.models import InferenceJob, PredictedImage

from .said import Kept, characters_of, kept_of, score_of

AT_A_TIME = 5_000  # annotations
CHARACTERS_AT_A_TIME = 8 * 1024**2
IDS_AT_A_TIME = 500
FIELDS = ("inference_job", "image", "position", "said", "score", "outcome")

Hold = Callable[[], None]


def read(job: InferenceJob, *, truth_id: int | None, hold: Hold) -> str:
    """Write a row for every image that the predictions list, and for those of the ground truth that they leave out.

    Returns a sentence about what could not be read, or "". ``hold`` is called in every transaction, first. Calls for
    no rows of the job to be there.
    """
    images = images_of(job.dataset_id)
    rows = _Rows(job, images, hold)
    often = Heartbeat(transaction.atomic(hold))
    problems, first = 0, ""
    try:
        for item in _items(job, images, often):
            often()
            if isinstance(item, Found):
                rows.add(item.image, kept_of(item))
            elif isinstance(item, Listed):
                rows.add(item.image)
            elif isinstance(item, RowProblem):
                problems, first = problems + 1, first or item.message
    except (LabelError, ArchiveError) as error:
        problems, first = problems + 1, first or error.message
    if truth_id is not None:
        listed = AnnotatedImage.objects.filter(annotation_data=truth_id).order_by("pk")
        for image in listed.values_list("image", flat=True).iterator(chunk_size=AT_A_TIME):
            rows.add(image)
    rows.write()
    if not problems:
        return ""
    sentence = ngettext(
        "%(count)d row could not be read: %(first)s", "%(count)d rows could not be read: %(first)s", problems
    )
    return (sentence % {"count": problems, "first": first})[:500]


def _items(job: InferenceJob, images: Images, beat: Hold) -> Iterator[Item]:
    assert job.predictions is not None
    annotation_type = job.training_task.annotation_type
    with opened(job.predictions, job.predictions_filename, beat=beat) as files:
        if not files.files:
            raise LabelError(_("There is no file of predictions."), code="label_file_unknown")
        sets = detected(files.files, images, annotation_type=annotation_type, file_format=job.predictions_format)
        yield from formats.read(sets[0], images)


class _Rows:
    """Collects what is said by image, and writes it when there is much of it; an image may come again later."""

    def __init__(self, job: InferenceJob, images: Images, hold: Hold) -> None:
        self._job, self._hold = job, hold
        self._places = {ref.id: place for place, ref in enumerate(images)}
        self._waiting: dict[int, list[Kept]] = {}
        self._written: set[int] = set()
        self._annotations = self._characters = 0

    def add(self, image: int, kept: Kept | None = None) -> None:
        if image not in self._places or (kept is None and image in self._written):
            return
        said = self._waiting.setdefault(image, [])
        if kept is not None:
            said.append(kept)
            self._annotations += 1
            self._characters += characters_of(kept)
        if (
            self._annotations >= AT_A_TIME
            or len(self._waiting) >= AT_A_TIME
            or self._characters >= CHARACTERS_AT_A_TIME
        ):
            self.write()

    def write(self) -> None:
        again = self._waiting.keys() & self._written
        with transaction.atomic():
            self._hold()
            for chunk in in_chunks(sorted(again), IDS_AT_A_TIME):
                rows = list(PredictedImage.objects.filter(inference_job=self._job, image__in=chunk))
                for row in rows:
                    row.said = [*row.said, *self._waiting[row.image_id]]
                    row.score = score_of(row.said)
                PredictedImage.objects.bulk_update(rows, ["said", "score"])
            insert_rows(PredictedImage, FIELDS, (self._row(image) for image in self._waiting if image not in again))
        self._written.update(self._waiting)
        self._waiting.clear()
        self._annotations = self._characters = 0

    def _row(self, image: int) -> tuple[Any, ...]:
        said = self._waiting[image]
        return (self._job.pk, image, self._places[image], said, score_of(said), "")
