"""Advice, worked out by hand."""

from hypothesis import given
from hypothesis import strategies as st

from annotations.statistics.advice import LabelCount, advise


def codes(labels, **numbers):
    advice = advise(labels, **{"problems": {}, "negatives": 0, "unlisted": 0, **numbers})
    return {each["code"]: each for each in advice}


def test_balanced_labels_need_no_advice():
    assert codes([LabelCount("a", 50, 50), LabelCount("b", 50, 50)]) == {}


def test_a_label_far_below_the_cutoff_is_seriously_under_represented():
    # mean 70, cutoff ceil(52.5) = 53, half of it 26.5
    found = codes([LabelCount("a", 144, 144), LabelCount("b", 40, 40), LabelCount("c", 26, 26)])
    assert found["mildly_under_represented"]["labels"] == ["b"]
    assert found["seriously_under_represented"]["labels"] == ["c"]
    assert found["seriously_under_represented"]["severity"] == "warning"


def test_the_design_calls_61_and_71_percent_of_the_mean_mild_and_15_percent_serious():
    # mean 100
    labels = [LabelCount("big", 253, 253), LabelCount("61", 61, 61), LabelCount("71", 71, 71), LabelCount("15", 15, 15)]
    found = codes(labels)
    assert found["mildly_under_represented"]["labels"] == ["61", "71"]
    assert found["seriously_under_represented"]["labels"] == ["15"]


def test_tiny_and_empty_labels_are_named_with_the_filter_that_shows_them():
    found = codes([LabelCount("a", 9, 9), LabelCount("b & c", 9, 9), LabelCount("none", 0, 0)])
    assert found["tiny_class"]["count"] == 2
    assert found["tiny_class"]["query"] == "label=a&label=b+%26+c"
    assert "2 labels" in found["tiny_class"]["message"]
    assert found["label_without_images"]["labels"] == ["none"]
    assert found["label_without_images"]["query"] == ""


def test_problems_negatives_and_unlisted_images_are_counted():
    found = codes([], problems={"mask_empty": 2, "tiny_box": 0}, negatives=1, unlisted=7)
    assert found["mask_empty"]["query"] == "problem=mask_empty"
    assert "tiny_box" not in found
    assert found["images_without_labels"]["query"] == "nothing=1"
    assert found["images_without_labels"]["message"].startswith("1 image has nothing")
    assert found["images_not_listed"]["count"] == 7


@given(st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 5000)), max_size=20))
def test_a_label_is_under_represented_in_one_way_at_most_and_warnings_come_first(counts):
    labels = [LabelCount(str(n), images, weight if images else 0) for n, (images, weight) in enumerate(counts)]
    advice = advise(labels, problems={}, negatives=0, unlisted=0)
    by_code = {each["code"]: each["labels"] for each in advice}
    mild, serious = (by_code.get(f"{how}_under_represented", []) for how in ("mildly", "seriously"))
    assert not set(mild) & set(serious)
    assert [each["severity"] for each in advice] == sorted((each["severity"] for each in advice), reverse=True)
    weights = {label.name: label.weight for label in labels if label.images}
    if weights:
        mean = sum(weights.values()) / len(weights)
        assert all(weights[name] < mean + 1 for name in (*mild, *serious))
