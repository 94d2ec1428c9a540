"""Datasets and labels to be combined, made the shortest way."""

from annotations import tasks
from annotations.models import Annotation, AnnotationDataStatus, AnnotationType
from annotations.services.combinations import Wanted, combine_datasets
from annotations.statistics import recount_all as recount_annotations
from datasets.ingest.publish import counts_of
from datasets.ingest.recount import recount_all
from datasets.models import Dataset, DatasetStatus, Image, Study
from tests.annotations.builders import Row, make_annotation_data
from tests.builders import make_dataset, make_image, png


def dataset_of(owner, name, shades, *, folder=""):
    """Return a dataset of PNG images "0.png" …, one a study, of these shades."""
    dataset = make_dataset(
        owner, name, status=DatasetStatus.AVAILABLE, image_count=len(shades), study_count=len(shades)
    )
    for place, shade in enumerate(shades):
        path = f"{folder}{place}.png"
        study = Study.objects.create(dataset=dataset, key=path, name=path, position=place)
        study.cover = make_image(study, path, png(shade))
        study.save()
    Dataset.objects.filter(pk=dataset.pk).update(**counts_of(dataset.pk))
    return dataset


def images_of(dataset):
    return list(Image.objects.filter(dataset=dataset).order_by("study__position", "position"))


def single(dataset, *names):
    """Return single-label data of a dataset's images in order; None leaves an image out."""
    rows = {image: [Row(name, value=1)] for image, name in zip(images_of(dataset), names, strict=True) if name}
    labels = sorted({name for name in names if name})
    return make_annotation_data(dataset, AnnotationType.SINGLE_LABEL, labels, rows)


def made(owner, *sources, **choices):
    """Combine (dataset, annotation data) pairs, with the worker's part done."""
    given = [{"dataset": dataset.pk, "annotation_data": data and data.pk} for dataset, data in sources]
    dataset = combine_datasets(wanted=Wanted(given, **choices), by=owner, name="made")
    tasks.run_combination(dataset.combination.pk)
    dataset.refresh_from_db()
    assert dataset.status == DatasetStatus.AVAILABLE, dataset.status_detail
    assert recount_all() == 0
    assert recount_annotations() == 0
    return dataset


def said(dataset):
    """Return {path: sorted labels} of what the only annotation data of a dataset list."""
    data = dataset.annotation_data.get()
    assert data.status == AnnotationDataStatus.AVAILABLE
    found = {path: [] for path in data.listed.values_list("image__path", flat=True)}
    for path, label in Annotation.objects.filter(item__annotation_data=data).values_list(
        "item__image__path", "label__name"
    ):
        found[path].append(label)
    return {path: sorted(labels) for path, labels in found.items()}
