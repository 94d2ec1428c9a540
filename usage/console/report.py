"""The evaluation of an inference job as numbers, a matrix and curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from usage.models import Evaluation

from .curves import HEIGHT, WIDTH, polyline

MOST_LABELS = 50
LINES_A_CHART = 4
TONES = 5


@dataclass(frozen=True)
class Cell:
    """``tone`` from 0 to TONES: how much of its row it is; on the ``diagonal`` that is good."""

    number: int
    tone: int
    diagonal: bool


@dataclass(frozen=True)
class CurveLine:
    label: str
    value: float
    points: str


@dataclass(frozen=True)
class CurveChart:
    """Both axes run from 0 to 1. ``value_name`` says what the number beside a label is."""

    title: str
    across: str
    up: str
    value_name: str
    lines: list[CurveLine]


def report_of(evaluation: Evaluation) -> dict[str, Any]:
    """Return what the templates of a report need; of many labels the first MOST_LABELS."""
    report = evaluation.report
    labels = report.get("labels", [])
    columns = [(key, title) for key, title in _columns() if any(each.get(key) is not None for each in labels)]
    return {
        "evaluation": evaluation,
        "headline": _headline(evaluation),
        "label_columns": [title for _key, title in columns],
        "label_rows": [(each["label"], [each.get(key) for key, _title in columns]) for each in labels[:MOST_LABELS]],
        "labels_left_out": max(0, len(labels) - MOST_LABELS),
        "confusion": _confusion(report.get("confusion")),
        "curve_charts": curve_charts(report.get("curves", [])),
        "predicted": report.get("predicted", [])[:MOST_LABELS],
    }


def _columns() -> list[tuple[str, str]]:
    return [
        ("precision", _("Precision")),
        ("recall", _("Recall")),
        ("f1", _("F1")),
        ("average_precision", _("Average precision")),
        ("dice", _("Dice")),
        ("iou", _("IoU")),
    ]


def _headline(evaluation: Evaluation) -> list[tuple[str, float]]:
    """Return (what, share of 1), the most important first."""
    report = evaluation.report
    found = [
        (
            _("Images that are right"),
            evaluation.right_count / evaluation.judged_count if evaluation.judged_count else None,
        ),
        (_("Mean average precision"), report.get("mean_average_precision")),
        (_("Mean Dice"), report.get("mean_dice")),
        (_("Mean IoU"), report.get("mean_iou")),
        (_("Macro F1"), report.get("macro_f1")),
    ]
    return [(title, value) for title, value in found if value is not None]


def _confusion(confusion: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if not confusion:
        return None
    columns = [column or _("nothing") for column in confusion["columns"]]
    rows = []
    for label, numbers in zip(confusion["rows"], confusion["matrix"], strict=True):
        total = sum(numbers)
        cells = [
            Cell(number, -(-number * TONES // total) if total else 0, column == label)
            for column, number in zip(confusion["columns"], numbers, strict=True)
        ]
        rows.append((label, cells, total))
    return {"columns": columns, "rows": rows, "left_out": confusion["left_out"]}


def curve_charts(curves: Sequence[Mapping[str, Any]]) -> list[CurveChart]:
    """Return charts of ROC and of precision by recall, LINES_A_CHART labels in each."""
    charts = []
    for start in range(0, len(curves), LINES_A_CHART):
        group = curves[start : start + LINES_A_CHART]
        if roc := [_line(each, "roc", "auc") for each in group if "roc" in each]:
            charts.append(CurveChart(_("ROC"), _("False positive rate"), _("True positive rate"), _("area"), roc))
        pairs = [_line(each, "precision_recall", "average_precision") for each in group]
        title = _("Precision and recall")
        charts.append(CurveChart(title, _("Recall"), _("Precision"), _("average precision"), pairs))
    return charts


def _line(curve: Mapping[str, Any], points: str, value: str) -> CurveLine:
    placed = [(float(x), float(y)) for x, y in curve[points]]
    return CurveLine(curve["label"], curve[value], polyline(placed, x=(0, 1), y=(0, 1), width=WIDTH, height=HEIGHT))
