"""The report of annotation data (product.md 6.3), computed by a worker and stored."""

from __future__ import annotations

from typing import Any

from annotations.models import AnnotationData, AnnotationType, Label, Statistics

from .advice import LabelCount, advise
from .bins import BOX_AREA, BOX_RATIO, BOXES_PER_IMAGE, coverage_histograms, histogram, percentage
from .pages import Beat
from .tally import Tally, tally


def recompute(annotation_data_id: int, *, beat: Beat | None = None) -> Statistics:
    """The stored numbers, and the problems noted at each image, are those of the annotations; returns the former.

    Rests on the stored counts: ``count`` comes first. ``beat`` is called between the pieces of work.
    """
    data = AnnotationData.objects.select_related("dataset").get(pk=annotation_data_id)
    numbers = numbers_of(data, list(data.labels.order_by("position")), tally(data, beat=beat))
    return Statistics.objects.update_or_create(annotation_data=data, defaults={"numbers": numbers})[0]


def numbers_of(data: AnnotationData, labels: list[Label], found: Tally) -> dict[str, Any]:
    """Put the report together, as JSON: percentages have two decimals, ``labels`` keep their order."""
    by_boxes = data.annotation_type == AnnotationType.DETECTION
    numbers: dict[str, Any] = {
        "totals": {
            "images": data.image_count,
            "studies": data.study_count,
            "annotations": data.annotation_count,
            "labels": len(labels),
            "negatives": found.negatives,
            "unlisted_images": max(0, data.dataset.image_count - data.image_count),
        },
        "label_distribution": [_distribution(data, label, by_boxes=by_boxes) for label in labels],
    }
    if data.annotation_type != AnnotationType.SINGLE_LABEL:
        numbers["image_label"] = [_image_label(data, label) for label in labels]
    if by_boxes:
        numbers["boxes_per_image"] = histogram(BOXES_PER_IMAGE, found.boxes_per_image)
        numbers["box_ratio"] = histogram(BOX_RATIO, found.box_ratio)
        numbers["box_area"] = histogram(BOX_AREA, found.box_area)
    if data.annotation_type == AnnotationType.SEGMENTATION:
        covered = [found.coverage.get(label.pk, {}) for label in labels]
        histograms = coverage_histograms(covered, images=data.image_count)
        numbers["mask_coverage"] = [_of(label) | each for label, each in zip(labels, histograms, strict=True)]
    numbers["advice"] = advise(
        [
            LabelCount(label.name, label.image_count, label.annotation_count if by_boxes else label.image_count)
            for label in labels
        ],
        problems=found.problems,
        negatives=found.negatives,
        unlisted=numbers["totals"]["unlisted_images"],
    )
    return numbers


def _distribution(data: AnnotationData, label: Label, *, by_boxes: bool) -> dict[str, Any]:
    """Of detection, the label's share of all boxes; of other types, of all images."""
    share = (label.annotation_count, data.annotation_count) if by_boxes else (label.image_count, data.image_count)
    counts = {"images": label.image_count, "annotations": label.annotation_count}
    return _of(label) | counts | {"percentage": percentage(*share)}


def _image_label(data: AnnotationData, label: Label) -> dict[str, Any]:
    return _of(label) | {
        "positive": label.image_count,
        "negative": data.image_count - label.image_count,
        "percentage": percentage(label.image_count, data.image_count),
    }


def _of(label: Label) -> dict[str, Any]:
    return {"label": label.name, "color": label.color}
