"""Predictions of a finished job are read image by image and compared with the ground truth."""

from __future__ import annotations

import csv
import io
import json
from unittest import mock

import pytest
from django.utils import timezone

from annotations.models import Annotation, AnnotationType
from annotations.services.deletions import delete_annotation_data
from datasets.errors import NotTheOwner, WrongState
from datasets.models import Image
from datasets.services.deletions import delete_dataset, restore_dataset
from deepcap.common.leases import WorkState
from tests.annotations.builders import Row, make_annotation_data
from usage.evaluation import due, reading, run
from usage.evaluation.judging import judge
from usage.models import Evaluation, Outcome, PredictedImage
from usage.services.evaluations import evaluate_again, rows_of_report
from usage.services.results import store_results
from usage.services.work import advance, finish

from .builders import make_inference, make_labelled, make_training, predict, train

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def coco(dataset, annotations):
    """Return COCO predictions: (image path, fields) with the categories 1 "mass" and 2 "node"."""
    images = {image.path: image for image in dataset.images.all()}
    document = {
        "images": [
            {"id": image.pk, "file_name": image.path, "width": image.width, "height": image.height}
            for image in images.values()
        ],
        "categories": [{"id": 1, "name": "mass"}, {"id": 2, "name": "node"}],
        "annotations": [
            {"id": number, "image_id": images[path].pk, **fields}
            for number, (path, fields) in enumerate(annotations, 1)
        ],
    }
    return json.dumps(document).encode()


def evaluate(job, data=None, file_format="csv"):
    """Hand in predictions, finish the job and evaluate it."""
    if data is None:
        predict(job)
    else:
        advance(row=job, by=job.dataset.owner, status="running")
        file = io.BytesIO(data)
        name = {"csv": "label.csv", "coco": "predictions.json"}[file_format]
        store_results(row=job, by=job.dataset.owner, claim=None, file=file, filename=name, file_format=file_format)
        finish(row=job, by=job.dataset.owner)
    run(job.evaluation.pk)
    return Evaluation.objects.get(inference_job=job)


@pytest.fixture
def labelled(user):
    """Three images: abnormal, normal, abnormal."""
    return make_labelled(user)


@pytest.fixture
def job(labelled):
    dataset, data = labelled
    return make_inference(train(make_training(data)), dataset, ground_truth=data)


def test_classes_are_compared_image_by_image(job):
    evaluation = evaluate(job)  # says that all are normal
    assert (evaluation.state, evaluation.problem) == (WorkState.DONE, "")
    assert (evaluation.image_count, evaluation.judged_count, evaluation.right_count) == (3, 3, 1)
    assert list(job.predicted_images.values_list("outcome", flat=True)) == ["w", "r", "w"]
    assert [row.said for row in job.predicted_images.all()] == [[{"label": "normal", "value": 1}]] * 3
    assert evaluation.report["confusion"]["matrix"] == [[0, 2], [0, 1]]
    assert evaluation.report["predicted"] == [{"label": "normal", "times": 3}]


def test_without_ground_truth_nothing_is_judged(labelled):
    dataset, data = labelled
    evaluation = evaluate(make_inference(train(make_training(data)), dataset))
    assert (evaluation.image_count, evaluation.judged_count) == (3, 0)
    assert evaluation.report == {"predicted": [{"label": "normal", "times": 3}]}


def test_images_without_a_prediction_are_wrong_and_those_without_truth_not_judged(labelled):
    dataset, data = labelled
    first, second, third = Image.objects.filter(dataset=dataset).order_by("study__position")
    truth = make_annotation_data(dataset, rows={first: [Row("normal", value=1)], second: [Row("normal", value=1)]})
    job = make_inference(train(make_training(data)), dataset, ground_truth=truth)
    evaluation = evaluate(job, f"{second.path},normal\n{third.path},normal\nno such image,normal\n".encode())
    outcomes = dict(job.predicted_images.values_list("image", "outcome"))
    assert outcomes == {first.pk: Outcome.WRONG, second.pk: Outcome.RIGHT, third.pk: Outcome.UNKNOWN}
    assert "1 row could not be read" in evaluation.problem
    assert evaluation.report["confusion"]["columns"] == ["normal", ""]


