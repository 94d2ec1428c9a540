"""The inference service: predicts the class of every image of a dataset with a model of the training service."""

from __future__ import annotations

import io
import sys

import numpy as np

from .client import Claim, serve
from .pictures import classes_by_path, images_of, read_features, write_label_csv

KIND = "inference-jobs"


def predict(claim: Claim) -> None:
    """Hand in ``label.csv`` with the most likely class of each image, and the accuracy where the truth is known."""
    job, api = claim.work, claim.api
    with np.load(io.BytesIO(api.read(f"training-tasks/{job['training_task']}/model/")), allow_pickle=False) as weights:
        coefficients, intercepts, classes = weights["coefficients"], weights["intercepts"], weights["classes"]
    images = images_of(api, job["dataset"])
    claim.report(progress=20, detail=f"{len(images)} images")
    scores = read_features(api, images) @ coefficients.T + intercepts
    claim.go_on()
    chosen = (scores[:, 0] > 0).astype(int) if len(classes) == 2 else scores.argmax(axis=1)
    predicted = {image["path"]: str(classes[place]) for image, place in zip(images, chosen, strict=True)}
    data = write_label_csv(predicted.items())
    claim.hand_in("predictions", filename="label.csv", data=data, file_format="csv")
    if job["ground_truth"] is None:
        claim.finish()
        return
    truth = classes_by_path(api.read(f"annotation-data/{job['ground_truth']}/export/?file_format=csv"))
    right = sum(predicted.get(path) == name for path, name in truth.items())
    claim.finish(accuracy=right / len(truth), metrics={"images": len(truth), "right": right})


if __name__ == "__main__":
    sys.exit(serve(KIND, predict))
