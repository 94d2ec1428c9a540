"""Classification: the majority's label, and how many agree with it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

THRESHOLD = Fraction(1, 2)


@dataclass(frozen=True)
class Verdict:
    """``rate`` is the consistency rate, 0 to 1; ``label`` is None where it is not above a half: failed."""

    label: str | None
    rate: Fraction

    @property
    def passed(self) -> bool:
        return self.rate > THRESHOLD


@dataclass(frozen=True)
class LabelsVerdict:
    """A verdict a label, of whether the image has it; the rate is their mean, and all must have passed."""

    values: Mapping[str, bool]
    rate: Fraction
    passed: bool


def majority(votes: Sequence[str]) -> Verdict:
    """Judge the labels that the annotators of an image chose, one each: 2 of 3 is a rate of 2/3.

    The rate is the number of those who chose the most frequent label, over all. Raises ValueError without votes.
    """
    if not votes:
        raise ValueError("Nobody has annotated this image.")
    [(label, number)] = Counter(votes).most_common(1)
    rate = Fraction(number, len(votes))
    return Verdict(label if rate > THRESHOLD else None, rate)


def majority_of_labels(votes: Sequence[Mapping[str, bool]], labels: Sequence[str]) -> LabelsVerdict:
    """Judge multi-label classification, label by label; who does not mention a label says that the image has it not.

    Our own rule: the product description gives none. Raises ValueError without votes.
    """
    if not votes:
        raise ValueError("Nobody has annotated this image.")
    values: dict[str, bool] = {}
    rates: list[Fraction] = []
    for label in labels:
        verdict = majority(["yes" if vote.get(label, False) else "no" for vote in votes])
        rates.append(verdict.rate)
        if verdict.passed:
            values[label] = verdict.label == "yes"
    rate = sum(rates, Fraction()) / len(rates) if rates else Fraction(1)
    return LabelsVerdict(values, rate, all(rate > THRESHOLD for rate in rates))
