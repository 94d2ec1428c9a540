"""Annotation data as overlays: which there are for a study, and what they say about its images."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.db.models import Exists, OuterRef, Prefetch
from django.urls import reverse

from annotations.models import AnnotatedImage, Annotation, AnnotationData, Label
from annotations.models.annotation import Kind
from annotations.models.annotation_data import AnnotationDataStatus, SourceKind
from datasets.models import Image, Study
from deepcap.accounts.models import User

_ANNOTATION = (
    "item__image_id", "item__image__width", "item__image__height", "label__name", "kind", "value",
    "x", "y", "width", "height", "counts", "polygons", "score", "frame",
)  # fmt: skip


def annotation_data_of(study: Study, *, user: User) -> list[AnnotationData]:
    """Return the annotation data that list an image of the study and may be seen, labels included; two queries."""
    listed = AnnotatedImage.objects.filter(annotation_data=OuterRef("pk"), image__study=study)
    labels = Prefetch("labels", Label.objects.order_by("position", "pk"))
    visible = AnnotationData.objects.visible_to(user).filter(dataset=study.dataset_id).filter(Exists(listed))
    return list(visible.exclude(status=AnnotationDataStatus.IMPORTING).prefetch_related(labels))


def describe(data: AnnotationData, *, study: Study) -> dict[str, Any]:
    """Return what the viewer's panel tells of annotation data; those of an inference job are predictions."""
    is_prediction = data.source_kind == SourceKind.INFERENCE_JOB
    return {
        "id": data.pk,
        "name": data.name,
        "annotation_type": data.annotation_type,
        "source_kind": data.source_kind,
        "role": "prediction" if is_prediction else "ground_truth",
        "labels": [{"id": label.pk, "name": label.name, "color": label.color} for label in data.labels.all()],
        "annotations_url": f"{reverse('viewer-annotations', args=[study.pk])}?annotation_data={data.pk}",
    }


def annotations_of(study: Study, data: AnnotationData, *, images: Iterable[int] = ()) -> dict[str, list[Any]]:
    """Return the annotations by image id, of all images of the study that are listed or of those asked for.

    Coordinates are pixels of the image as displayed. Images with nothing on them have an empty list. Two queries.
    """
    wanted = Image.objects.filter(study=study)
    if images:
        wanted = wanted.filter(pk__in=images)
    items = AnnotatedImage.objects.filter(annotation_data=data, image__in=wanted)
    by_image: dict[str, list[Any]] = {
        str(pk): [] for pk in items.order_by("position").values_list("image_id", flat=True)
    }
    rows = Annotation.objects.filter(item__in=items).order_by("pk").values_list(*_ANNOTATION)
    for image_id, width, height, *said in rows.iterator(chunk_size=2000):
        by_image[str(image_id)].append(_annotation(width, height, *said))
    return by_image


def _annotation(
    image_width: int, image_height: int, label: str, kind: str, value: int | None,
    x: float | None, y: float | None, width: float | None, height: float | None,
    counts: str | None, polygons: Any, score: float | None, frame: int,
) -> dict[str, Any]:  # fmt: skip
    said: dict[str, Any] = {"label": label}
    if kind in (Kind.SINGLE_LABEL, Kind.MULTI_LABEL):
        said["value"] = value
    if x is not None:
        said["bbox"] = [x, y, width, height]
    if counts is not None:
        said["segmentation"] = {"size": [image_height, image_width], "counts": counts}
    if polygons:
        said["polygons"] = polygons
    if score is not None:
        said["score"] = score
    if frame:
        said["frame"] = frame
    return said
