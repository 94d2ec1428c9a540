"""Sources, recipes and orders of deletion at random: what is left of a combination, and of its sources, is whole."""

from __future__ import annotations

import hashlib
from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from annotations import tasks
from annotations.combine import work
from annotations.models import Annotation, AnnotationType
from annotations.services.combinations import Wanted, combine_datasets
from annotations.statistics import recount_all as recount_annotations
from datasets.blobs.reconcile import reconcile
from datasets.deletion import run as run_deletion
from datasets.ingest.counts import counts_of
from datasets.ingest.recount import recount_all
from datasets.models import Blob, Dataset, DatasetStatus, Image, Study
from datasets.services.deletions import delete_dataset
from tests.annotations.builders import Row, make_annotation_data
from tests.builders import make_dataset, make_image, make_series, png

from .world import images_of, said

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]

LABELS = ("cat", "Cat", "dog")
shade, label = st.integers(0, 4), st.none() | st.sampled_from(LABELS)
raster = st.tuples(shade, label)
dicom = st.tuples(st.sampled_from(("1.2.1", "1.2.2")), st.lists(raster, min_size=1, max_size=2))
source = st.fixed_dictionaries(
    {
        "folder": st.sampled_from(("", "in/")),
        "raster": st.lists(raster, min_size=1, max_size=3),
        "dicom": st.lists(dicom, max_size=2, unique_by=lambda study: study[0]),
    }
)
recipes = st.fixed_dictionaries(
    {
        "label_map": st.sampled_from(({}, {"Cat": "cat"}, {"dog": None, "Cat": "dog"})),
        "on_conflict": st.sampled_from(("keep_first", "leave_unlabelled")),
        "duplicates": st.sampled_from(("keep_all", "keep_once")),
    }
)


def made_of(plan, owner, name):
    """Return a dataset of the plan's PNG images and studies with UIDs, and annotation data of those with a label."""
    dataset = make_dataset(owner, name, status=DatasetStatus.PREPARATION_FAILED)
    labels = {}
    for place, (grey, said_of_it) in enumerate(plan["raster"]):
        path = f"{plan['folder']}{place}.png"
        study = Study.objects.create(dataset=dataset, key=path, name=path, position=place)
        labels[cover(study, make_image(study, path, png(grey)))] = said_of_it
    for place, (uid, images) in enumerate(plan["dicom"], start=len(plan["raster"])):
        fields = {"name": uid, "study_instance_uid": uid, "image_count": len(images)}
        study = Study.objects.create(dataset=dataset, key=uid, position=place, **fields)
        series = make_series(study, f"{uid}.{name}")
        for number, (grey, said_of_it) in enumerate(images):
            fields = {"position": number, "series": series, "instance_number": number, "format": "DICOM"}
            image = make_image(study, f"{uid}/{number}.dcm", png(grey), **fields)
            labels[cover(study, image)] = said_of_it
    Dataset.objects.filter(pk=dataset.pk).update(**counts_of(dataset.pk), status=DatasetStatus.AVAILABLE)
    rows = {image: [Row(name, value=1)] for image, name in labels.items() if name}
    return dataset, make_annotation_data(dataset, AnnotationType.SINGLE_LABEL, LABELS, rows)


def cover(study, image):
    Study.objects.filter(pk=study.pk, cover=None).update(cover=image)
    return image


def state_of(dataset):
    """Return all that is to stay as it is of a dataset."""
    images = [(i.path, i.position, i.blob.digest, i.duplicate) for i in images_of(dataset)]
    studies = list(dataset.studies.values_list("key", "position", "image_count", "cover__path"))
    return images, studies, [said(dataset)] if dataset.annotation_data.exists() else []


def assert_whole(store, states):
    """Counts are right, every object is there with its bytes and referred to, and nothing has changed."""
    assert recount_all() == recount_annotations() == 0
    assert list(reconcile()) == []
    objects = {key for key, _size in store.keys("")}
    blobs = Blob.objects.all()
    assert objects == {key for blob in blobs for key in (blob.original_key, blob.thumbnail_key)}
    assert set(blobs.values_list("pk", flat=True)) == set(Image.objects.values_list("blob", flat=True))
    for blob in blobs:
        assert hashlib.sha256(store.read(blob.original_key)).hexdigest() == blob.digest
    for pk, state in states.items():
        assert state_of(Dataset.objects.get(pk=pk)) == state


def bytes_expected(sources, *, keeps_once):
    expected, earlier = Counter(), set()
    for dataset in sources:
        blobs = [image.blob_id for image in images_of(dataset)]
        expected.update(blob for blob in blobs if not (keeps_once and blob in earlier))
        earlier.update(blobs)
    return expected


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(source, min_size=2, max_size=3), recipes, st.booleans(), st.randoms(use_true_random=False))
def test_whatever_is_combined_and_deleted_the_rest_is_whole(user, store, plans, recipe, labelled, random):
    sources = [made_of(plan, user, f"s{number}") for number, plan in enumerate(plans)]
    states = {dataset.pk: state_of(dataset) for dataset, _data in sources}
    objects = set(store.keys(""))
    wanted = [{"dataset": dataset.pk, "annotation_data": data.pk if labelled else None} for dataset, data in sources]
    with pytest.MonkeyPatch.context() as patch:
        for name in ("IMAGES_PER_PIECE", "LISTED_PER_PIECE"):
            patch.setattr(work, name, random.choice((1, 2, 5)))
        result = combine_datasets(wanted=Wanted(wanted, **recipe), by=user, name="result")
        tasks.run_combination(result.combination.pk)
    result.refresh_from_db()

    assert result.status == DatasetStatus.AVAILABLE, result.status_detail
    assert set(store.keys("")) == objects, "nothing is written to the storage"
    found = Counter(image.blob_id for image in images_of(result))
    assert found == bytes_expected([each for each, _data in sources], keeps_once=recipe["duplicates"] == "keep_once")
    assert list(result.studies.values_list("position", flat=True)) == list(range(result.study_count))
    assert not result.studies.filter(cover=None).exists()
    names = set(Annotation.objects.filter(item__image__dataset=result).values_list("label__name", flat=True))
    assert names <= {recipe["label_map"].get(name, name) for name in LABELS}

    states[result.pk] = state_of(result)
    assert_whole(store, states)
    for pk in random.sample(sorted(states), len(states)):
        del states[pk]
        deletion = delete_dataset(dataset=Dataset.objects.get(pk=pk), by=user, confirmation="DELETE")
        while run_deletion(deletion.pk):
            pass
        assert_whole(store, states)
    assert not Blob.objects.exists()


@pytest.fixture(autouse=True)
def erased_at_once(settings):
    settings.DEEPCAP_TRASH_DAYS, settings.DEEPCAP_BLOB_GRACE = 0, timedelta(0)
