"""The scene of a study: the study among its neighbours, its series and images, and the annotation data to lay over.

A scene takes the same few queries for one image and for thousands. All but the images is told by its *frame*, which is
cheap: from it comes the ETag, since the images of a study never change once its dataset is ready.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.urls import reverse

from annotations.models import AnnotationData
from datasets.models import Image, Series, Study
from deepcap.accounts.models import User

from . import overlays
from .image import COLUMNS, scene_image

GRID_PAGE = 50  # studies on a page of the dataset's grid


@dataclass(frozen=True)
class Frame:
    """A study with all its scene tells but the images. ``etag`` changes whenever the scene does."""

    study: Study
    annotation_data: list[AnnotationData]
    told: dict[str, Any]
    etag: str


def frame_of(study: Study, *, user: User) -> Frame:
    """Return the study's surroundings; ``study`` was read with its dataset."""
    data = overlays.annotation_data_of(study, user=user)
    told = {
        "study": _study(study, user=user),
        "dataset": _dataset(study, user=user),
        "annotation_data": [overlays.describe(each, study=study) for each in data],
    }
    said = json.dumps([settings.VERSION, told, study.dataset.status, study.cover_id], sort_keys=True, default=str)
    return Frame(study, data, told, f'W/"{hashlib.sha256(said.encode()).hexdigest()[:32]}"')


def scene_of(
    frame: Frame, *, image: str = "", number: str = "", annotation_data: list[str] | None = None
) -> dict[str, Any]:
    """Return the whole scene, with what was asked for by query parameters selected where the study has it."""
    series = _series(frame.study)
    images = [image for each in series for image in each["images"]]
    return {
        **frame.told,
        "series": series,
        "selected": _selected(frame, images, image=image, number=number, annotation_data=annotation_data or []),
    }


def chosen_image(study: Study, asked: str) -> Image | None:
    """Return the image of the study that is shown first: the one asked for by id, or else the first."""
    images = Image.objects.filter(study=study).select_related("blob").order_by("position", "pk")
    if is_number(asked) and (image := images.filter(pk=int(asked)).first()):
        return image
    return images.first()


def is_number(text: str) -> bool:
    """Tell whether a query parameter can be an id or a frame."""
    return text.isascii() and text.isdecimal() and len(text) < 16


def within(asked: str, last: int) -> int:
    """Return the number asked for, moved into 1 to ``last``; 1 where none was asked for."""
    return max(1, min(int(asked), last)) if is_number(asked) else 1


def _study(study: Study, *, user: User) -> dict[str, Any]:
    around = (study.position - 1, study.position + 1)
    visible = Study.objects.visible_to(user).filter(dataset=study.dataset_id, position__in=around)
    neighbours = {each.position: each for each in visible.only("pk", "name", "position")}
    return {
        **_reference(study),
        "description": study.description,
        "modality": study.modality,
        "study_date": study.study_date,
        "position": study.position + 1,
        "total": study.dataset.study_count,
        "image_count": study.image_count,
        "previous": _reference(neighbours.get(around[0])),
        "next": _reference(neighbours.get(around[1])),
    }


def _reference(study: Study | None) -> dict[str, Any] | None:
    if study is None:
        return None
    return {
        "id": study.pk,
        "name": study.name,
        "url": reverse("viewer-study", args=[study.pk]),
        "scene_url": reverse("viewer-scene", args=[study.pk]),
    }


def _dataset(study: Study, *, user: User) -> dict[str, Any]:
    """Tell of the dataset, with the way back: to its grid, or to their jobs for people who see single studies of it."""
    dataset = study.dataset
    if user.is_superuser or dataset.owner_id == user.pk:
        url = f"{dataset.get_absolute_url()}?page={study.position // GRID_PAGE + 1}"
    else:
        url = reverse("annotation-job-list")
    return {"id": dataset.pk, "name": dataset.name, "url": url}


def _series(study: Study) -> list[dict[str, Any]]:
    """Return the series with their images, in display order; two queries."""
    known = Series.objects.filter(study=study).in_bulk()
    images = Image.objects.filter(study=study).order_by("position", "pk").values_list(*COLUMNS, named=True)
    found: dict[int | None, list[dict[str, Any]]] = {}
    for image in images.iterator(chunk_size=2000):
        found.setdefault(image.series_id, []).append(scene_image(image))
    return [_one_series(known.get(pk) if pk else None, members) for pk, members in found.items()]


def _one_series(series: Series | None, images: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": series.pk if series else None,
        "number": series.series_number if series else None,
        "description": series.description if series else "",
        "modality": series.modality if series else "",
        "series_instance_uid": series.series_instance_uid if series else "",
        "images": images,
    }


def _selected(
    frame: Frame, images: list[dict[str, Any]], *, image: str, number: str, annotation_data: list[str]
) -> dict[str, Any]:
    by_id = {str(each["id"]): each for each in images}
    chosen = by_id.get(image) or (images[0] if images else None)
    known = {str(data.pk): data.pk for data in frame.annotation_data}
    return {
        "image": chosen["id"] if chosen else None,
        "frame": within(number, chosen["frames"]) if chosen else 1,
        "annotation_data": [known[asked] for asked in dict.fromkeys(annotation_data) if asked in known],
    }