def test_boxes_with_scores_are_kept_and_judged(user):
    dataset, _data = make_labelled(user)
    images = list(Image.objects.filter(dataset=dataset).order_by("study__position"))
    rows = {image: [Row("mass", box=(2, 3, 8, 6))] for image in images}
    data = make_annotation_data(dataset, AnnotationType.DETECTION, ["mass"], rows)
    job = make_inference(train(make_training(data)), dataset, ground_truth=data)
    said = [
        (images[0].path, {"category_id": 1, "bbox": [2, 3, 8, 6], "score": 0.9}),
        (images[1].path, {"category_id": 2, "bbox": [2, 3, 8, 6], "score": 0.8}),
        (images[0].path, {"category_id": 1, "bbox": [12, 3, 4, 4], "score": 0.2}),
    ]
    evaluation = evaluate(job, coco(dataset, said), "coco")
    assert evaluation.problem == ""
    assert [row.outcome for row in job.predicted_images.all()] == ["r", "w", "w"]
    assert [row.score for row in job.predicted_images.all()] == [0.9, 0.8, None]
    assert job.predicted_images.first().said[0] == {"label": "mass", "bbox": [2, 3, 8, 6], "score": 0.9}
    mass = evaluation.report["labels"][0]
    assert (mass["true_positives"], mass["false_positives"], mass["false_negatives"]) == (1, 0, 2)
    assert mass["average_precision"] == pytest.approx(1 / 3)


def test_masks_are_kept_and_judged(user):
    dataset, _data = make_labelled(user)
    data = make_annotation_data(dataset, AnnotationType.SEGMENTATION, ["mass"])
    images = list(Image.objects.filter(dataset=dataset).order_by("study__position"))
    job = make_inference(train(make_training(data)), dataset, ground_truth=data)
    half = {"size": [16, 20], "counts": [0, 200, 120]}
    few = {"size": [16, 20], "counts": [0, 100, 220]}
    said = [(images[0].path, half), (images[1].path, few)]
    said = [(path, {"category_id": 1, "segmentation": mask, "iscrowd": 1}) for path, mask in said]
    evaluation = evaluate(job, coco(dataset, said), "coco")
    assert evaluation.problem == ""
    assert [row.outcome for row in job.predicted_images.all()] == ["r", "w", "w"]
    assert evaluation.report["labels"][0]["dice"] == pytest.approx((400 / 520 + 200 / 420 + 0) / 3)


def test_predictions_are_compared_again_with_what_the_ground_truth_says_now(job, user, other_user, labelled):
    assert evaluate(job).right_count == 1
    normal = labelled[1].labels.get(name="normal")
    Annotation.objects.filter(item__annotation_data=labelled[1]).update(label=normal)
    with pytest.raises(NotTheOwner):
        evaluate_again(inference_job=job, by=other_user)
    evaluate_again(inference_job=job, by=user)
    with pytest.raises(WrongState):
        evaluate_again(inference_job=job, by=user)
    run(job.evaluation.pk)
    evaluation = Evaluation.objects.get(inference_job=job)
    assert (evaluation.state, evaluation.right_count) == (WorkState.DONE, 3)
    assert job.predicted_images.count() == 3


@pytest.mark.parametrize("at_a_time", [1, 2])
def test_however_small_the_pieces_the_result_is_the_same(job, monkeypatch, at_a_time):
    whole = evaluate(job)
    rows = list(job.predicted_images.values_list("image", "said", "outcome", "position"))
    Evaluation.objects.update(state=WorkState.PENDING)
    monkeypatch.setattr(reading, "AT_A_TIME", at_a_time)
    monkeypatch.setattr("usage.evaluation.judging.AT_A_TIME", at_a_time)
    run(job.evaluation.pk)
    assert list(job.predicted_images.values_list("image", "said", "outcome", "position")) == rows
    assert Evaluation.objects.get().report == whole.report


