"""Combining two datasets as one would write it with the ORM: rows are read, copied in Python, and written again.

The honest loop reads by ``iterator()`` and writes 1,000 rows a time by ``bulk_create``; the naive one saves each row.
Both do what the product does but for conflicts and the report: paths that are taken begin with the source's name,
labels are matched, counts and covers are right. Each source is one transaction.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from django.db import models, transaction
from django.db.models import Count, Sum

from annotations.models import AnnotatedImage, Annotation, AnnotationData, Label
from datasets.models import Blob, Dataset, DatasetStatus, Image, Origin, Series, Study
from deepcap.accounts.models import User
from deepcap.common.chunks import in_chunks

ROWS_AT_ONCE = 1_000
Write = Callable[[Sequence[models.Model]], object]


def by_loop(*sources: Dataset, owner: User, label_map: Mapping[str, str | None], naive: bool) -> Dataset:
    """Return a new dataset "looped" of all that ``sources`` and their only annotation data have."""
    target = Dataset.objects.create(
        owner=owner, name="looped", status=DatasetStatus.PREPARING, origin=Origin.COMBINED, image_format="DICOM"
    )
    data = AnnotationData.objects.create(
        dataset=target, name="looped", annotation_type=sources[0].annotation_data.get().annotation_type
    )
    for number, source in enumerate(sources):
        with transaction.atomic():
            images = _copy_images(source, target, number=number, naive=naive)
            _copy_labels(source.annotation_data.get(), data, images, label_map=label_map, naive=naive)
    _count(target, data)
    return target


def _copy_images(source: Dataset, target: Dataset, *, number: int, naive: bool) -> dict[int, int]:
    """Copy studies, series and images; return {id: id of its copy} of the images."""
    there = target.studies.count()
    taken_keys = set(target.studies.values_list("key", flat=True))
    taken = set(Image.objects.filter(dataset=target).values_list("path", flat=True))
    studies: dict[int, Study] = {}
    covers: dict[int, int] = {}
    for chunk in in_chunks(source.studies.order_by("position").iterator(chunk_size=ROWS_AT_ONCE), ROWS_AT_ONCE):
        copies = []
        for study in chunk:
            old, key = study.pk, study.key
            if study.cover_id:
                covers[study.cover_id] = old
            if key in taken_keys:
                study.key = f"{source.name}/{key}"
                study.name = study.key if study.name == key else study.name
            study.pk, study.dataset, study.cover, study.source_study = None, target, None, old
            study.position = there + len(studies)
            studies[old] = study
            copies.append(study)
        _write(Study, copies, naive=naive)
    series: dict[int, Series] = {}
    of_source = Series.objects.filter(study__dataset=source).order_by("pk")
    for chunk in in_chunks(of_source.iterator(chunk_size=ROWS_AT_ONCE), ROWS_AT_ONCE):
        copies = []
        for each in chunk:
            series[each.pk], each.study, each.pk = each, studies[each.study_id], None
            copies.append(each)
        _write(Series, copies, naive=naive)
    images: dict[int, int] = {}
    rows = Image.objects.filter(dataset=source).order_by("pk").iterator(chunk_size=ROWS_AT_ONCE)
    for chunk in in_chunks(rows, ROWS_AT_ONCE):
        olds = [image.pk for image in chunk]
        for image in chunk:
            image.source_image, image.source_number = image.pk, number
            if image.path in taken:
                image.source_path, image.path = image.path, f"{source.name}/{image.path}"
            image.pk, image.dataset = None, target
            image.study = studies[image.study_id]
            image.series = series[image.series_id] if image.series_id else None
        _write(Image, chunk, naive=naive)
        images.update(zip(olds, (image.pk for image in chunk), strict=True))
        covered = [(studies[covers[old]], images[old]) for old in olds if old in covers]
        for study, cover in covered:
            study.cover_id = cover
        if naive:
            for study, _cover in covered:
                study.save(update_fields=["cover"])
        else:
            Study.objects.bulk_update([study for study, _cover in covered], ["cover"], batch_size=ROWS_AT_ONCE)
    return images


def _copy_labels(
    source: AnnotationData,
    target: AnnotationData,
    images: Mapping[int, int],
    *,
    label_map: Mapping[str, str | None],
    naive: bool,
) -> None:
    labels = {label.name: label for label in target.labels.all()}
    becomes: dict[int, Label] = {}
    for label in source.labels.all():
        name = label_map.get(label.name, label.name)
        if name is not None and name not in labels:
            labels[name] = Label.objects.create(annotation_data=target, name=name, color=label.color)
        if name is not None:
            becomes[label.pk] = labels[name]
    there = target.listed.count()
    listed = source.listed.order_by("position").iterator(chunk_size=ROWS_AT_ONCE)
    for chunk in in_chunks(listed, ROWS_AT_ONCE):
        items = {}
        for item in chunk:
            items[item.pk], item.pk, item.annotation_data = item, None, target
            item.image_id, item.position = images[item.image_id], there + item.position
        _write(AnnotatedImage, chunk, naive=naive)
        annotations = list(Annotation.objects.filter(item__in=items))
        for annotation in annotations:
            annotation.pk, annotation.item = None, items[annotation.item_id]
            annotation.label = becomes[annotation.label_id]
        _write(Annotation, annotations, naive=naive)


def _write(model: type[models.Model], rows: Iterable[models.Model], *, naive: bool) -> None:
    for chunk in in_chunks(rows, ROWS_AT_ONCE):
        for row in chunk:
            row._state.adding = True
        if naive:
            for row in chunk:
                row.save(force_insert=True)
        else:
            model._base_manager.bulk_create(chunk)


def _count(target: Dataset, data: AnnotationData) -> None:
    images = Image.objects.filter(dataset=target)
    size = Blob.objects.filter(pk__in=images.values("blob")).aggregate(size=Sum("size"))["size"]
    for label in data.labels.annotate(images=Count("annotations__item", distinct=True), rows=Count("annotations")):
        Label.objects.filter(pk=label.pk).update(image_count=label.images, annotation_count=label.rows)
    Dataset.objects.filter(pk=target.pk).update(
        status=DatasetStatus.AVAILABLE,
        study_count=target.studies.count(),
        image_count=images.count(),
        size_bytes=size,
        annotation_data_count=1,
    )
    AnnotationData.objects.filter(pk=data.pk).update(
        status="available",
        study_count=images.filter(annotated__annotation_data=data).values("study").distinct().count(),
        image_count=data.listed.count(),
        annotation_count=Annotation.objects.filter(item__annotation_data=data).count(),
    )
