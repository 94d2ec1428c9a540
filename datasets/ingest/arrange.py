"""Third stage: images in order within their studies, studies in order within the dataset, duplicates flagged.

Everything here is derived from the rows that reading left, so that any step may be repeated. Statements are cut into
chunks of their own short transactions: a dataset of a million images keeps nobody waiting.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.db import transaction
from django.db.models import OuterRef, Subquery

from datasets.models import Image, Series, Study
from deepcap.common.bulk import update_rows
from deepcap.common.chunks import in_chunks
from deepcap.common.sql import assign

from .duplicates import flag_duplicates
from .order import Slice, display_order, natural_key
from .walk import Beat

STUDIES_PER_CHUNK = 50
ROWS_PER_CHUNK = 2_000
ARRANGED_BY = ("study_id", "series_id", "path", "slice_position", "instance_number", "attributes")


def arrange(dataset_id: int, *, beat: Beat) -> None:
    """Bring a dataset's studies and images into display order and set what is derived from it.

    ``beat`` is called between chunks and may raise to stop.
    """
    dicom = Study.objects.filter(dataset=dataset_id).exclude(study_instance_uid="")
    first_paths = arrange_studies(list(dicom.values_list("pk", flat=True)), beat=beat)
    single = Study.objects.filter(dataset=dataset_id, study_instance_uid="", cover=None)
    cover_studies(list(single.values_list("pk", flat=True)), beat=beat)
    _order_studies(dataset_id, first_paths=first_paths, beat=beat)
    flag_duplicates(dataset_id, beat=beat)


def arrange_studies(studies: Sequence[int], *, beat: Beat) -> dict[int, str]:
    """Order the images of DICOM studies and describe the studies; return each one's first path as a sort key."""
    first_paths: dict[int, str] = {}
    for chunk in in_chunks(studies, STUDIES_PER_CHUNK):
        beat()
        series = Series.objects.filter(study__in=chunk).in_bulk()
        images: dict[int, list[Image]] = defaultdict(list)
        for image in Image.objects.filter(study__in=chunk).only(*ARRANGED_BY):
            images[image.study_id].append(image)
        described, positions = [], []
        for study_id, members in images.items():
            by_pk = {image.pk: image for image in members}
            ordered = [by_pk[found.pk] for found in display_order(_slice(image, series) for image in members)]
            positions += [(image.pk, place) for place, image in enumerate(ordered)]
            described.append((study_id, _describe(ordered)))
            first_paths[study_id] = min(natural_key(image.path) for image in members)
        for some in in_chunks(positions, ROWS_PER_CHUNK):
            assign(Image, "position", some)
        with transaction.atomic():
            update_rows(Study, described)
    return first_paths


def cover_studies(studies: Sequence[int], *, beat: Beat) -> None:
    """Give studies of one image, those without a StudyInstanceUID, that image as cover."""
    only_image = Image.objects.filter(study=OuterRef("pk")).order_by("pk").values("pk")[:1]
    for chunk in in_chunks(studies, ROWS_PER_CHUNK):
        beat()
        Study.objects.filter(pk__in=chunk).update(cover_id=Subquery(only_image))


def _slice(image: Image, series: Mapping[int, Series]) -> Slice:
    orientation = image.attributes.get("ImageOrientationPatient") or ()
    own_series = series.get(image.series_id)
    return Slice(
        pk=image.pk,
        series_number=own_series.series_number if own_series else None,
        series_uid=own_series.series_instance_uid if own_series else "",
        slice_position=image.slice_position,
        orientation=tuple(orientation),
        instance_number=image.instance_number,
        path=image.path,
    )


def _describe(ordered: Sequence[Image]) -> dict[str, object]:
    """Return the columns of a study that its images, in display order, say; the cover is the middle of the first
    series."""
    first = ordered[0]
    first_series = [image for image in ordered if image.series_id == first.series_id]
    modalities = dict.fromkeys(image.attributes.get("Modality", "") for image in ordered)
    return {
        "modality": ", ".join(filter(None, modalities))[:64],
        "description": first.attributes.get("StudyDescription", ""),
        "study_date": first.attributes.get("StudyDate", ""),
        "image_count": len(ordered),
        "cover_id": first_series[len(first_series) // 2].pk,
    }


def _order_studies(dataset_id: int, *, first_paths: dict[int, str], beat: Beat) -> None:
    """Number the studies from 0 in the natural order of their paths. Holds one sort key a study in memory."""
    keys = Study.objects.filter(dataset=dataset_id).values_list("pk", "key").iterator(chunk_size=ROWS_PER_CHUNK)
    order = sorted((first_paths.get(pk) or natural_key(key), pk) for pk, key in keys)
    for positions in in_chunks(((pk, place) for place, (_, pk) in enumerate(order)), ROWS_PER_CHUNK):
        beat()
        assign(Study, "position", positions)
