"""The example services against a running installation: from a zip to a model to predictions, and back to nothing."""

from __future__ import annotations

import zipfile

import pytest

from examples.annotation_service import annotate
from examples.client import DeepCap, work_once
from examples.inference_service import predict
from examples.training_service import train
from tests.builders import zip_of
from tests.whole.test_up import Installation, until

pytestmark = [pytest.mark.xdist_group("whole"), pytest.mark.timeout(600)]
CLASSES = ("AbdomenCT", "BreastMRI", "CXR", "ChestCT", "Hand", "HeadCT")


@pytest.fixture
def installation(tmp_path):
    running = Installation(tmp_path / "var")
    yield running
    if running.process.poll() is None:
        running.stop()


def services(installation, scope):
    """Return the API as a service with this scope only."""
    created = installation.manage("create_token", "admin", "--name", f"{scope} service", "--scope", scope)
    return DeepCap(f"http://127.0.0.1:{installation.port}", created.stdout.strip())


def split(archive, *, every):
    """Return the zip without every n-th file of it, and a zip of those alone."""
    with zipfile.ZipFile(archive) as source:
        names = [name for name in source.namelist() if not name.endswith("/")]
        kept = [(name, source.read(name)) for number, name in enumerate(names) if number % every]
        held_out = [(name, source.read(name)) for number, name in enumerate(names) if not number % every]
    return zip_of(kept), zip_of(held_out)


def test_from_a_zip_to_predictions_and_back_to_nothing(installation, shared_data, tmp_path):
    archive = shared_data / "zips" / "class_folders_mednist.zip"
    training_zip, other_zip = split(archive, every=5)
    api = DeepCap(f"http://127.0.0.1:{installation.port}", installation.token)

    made = [
        api.upload("datasets/", filename=f"{name}.zip", data=data)["id"]
        for name, data in (("MedNIST", training_zip), ("Elsewhere", other_zip))
    ]
    own, elsewhere = (api.wait_for(f"datasets/{pk}/", "available", "preparation_failed") for pk in made)
    assert (own["status"], elsewhere["status"]) == ("available", "available"), (own, elsewhere)
    [labels] = api.get(f"datasets/{own['id']}/annotation-data/")["results"]
    [truth] = api.get(f"datasets/{elsewhere['id']}/annotation-data/")["results"]
    assert labels["annotation_type"] == "single_label_classification"

    # train on one part, measure on another
    parts = api.post(f"annotation-data/{labels['id']}/splits/", {"name": "Paper", "seed": 1})
    wanted = {"annotation_data": labels["id"], "name": "Body parts", "split": parts["id"]}
    task = api.post("training-tasks/", wanted, key="t")
    assert api.post("training-tasks/", wanted, key="t") == task
    assert work_once(services(installation, "training"), "training-tasks", train)
    task = api.get(f"training-tasks/{task['id']}/")
    assert (task["status"], task["progress"]) == ("finished", 100)
    assert (task["split"]["id"], task["performance_metric"]) == (parts["id"], "test_accuracy")
    assert task["performance"] >= 0.8
    assert len(task["curve"]) == 20
    assert task["model"]["filename"] == "logistic.npz"

    # infer, here and on a dataset the model has not seen
    inference = services(installation, "inference")
    jobs = [
        api.post(
            "inference-jobs/", {"training_task": task["id"], "dataset": dataset, "ground_truth": data, "name": name}
        )
        for dataset, data, name in ((own["id"], None, "Own"), (elsewhere["id"], truth["id"], "Elsewhere"))
    ]
    assert [work_once(inference, "inference-jobs", predict) for _ in range(3)] == [True, True, False]
    jobs = [api.get(f"inference-jobs/{job['id']}/") for job in jobs]
    assert [job["status"] for job in jobs] == ["finished", "finished"]
    assert jobs[0]["accuracy"] is None
    assert jobs[1]["accuracy"] >= 0.8

    # predictions become annotation data
    predicted = [api.post(f"inference-jobs/{job['id']}/annotation-data/", {"name": "Predicted"}) for job in jobs]
    predicted = [api.wait_for(f"annotation-data/{data['id']}/", "available", "import_failed") for data in predicted]
    assert [data["status"] for data in predicted] == ["available", "available"]
    assert predicted[1]["image_count"] == elsewhere["image_count"]
    assert predicted[1]["source"]["kind"] == "inference_job"
    assert {label["name"] for label in predicted[0]["labels"]} <= set(CLASSES)

    # a project of three annotators on the same images
    for number in range(3):
        installation.manage("shell", "-c", PERSON % number)
    project = api.post(
        "annotation-projects/",
        {
            "dataset": own["id"],
            "name": "Bright or dark",
            "annotation_types": [{"annotation_type": "single_label_classification", "labels": ["bright", "dark"]}],
            "members": [{"user": f"annotator{number}"} for number in range(3)],
            "validation_method": "dsv",
            "annotators_per_study": 3,
        },
    )
    assert work_once(services(installation, "annotation"), "annotation-projects", annotate)
    project = api.get(f"annotation-projects/{project['id']}/")
    assert (project["status"], project["annotated_count"]) == ("finished", own["study_count"])
    result = api.post(f"annotation-projects/{project['id']}/annotation-data/", {})
    result = api.wait_for(f"annotation-data/{result['id']}/", "available", "import_failed")
    assert (result["status"], result["image_count"]) == ("available", own["image_count"])

    # the dataset goes, with all that was made on it; what was put on the other one stays
    usage = api.get(f"datasets/{own['id']}/")["usage"]
    assert usage == {"annotation_projects": 1, "annotation_jobs": 3, "training_tasks": 1, "inference_jobs": 1}
    deletion = api.delete(f"datasets/{own['id']}/")
    receipt = api.wait_for(f"deletions/{deletion['id']}/", "done")
    gone = {"annotation_projects": 1, "annotation_jobs": 3, "training_tasks": 1, "inference_jobs": 2}
    assert {kind: receipt["counts"][kind] for kind in gone} == gone
    assert api.get(f"annotation-data/{predicted[1]['id']}/")["image_count"] == elsewhere["image_count"]
    assert api.get("inference-jobs/")["results"] == []
    until(lambda: installation.manage("reconcile_storage").returncode == 0)

    deletion = api.delete(f"datasets/{elsewhere['id']}/")
    api.wait_for(f"deletions/{deletion['id']}/", "done")
    until(lambda: installation.manage("reconcile_storage").returncode == 0)
    assert [path for path in (tmp_path / "var" / "objects").rglob("*") if path.is_file()] == []


PERSON = """
from deepcap.accounts.models import User
User.objects.create_user("annotator%d", password="correct horse battery")
"""
