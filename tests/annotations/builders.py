"""Annotation data for tests, with the rows, the counts and the statistics that an import would leave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import count as numbers_from
from typing import Any, NamedTuple

from django.db import transaction

from annotations.models import (
    AnnotatedImage,
    Annotation,
    AnnotationData,
    AnnotationDataStatus,
    AnnotationType,
    Kind,
    Label,
    LabelImport,
    LabelProblem,
    Split,
    SplitMember,
)
from annotations.statistics import arrange_labels, count, count_of_dataset, recompute
from datasets.models import Blob, Dataset, Image, Study
from deepcap.common.leases import WorkState

KINDS = {
    AnnotationType.SINGLE_LABEL: Kind.SINGLE_LABEL,
    AnnotationType.MULTI_LABEL: Kind.MULTI_LABEL,
    AnnotationType.DETECTION: Kind.BOX,
    AnnotationType.SEGMENTATION: Kind.MASK,
}
_numbers = numbers_from(1)


class Row(NamedTuple):
    """One annotation: a class (with its value), a box [x, y, width, height], or a mask with the box around it."""

    label: str
    value: int | None = None
    box: tuple[float, float, float, float] | None = None
    counts: str | None = None
    score: float | None = None
    frame: int = 0


def make_annotation_data(
    dataset: Dataset,
    annotation_type: str = AnnotationType.SINGLE_LABEL,
    labels: Sequence[str] = ("abnormal", "normal"),
    rows: Mapping[Image, Sequence[Row]] | None = None,
    **fields: Any,
) -> AnnotationData:
    """Return available annotation data of ``dataset``; images that ``rows`` maps to nothing have nothing to label.

    Without ``rows`` every image of the dataset is listed and has one annotation, labels in turn.
    """
    if rows is None:
        images = Image.objects.filter(dataset=dataset).order_by("study__position", "position")
        rows = {image: [sample(annotation_type, labels[n % len(labels)])] for n, image in enumerate(images)}
    values = {"name": f"annotation data {next(_numbers)}", "status": AnnotationDataStatus.AVAILABLE, **fields}
    data = AnnotationData.objects.create(dataset=dataset, annotation_type=annotation_type, **values)
    by_name = {name: Label.objects.create(annotation_data=data, name=name, color="#000000") for name in labels}
    for image, image_rows in rows.items():
        listed = AnnotatedImage.objects.create(annotation_data=data, image=image)
        Annotation.objects.bulk_create(_annotation(listed, by_name[row.label], data, row) for row in image_rows)
    arrange_labels(data.pk)
    count(data.pk)
    recompute(data.pk)
    with transaction.atomic():
        count_of_dataset(dataset.pk)
    data.refresh_from_db()
    return data


def make_split(data: AnnotationData, parts: Sequence[str] = ("train", "test"), **fields: Any) -> Split:
    """Return a split that deals the listed studies out in turn, with the report that the product would give of it."""
    studies = list(Study.objects.filter(images__annotated__annotation_data=data).distinct().order_by("position"))
    told = [{"name": name, "share": 1 / len(parts), "studies": 0, "images": 0, "labels": {}} for name in parts]
    report = {"parts": told, "leaks": {"patients": 0, "images": 0}, "without_patient": len(studies)}
    values = {"name": f"split {next(_numbers)}", "study_count": len(studies), "report": report, **fields}
    split = Split.objects.create(annotation_data=data, **values)
    for place, study in enumerate(studies):
        part = place % len(parts)
        SplitMember.objects.create(split=split, study=study, part=part)
        told[part]["studies"] += 1
        told[part]["images"] += AnnotatedImage.objects.filter(annotation_data=data, image__study=study).count()
    split.save()
    return split


def sample(annotation_type: str, label: str) -> Row:
    """Return an annotation as the type has them, on an image of at least 12 × 12 pixels."""
    if annotation_type == AnnotationType.DETECTION:
        return Row(label, box=(2, 3, 8, 6))
    if annotation_type == AnnotationType.SEGMENTATION:
        return Row(label, box=(0, 0, 20, 16), counts="0P:")  # all 320 pixels of a 20 × 16 image
    return Row(label, value=1)


def make_label_import(
    dataset: Dataset,
    data: AnnotationData | None = None,
    problems: Sequence[Mapping[str, Any]] = (),
    *,
    state: str = WorkState.DONE,
    **fields: Any,
) -> LabelImport:
    """Return an import of a file into ``data``, with a row for each of ``problems``."""
    blob, _created = Blob.objects.get_or_create(digest="e" * 64, defaults={"size": 1, "stem": "blobs/ee/labels/1"})
    values = {"filename": "label.csv", "file_format": "csv", "stage": "done", **fields}
    label_import = LabelImport.objects.create(
        dataset=dataset,
        annotation_data=data,
        blob=blob,
        state=state,
        problem_count=len(problems),
        problems_by_code=dict(Counter(problem["code"] for problem in problems)),
        **values,
    )
    LabelProblem.objects.bulk_create(LabelProblem(label_import=label_import, **problem) for problem in problems)
    return label_import


def _annotation(listed: AnnotatedImage, label: Label, data: AnnotationData, row: Row) -> Annotation:
    x, y, width, height = row.box or (None, None, None, None)
    return Annotation(
        item=listed,
        label=label,
        kind=KINDS[AnnotationType(data.annotation_type)],
        value=row.value,
        x=x,
        y=y,
        width=width,
        height=height,
        area=width * height if row.box else None,
        counts=row.counts,
        score=row.score,
        frame=row.frame,
    )
