"""The page of a finished inference: its report, and images with their predictions beside the ground truth."""

import io
import json

import pytest
from django.urls import reverse

from annotations.models import AnnotationType, Label
from datasets.models import Image
from tests.annotations.builders import make_annotation_data
from tests.usage.builders import make_inference, make_labelled, make_training, predict, train
from usage.console.report import curve_charts
from usage.evaluation import run
from usage.services.results import store_results
from usage.services.work import advance, finish

pytestmark = pytest.mark.django_db


@pytest.fixture
def job(user):
    """Of three images one is right."""
    dataset, data = make_labelled(user)
    made = predict(make_inference(train(make_training(data)), dataset, ground_truth=data))
    run(made.evaluation.pk)
    return made


def html(client, job, **query):
    answer = client.get(job.get_absolute_url(), query)
    assert answer.status_code == 200
    return answer.content.decode()


def names(page):
    return [path for path in ("0/0.png", "1/0.png", "2/0.png") if f'class="pair-name" title="{path}"' in page]


def test_the_report_is_shown_and_offered(client, api, job):
    page = html(client, job)
    assert "1 of 3 images with ground truth are right" in page
    assert "33.33%" in page
    assert '<td class="tone-5">2</td>' in page
    assert '<td class="tone-5 is-right">1</td>' in page
    table = api.get(reverse("api:inference-job-report-csv", args=[job.pk]))
    assert b"".join(table.streaming_content).decode().lstrip("\ufeff").split("\r\n")[0] == (
        "path,ground_truth,predicted,score,outcome"
    )
    report = api.get(reverse("api:inference-job-report", args=[job.pk])).json()
    assert (report["state"], report["judged_count"], report["right_count"]) == ("done", 3, 1)
    assert report["report"]["confusion"]["matrix"] == [[0, 2], [0, 1]]


def test_images_are_filtered_sorted_and_lead_to_the_viewer(client, job):
    assert names(html(client, job)) == ["0/0.png", "1/0.png", "2/0.png"]
    assert names(html(client, job, outcome="right")) == ["1/0.png"]
    assert names(html(client, job, outcome="wrong")) == ["0/0.png", "2/0.png"]
    assert names(html(client, job, outcome="nonsense", ordering="-score")) == ["0/0.png", "1/0.png", "2/0.png"]
    image = job.predicted_images.first().image
    viewer = reverse("viewer-study", args=[image.study_id])
    assert f"{viewer}?image={image.pk}&amp;annotation_data={job.ground_truth_id}" in html(client, job)


def test_least_confident_images_come_first_when_asked_for(client, job):
    for row, score in zip(job.predicted_images.all(), (0.9, None, 0.6), strict=True):
        type(row).objects.filter(pk=row.pk).update(score=score)

    def order(**query):
        page = html(client, job, **query)
        return sorted(names(page), key=lambda name: page.index(f'class="pair-name" title="{name}"'))

    assert order(ordering="score") == ["2/0.png", "0/0.png", "1/0.png"]
    assert order(ordering="-score") == ["0/0.png", "2/0.png", "1/0.png"]


def test_a_page_takes_as_many_queries_for_any_number_of_images(client, user, django_assert_max_num_queries):
    counts = []
    for studies in (2, 12):
        dataset, data = make_labelled(user, studies=studies)
        job = predict(make_inference(train(make_training(data)), dataset, ground_truth=data))
        run(job.evaluation.pk)
        with django_assert_max_num_queries(40) as queries:
            assert html(client, job).count('class="pair"') == studies
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_masks_and_boxes_are_drawn(client, stranger, user):
    dataset, _data = make_labelled(user)
    image = Image.objects.filter(dataset=dataset).order_by("study__position").first()
    for kind, said in (
        (AnnotationType.SEGMENTATION, {"segmentation": {"size": [16, 20], "counts": [0, 160, 160]}, "iscrowd": 1}),
        (AnnotationType.DETECTION, {"bbox": [2.5, 3, 8, 6], "score": 0.75}),
    ):
        data = make_annotation_data(dataset, kind, ["mass"])
        Label.objects.filter(annotation_data=data).update(color="#ff0000")
        job = make_inference(train(make_training(data)), dataset, ground_truth=data)
        document = {
            "images": [{"id": 1, "file_name": image.path, "width": 20, "height": 16}],
            "categories": [{"id": 1, "name": "mass"}],
            "annotations": [{"id": 1, "image_id": 1, "category_id": 1, **said}],
        }
        advance(row=job, by=user, status="running")
        file = io.BytesIO(json.dumps(document).encode())
        store_results(row=job, by=user, claim=None, file=file, filename="p.json", file_format="coco")
        finish(row=job, by=user)
        run(job.evaluation.pk)
        page = html(client, job)
        overlay = reverse("inference-job-overlay", args=[job.pk, image.pk])
        if kind == AnnotationType.SEGMENTATION:
            assert f'src="{overlay}"' in page
            answer = client.get(overlay)
            assert (answer.status_code, answer.headers["Content-Type"]) == (200, "image/png")
            assert stranger.get(overlay).status_code == 404
            unknown = reverse("inference-job-overlay", args=[job.pk, image.pk + 10_000])
            assert client.get(unknown).status_code == 404
        else:
            assert '<rect x="2.5" y="3.0" width="8.0" height="6.0" fill="none" stroke="#ff0000"' in page


def test_until_it_is_evaluated_the_page_asks_again(client, user):
    dataset, data = make_labelled(user)
    job = predict(make_inference(train(make_training(data)), dataset))
    page = html(client, job)
    assert "being read and compared" in page
    assert 'hx-trigger="every 3s"' in page
    progress = f"{job.get_absolute_url()}progress/"
    assert f'hx-get="{progress}?status=finished"' in page
    assert client.get(progress, {"status": "running"}).status_code == 204
    assert client.get(progress, {"status": "finished"}).status_code == 200
    run(job.evaluation.pk)
    assert client.get(f"{job.get_absolute_url()}progress/").status_code == 204
    page = html(client, job)
    assert "there is no ground truth to compare with" in page
    assert names(page) == ["0/0.png", "1/0.png", "2/0.png"]


def test_an_evaluation_that_was_given_up_is_said_to_be_so(client, job):
    type(job.evaluation).objects.update(state="failed")
    page = html(client, job)
    assert "could not be compared" in page
    assert "every 3s" not in page
    url = reverse("inference-job-evaluate", args=[job.pk])
    assert f'action="{url}"' in page
    assert client.post(url).status_code == 302
    job.evaluation.refresh_from_db()
    assert job.evaluation.state == "pending"


def test_curves_are_drawn_from_corner_to_corner():
    curve = {"label": "ill", "roc": [[0, 0], [0, 1], [1, 1]], "auc": 1.0}
    curve |= {"precision_recall": [[0.5, 1], [1, 0.75]], "average_precision": 0.875}
    roc, pairs = curve_charts([curve])
    assert roc.lines[0].points == "0.0,400.0 0.0,0.0 1000.0,0.0"
    assert pairs.lines[0].points == "500.0,0.0 1000.0,100.0"
    assert [chart.lines[0].label for chart in curve_charts([{**curve, "label": str(n)} for n in range(6)])] == [
        "0",
        "0",
        "4",
        "4",
    ]
