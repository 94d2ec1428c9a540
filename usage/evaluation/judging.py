"""The rows of a job's predictions compared with the ground truth, page by page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from django.db import transaction

from annotations.models import AnnotatedImage
from annotations.services.listings import annotations_of
from usage.measures import MEASURES
from usage.models import InferenceJob, Outcome, PredictedImage

from .said import said_of_kept, said_of_rows

AT_A_TIME = 300  # images, whose masks are all in memory

Hold = Callable[[], None]


def judge(job: InferenceJob, *, truth_id: int | None, hold: Hold) -> dict[str, Any]:
    """Note which rows are right, and return the report with the counts of ``Evaluation``.

    Images that the ground truth does not list are not judged. Without ground truth the report tells how often each
    label was predicted.
    """
    measure = MEASURES[job.training_task.annotation_type]()
    predicted: Counter[str] = Counter()
    right = judged = total = 0
    for page in _pages(job):
        total += len(page)
        predicted.update(each["label"] for row in page for each in row.said if each.get("value") != 0)
        if truth_id is None:
            continue
        listed = list(AnnotatedImage.objects.filter(annotation_data=truth_id, image__in=[row.image_id for row in page]))
        by_item = annotations_of(listed)
        by_image = {item.image_id: by_item.get(item.pk, []) for item in listed}
        outcomes: dict[str, list[int]] = {Outcome.RIGHT: [], Outcome.WRONG: []}
        for row in page:
            if row.image_id not in by_image:
                continue
            size = {"height": row.image.height, "width": row.image.width}
            is_right = measure.judge(said_of_rows(by_image[row.image_id], **size), said_of_kept(row.said, **size))
            outcomes[Outcome.RIGHT if is_right else Outcome.WRONG].append(row.pk)
        right, judged = right + len(outcomes[Outcome.RIGHT]), judged + sum(map(len, outcomes.values()))
        with transaction.atomic():
            hold()
            for outcome, pks in outcomes.items():
                PredictedImage.objects.filter(pk__in=pks).update(outcome=outcome)
    report: dict[str, Any] = {"predicted": [{"label": label, "times": predicted[label]} for label in sorted(predicted)]}
    if judged:
        report |= measure.report()
    return {"report": report, "image_count": total, "judged_count": judged, "right_count": right}


def _pages(job: InferenceJob):
    """Yield the rows of a job in the order of their ids, with their images."""
    rows = PredictedImage.objects.filter(inference_job=job).select_related("image").order_by("pk")
    last = 0
    while page := list(rows.filter(pk__gt=last)[:AT_A_TIME]):
        yield page
        last = page[-1].pk
