"""The training service: logistic regression on thumbnails, a tenth of the steps at a time so that there is a curve."""

from __future__ import annotations

import io
import sys

import numpy as np
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import train_test_split

from .client import Claim, serve
from .pictures import classes_by_path, images_of, read_features

KIND = "training-tasks"
EPOCHS = 20


def train(claim: Claim) -> None:
    """Train on three quarters of the images, measure on the rest after every epoch, hand in the weights."""
    task, api = claim.work, claim.api
    if task["annotation_type"] != "single_label_classification":
        claim.fail("This service trains single-label classification only.")
        return
    classes = classes_by_path(api.read(f"annotation-data/{task['annotation_data']}/export/?file_format=csv"))
    images = [image for image in images_of(api, task["dataset"]) if image["path"] in classes]
    claim.report(progress=10, detail=f"{len(images)} labelled images")
    values = read_features(api, images)
    labels = np.array([classes[image["path"]] for image in images])
    names, seen = np.unique(labels, return_counts=True)
    if len(names) < 2 or seen.min() < 2:
        claim.fail("At least two classes with at least two images each are needed.")
        return
    epochs = int(task["hyperparameters"].get("epochs", EPOCHS))
    split = train_test_split(values, labels, test_size=0.25, random_state=0, stratify=labels)
    training_values, validation_values, training_labels, validation_labels = split
    model = SGDClassifier(loss="log_loss", alpha=1e-3, random_state=0)
    order = np.random.default_rng(0)
    accuracy = 0.0
    for epoch in range(1, epochs + 1):
        places = order.permutation(len(training_values))
        model.partial_fit(training_values[places], training_labels[places], classes=names)
        accuracy = float(model.score(validation_values, validation_labels))
        metrics = [
            {"name": "validation_accuracy", "step": epoch, "value": accuracy},
            {"name": "training_accuracy", "step": epoch, "value": float(model.score(training_values, training_labels))},
        ]
        api.post(f"{claim.path}metrics/", {"claim": claim.claim, "metrics": metrics})
        claim.report(progress=10 + 85 * epoch // epochs, detail=f"epoch {epoch} of {epochs}")
    weights = io.BytesIO()
    np.savez(weights, coefficients=model.coef_, intercepts=model.intercept_, classes=names.astype(str))
    claim.hand_in("model", filename="logistic.npz", data=weights.getvalue())
    claim.finish(performance=accuracy, performance_metric="validation_accuracy")


if __name__ == "__main__":
    sys.exit(serve(KIND, train))
