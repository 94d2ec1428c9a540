"""Single-label classification: an image, or a frame of it, has one class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from .base import Counts, Said, mean
from .curves import Scores

MOST_SHOWN = 20
NOTHING = ""
"""Stands for images for which nothing was predicted."""


class SingleLabel:
    """Counts pairs of true and predicted classes. An image without prediction is wrong."""

    def __init__(self) -> None:
        self._pairs: Counter[tuple[str, str]] = Counter()
        self._scores: dict[tuple[str, str], Scores] = {}
        self._all_scored = True

    def judge(self, truth: Sequence[Said], predicted: Sequence[Said]) -> bool:
        said = {each.frame: each for each in reversed(predicted)}
        right = True
        for each in truth:
            answer = said.get(each.frame)
            label = answer.label if answer else NOTHING
            self._pairs[each.label, label] += 1
            self._keep_score(each.label, label, answer.score if answer else None)
            right = right and label == each.label
        return right and bool(truth)

    def report(self) -> dict[str, Any]:
        true, predicted = ({pair[side] for pair in self._pairs} - {NOTHING} for side in (0, 1))
        counts = {label: Counts() for label in sorted(true | predicted)}
        for (one, other), number in self._pairs.items():
            if one == other:
                counts[one].true_positives += number
            else:
                counts[one].false_negatives += number
                if other != NOTHING:
                    counts[other].false_positives += number
        labels = [each.told(label) for label, each in counts.items()]
        return {
            "labels": labels,
            "macro_f1": mean([each["f1"] for each in labels]),
            "confusion": self._confusion(counts),
            "curves": self._curves(list(counts)),
        }

    def _confusion(self, counts: dict[str, Counts]) -> dict[str, Any]:
        """Return the matrix, truth by rows; of many classes those that occur most, and in ``left_out`` how many not."""
        occurs = Counter({label: each.true_positives + each.false_negatives for label, each in counts.items()})
        shown = sorted(label for label, _number in occurs.most_common(MOST_SHOWN))
        columns = [*shown, *([NOTHING] if any(other == NOTHING for _one, other in self._pairs) else [])]
        matrix = [[self._pairs[row, column] for column in columns] for row in shown]
        return {"rows": shown, "columns": columns, "matrix": matrix, "left_out": len(counts) - len(shown)}

    def _keep_score(self, truth: str, predicted: str, score: float | None) -> None:
        """Keep confidences by pair of classes, as long as curves may come of them: of many classes none do."""
        if score is None or not 0.5 <= score <= 1 or predicted == NOTHING or len(self._pairs) > 4:
            self._all_scored = False
            self._scores.clear()
        elif self._all_scored:
            self._scores.setdefault((truth, predicted), Scores()).add(score, positive=True)

    def _curves(self, labels: list[str]) -> list[dict[str, Any]]:
        """Return curves where they mean something: of two classes, with a confidence in every choice.

        A confidence of 0.8 in one of two classes is one of 0.2 in the other.
        """
        if len(labels) != 2 or not self._all_scored:
            return []
        found = []
        for label in labels:
            scores = Scores()
            for (truth, predicted), kept in self._scores.items():
                side = scores.positives if truth == label else scores.negatives
                for place, number in enumerate(kept.positives):
                    side[place if predicted == label else len(side) - 1 - place] += number
            found.append(scores.curves(label))
        return [each for each in found if each]
