"""A model is asked for, trained by a service, run and taken over as labels; people work in a project."""

import io
import re

import pytest
from playwright.sync_api import Page, expect

from annotations.importing import work
from annotations.models import AnnotationData, LabelImport
from datasets.services.uploads import upload_file
from deepcap.common.leases import OPEN_STATES
from tests.usage.builders import predict
from usage.models import AnnotationProject, InferenceJob, TrainingTask
from usage.services.results import store_model
from usage.services.training_tasks import Measurement, add_metrics
from usage.services.work import advance

from .conftest import do_the_work
from .pictures import pictures, zip_file

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

LABELS = b"".join(f"{number}.png,{'abnormal' if number % 2 else 'normal'}\n".encode() for number in range(4))


def read_labels() -> None:
    """Read the label files that wait, as a worker would."""
    for pk in LabelImport.objects.filter(state__in=OPEN_STATES).values_list("pk", flat=True):
        for further in work.run(pk):
            work.run(further)


@pytest.fixture
def dataset(user):
    """Four images with the labels that lay in their zip."""
    data = zip_file("Chest.zip", [*pictures(4), ("classes.csv", LABELS)])["buffer"]
    made = upload_file(owner=user, stream=io.BytesIO(data), filename="Chest.zip", size=len(data), name="Chest")
    do_the_work()
    read_labels()
    made.refresh_from_db()
    return made


def test_a_model_is_trained_run_and_its_predictions_become_annotation_data(console: Page, user, dataset):
    data = AnnotationData.objects.get()
    console.goto(console.url.replace("/datasets/", data.get_absolute_url()))
    console.get_by_role("link", name="Start training").click()
    expect(console.get_by_role("heading", name="Create Training Task")).to_be_visible()
    console.get_by_label("Name", exact=True).fill("Lungs")
    console.get_by_label("Hyperparameters").fill("epochs")
    console.get_by_role("button", name="Start training").click()
    expect(console.get_by_text("is not of the form: name = value")).to_be_visible()
    expect(console.get_by_label("Name", exact=True)).to_have_value("Lungs")
    console.get_by_label("Hyperparameters").fill("epochs = 2")
    console.get_by_role("button", name="Start training").click()
    expect(console.get_by_role("heading", name="Lungs")).to_be_visible()
    expect(console.locator("#usage-live")).to_contain_text("Next in line")

    task = TrainingTask.objects.get()
    advance(row=task, by=user, status="running", progress=50, status_detail="Epoch 1 of 2")
    metrics = [Measurement("train_loss", step, 1 / (step + 1)) for step in range(5)]
    add_metrics(training_task=task, by=user, claim=None, metrics=metrics)
    expect(console.locator("#usage-live")).to_contain_text("Epoch 1 of 2")
    expect(console.locator(".metric-line")).not_to_have_count(0)
    store_model(training_task=task, by=user, claim=None, file=io.BytesIO(b"weights"), filename="model.onnx")
    advance(row=task, by=user, status="finished", performance=0.75, performance_metric="accuracy")
    console.get_by_role("link", name="Run inference").click()

    console.get_by_label("Dataset", exact=True).select_option("Chest")
    expect(console.get_by_label("Name", exact=True)).to_have_value("Lungs – Chest")
    console.get_by_role("button", name="Run inference").click()
    expect(console.locator("#usage-live")).to_contain_text("Waiting")
    predict(InferenceJob.objects.get())
    console.get_by_role("button", name="Export as annotation data").click()
    dialog = console.get_by_role("dialog")
    dialog.get_by_label("Annotation data name").fill("Predicted")
    dialog.get_by_role("button", name="Export", exact=True).click()
    expect(console.get_by_role("heading", name="Predicted")).to_be_visible()
    expect(console.get_by_role("link", name="Lungs – Chest")).to_be_visible()
    read_labels()

    console.get_by_role("link", name="Training tasks").click()
    row = console.get_by_role("row", name=re.compile("Lungs"))
    expect(row).to_contain_text("75%")
    row.get_by_role("button", name="Options of Lungs").click()
    console.get_by_role("menuitem", name="Delete…").click()
    dialog = console.get_by_role("dialog")
    expect(dialog).to_contain_text("inference job")
    expect(dialog.get_by_role("button", name="Delete")).to_be_disabled()
    dialog.get_by_label("Type DELETE to confirm").fill("DELETE")
    dialog.get_by_role("button", name="Delete").click()
    expect(console.get_by_text("There are no training tasks")).to_be_visible()
    do_the_work()
    assert not TrainingTask.objects.exists()
    assert not InferenceJob.objects.exists()
    assert set(AnnotationData.objects.values_list("name", flat=True)) == {data.name, "Predicted"}


def test_a_project_is_started_from_a_dataset_worked_in_and_finished(console: Page, user, dataset):
    console.goto(console.url.replace("/datasets/", dataset.get_absolute_url()))
    console.get_by_role("link", name="Start", exact=True).click()
    console.get_by_label("Object Detection").fill("nodule")
    console.get_by_label("Annotators", exact=False).last.fill(user.username)
    console.get_by_role("button", name="Publish", exact=True).click()
    expect(console.get_by_text("Unannotated: 4")).to_be_visible()

    console.get_by_role("link", name="Go to your job as Annotator").click()
    expect(console.locator("input[name=study]")).to_have_count(4)
    for box in console.locator("input[name=study]").all():
        box.check()
    console.get_by_role("button", name="Save").click()
    expect(console.locator("#usage-live")).to_contain_text("Finished: 4")
    console.get_by_role("link", name="Chest").first.click()
    expect(console.get_by_text("Annotated: 4", exact=True)).to_be_visible()
    console.get_by_role("button", name="Finish…").click()
    console.get_by_role("dialog").get_by_role("button", name="Finish", exact=True).click()
    expect(console.locator("#usage-live .status")).to_have_text("Finished")
    assert AnnotationProject.objects.get().status == "finished"
