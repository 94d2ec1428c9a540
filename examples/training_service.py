"""The training service: logistic regression on thumbnails, a tenth of the steps at a time so that there is a curve."""

from __future__ import annotations

import io
import sys
from urllib.parse import quote

import numpy as np
from sklearn.linear_model import SGDClassifier
from sklearn.model_selection import train_test_split

from .client import Claim, DeepCap, serve
from .pictures import classes_by_path, images_of, read_features

KIND = "training-tasks"
EPOCHS = 20


def train(claim: Claim) -> None:
    """Train, measure after every epoch, hand in the weights.

    A task with a split is trained on its first part, measured on its second while it goes on, and in the end on its
    last, which it has not seen; without one, three quarters of the images are trained on, and measured on the rest.
    """
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
    training, validation, test = divided(api, task, images, labels)
    if not (len(training) and len(validation) and len(test)) or set(labels[training]) != set(names):
        claim.fail("Every part of the split needs images, and the first one all classes.")
        return
    model = SGDClassifier(loss="log_loss", alpha=1e-3, random_state=0)
    order = np.random.default_rng(0)
    for epoch in range(1, epochs + 1):
        places = order.permutation(training)
        model.partial_fit(values[places], labels[places], classes=names)
        metrics = [
            {"name": name, "step": epoch, "value": float(model.score(values[part], labels[part]))}
            for name, part in (("validation_accuracy", validation), ("training_accuracy", training))
        ]
        api.post(f"{claim.path}metrics/", {"claim": claim.claim, "metrics": metrics})
        claim.report(progress=10 + 85 * epoch // epochs, detail=f"epoch {epoch} of {epochs}")
    weights = io.BytesIO()
    np.savez(weights, coefficients=model.coef_, intercepts=model.intercept_, classes=names.astype(str))
    claim.hand_in("model", filename="logistic.npz", data=weights.getvalue())
    accuracy = float(model.score(values[test], labels[test]))
    metric = "validation_accuracy" if test is validation else "test_accuracy"
    claim.finish(performance=accuracy, performance_metric=metric)


def divided(api: DeepCap, task: dict, images: list[dict], labels: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the places of the images to train on, to measure on meanwhile, and to measure on in the end."""
    split = task["split"]
    if split is None:
        everything = np.arange(len(images))
        training, rest = train_test_split(everything, test_size=0.25, random_state=0, stratify=labels)
        return training, rest, rest
    place = {image["path"]: number for number, image in enumerate(images)}
    address = f"annotation-data/{task['annotation_data']}/export/?file_format=csv&split={split['id']}&part="
    parts = [
        np.array([place[path] for path in classes_by_path(api.read(address + quote(name))) if path in place], dtype=int)
        for name in split["parts"]
    ]
    return parts[0], parts[1], parts[-1]


if __name__ == "__main__":
    sys.exit(serve(KIND, train))
