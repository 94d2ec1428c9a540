"""Which labels are proposed to be one, and which are not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotations.combine.matching import distance, propose, safe_names

NAMES = st.text(alphabet="abAB s_-1", min_size=1, max_size=8)


@pytest.mark.parametrize(
    ("one", "other", "way"),
    [
        ("cat", "cat", "exact"),
        ("Cat", "cat", "case"),
        ("Straße", "STRASSE", "case"),
        ("pleural effusion", "Pleural_Effusion", "punctuation"),
        ("no-finding", "No Finding", "punctuation"),
        ("Crohn's disease", "crohns disease", "punctuation"),
        ("COVID-19", "covid 19", "punctuation"),
        ("T2 - weighted", "T2–weighted", "punctuation"),
        ("grade 1-2", "Grade_1–2", "punctuation"),
        ("mass (benign)", "mass, benign", "punctuation"),
        ("nodule", "Nodules", "plural"),
        ("opacity", "opacities", "plural"),
        ("mass", "masses", "plural"),
        ("pneumonia", "pnuemonia", "similar"),
        ("cardiomegaly", "cardiomegally", "similar"),
    ],
)
def test_names_that_may_mean_the_same(one, other, way):
    [match] = propose([[one], [other]])
    assert (match.label, match.way) == (one, way)
    assert set(match.names) == {one, other}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        *(("mass", "mask"), ("left", "right"), ("grade 1", "grade 2"), ("T1", "T2"), ("normal", "abnormal")),
        *(("bus", "bu"), ("HER2+", "HER2-"), ("HER2- tumour", "HER2 tumour"), ("ER-/PR+ status", "ER+/PR- status")),
        *(("<5 mm nodule", ">5 mm nodule"), ("1.5 mm slices", "15 mm slices"), ("T1-2", "T12"), ("ก้อน", "ก้าน")),
        *(("Grade 1.1", "Grade 11"), ("grade 1 2", "grade 12"), ("a = b", "a ≠ b"), ("C", "C++"), ("हड़", "हड़ी")),
    ],
)
def test_names_that_do_not(one, other):
    assert [match.way for match in propose([[one], [other]])] == ["none", "none"]


def test_labels_of_one_source_are_not_put_together():
    matches = propose([["cat", "Cat"], ["CAT"]])
    assert [(match.names, match.way) for match in matches] == [(("cat", "CAT"), "case"), (("Cat",), "none")]


@given(st.lists(st.lists(NAMES, max_size=5, unique=True), max_size=4))
def test_every_name_is_in_one_match(sources):
    matches = propose(sources)
    names = [name for match in matches for name in match.names]
    assert sorted(names) == sorted({name for source in sources for name in source})
    for match in matches:
        for source in sources:
            assert len(set(match.names) & set(source)) <= 1


@given(NAMES, NAMES, NAMES)
def test_the_distance_is_one(one, other, third):
    assert distance(one, other) == distance(other, one)
    assert (distance(one, other) == 0) == (one == other)
    assert abs(len(one) - len(other)) <= distance(one, other) <= max(len(one), len(other))
    assert distance(one, one + third) == len(third)


@given(st.text("abc", max_size=8), st.text("abc", max_size=8), st.integers(0, 3))
def test_a_limit_on_the_distance_changes_nothing_below_it(one, other, most):
    assert min(distance(one, other, most=most), most + 1) == min(distance(one, other), most + 1)


def test_what_is_only_spelt_alike_keeps_its_name():
    assert safe_names(["Hypertension", "hypotension", "HYPERTENSION ", "Hypotensions"]) == {
        "Hypertension": "Hypertension",
        "hypotension": "hypotension",
        "HYPERTENSION ": "Hypertension",
        "Hypotensions": "hypotension",
    }


def test_many_names_are_matched_in_time_that_grows_with_their_number():
    letters = "abcdefghijklmnop"
    names = ["".join(letters[(number >> 4 * place) & 15] for place in range(5)) for number in range(20_000)]
    matches = propose([names, [name.upper() for name in names]])
    assert len(matches) == len(names)
    assert {match.way for match in matches} == {"case"}
