"""What services hand in counts against the quota of the person whose data they worked on (P17)."""

import pytest

from datasets.services.quota import stored_bytes
from usage.services.deletions import delete_usage

from .builders import make_inference, make_labelled, make_training, predict, train

pytestmark = pytest.mark.django_db


def test_models_and_predictions_count_once_and_no_longer_than_they_are_there(user, other_user):
    dataset, data = make_labelled(user)
    before = stored_bytes(user)
    task = train(make_training(data), model=b"m" * 1000)
    assert stored_bytes(user) == before + 1000
    train(make_training(data), model=b"m" * 1000)
    assert stored_bytes(user) == before + 1000
    predict(make_inference(task, dataset), csv=b"0/0.png,normal\n")
    assert stored_bytes(user) == before + 1015
    _elsewhere, theirs = make_labelled(other_user)
    train(make_training(theirs), model=b"m" * 2000)
    assert stored_bytes(user) == before + 1015
    delete_usage(row=task, by=user, confirmation="DELETE")
    assert stored_bytes(user) == before + 1000