def test_an_image_whose_annotations_lie_far_apart_in_the_file_is_one_row(user, monkeypatch):
    monkeypatch.setattr(reading, "AT_A_TIME", 1)
    dataset, _data = make_labelled(user)
    data = make_annotation_data(dataset, AnnotationType.DETECTION, ["mass"])
    one, other, _third = (image.path for image in Image.objects.filter(dataset=dataset).order_by("study__position"))
    box = {"category_id": 1, "bbox": [2, 3, 8, 6]}
    said = [(one, box | {"score": 0.3}), (other, box), (one, box | {"score": 0.7})]
    job = make_inference(train(make_training(data)), dataset, ground_truth=data)
    evaluate(job, coco(dataset, said), "coco")
    first = job.predicted_images.first()
    assert ([each["score"] for each in first.said], first.score) == ([0.3, 0.7], 0.7)


def test_a_worker_that_dies_costs_nothing_but_time(job):
    predict(job)
    with mock.patch("usage.evaluation.work.judge", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt):
        run(job.evaluation.pk)
    assert PredictedImage.objects.count() == 3
    run(job.evaluation.pk)
    assert Evaluation.objects.get().state == WorkState.RUNNING
    Evaluation.objects.update(lease_until=timezone.now(), sent_at=None)
    assert due() == [job.evaluation.pk]
    run(job.evaluation.pk)
    assert (Evaluation.objects.get().state, PredictedImage.objects.count()) == (WorkState.DONE, 3)


def test_a_file_that_cannot_be_read_is_said_to_be_so(job):
    evaluation = evaluate(job, b"\x00\x01 this is no table")
    assert evaluation.state == WorkState.DONE
    assert evaluation.problem
    assert (evaluation.judged_count, evaluation.right_count) == (3, 0)


def test_what_is_deleted_meanwhile_stops_the_evaluation_and_what_is_restored_goes_on(job, user, settings):
    settings.DEEPCAP_TRASH_DAYS = 7
    predict(job)

    def deleted(*args, **kwargs):
        deleted.deletion = delete_dataset(dataset=job.dataset, by=user, confirmation="DELETE")
        return reading.read(*args, **kwargs)

    with mock.patch("usage.evaluation.work.read", deleted):
        run(job.evaluation.pk)
    assert Evaluation.objects.get().state == WorkState.CANCELLED
    assert not PredictedImage.objects.exists()
    restore_dataset(deletion=deleted.deletion, by=user)
    assert due() == [job.evaluation.pk]
    run(job.evaluation.pk)
    assert Evaluation.objects.get().judged_count == 3


def test_ground_truth_that_goes_meanwhile_is_not_measured_against(job, user):
    predict(job)

    def deleted(*args, **kwargs):
        found = judge(*args, **kwargs)
        delete_annotation_data(annotation_data=other, by=user, confirmation="DELETE")
        return found

    other = make_annotation_data(job.dataset)
    type(job).objects.update(ground_truth=other)
    with mock.patch("usage.evaluation.work.judge", deleted):
        run(job.evaluation.pk)
    assert Evaluation.objects.get().state == WorkState.PENDING
    run(job.evaluation.pk)
    assert (Evaluation.objects.get().state, Evaluation.objects.get().judged_count) == (WorkState.DONE, 0)
    assert set(PredictedImage.objects.values_list("outcome", flat=True)) == {""}


def test_the_table_is_one_row_an_image(job):
    evaluate(job)
    buffer = io.StringIO()
    head, rows = rows_of_report(job)
    csv.writer(buffer).writerows([head, *rows])
    assert buffer.getvalue().splitlines()[2] == "1/0.png,normal,normal,,right"
