"""What of a label file was not used, and why: counted completely, kept as rows up to a limit."""

from __future__ import annotations

from collections import Counter

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from annotations.formats.base import RowProblem
from annotations.models import LabelImport, LabelProblem
from datasets.archives import Refused
from deepcap.common.bulk import insert_rows

from .fit import fit_text

KEPT = 100_000
NEAR = 5
COLUMNS = ("label_import", "path", "row", "column", "code", "message", "near")
MAX_ROW = 2**31 - 1


class Problems:
    """Collects the problems of an import; :meth:`write` belongs into the transaction that writes what was good."""

    def __init__(self, label_import: LabelImport) -> None:
        self._import = label_import
        self._waiting: list[RowProblem] = []
        self._kept = 0
        self.by_code: Counter[str] = Counter()

    @property
    def count(self) -> int:
        return self.by_code.total()

    def add(self, problem: RowProblem) -> None:
        self.by_code[problem.code] += 1
        if self._kept < KEPT:
            self._kept += 1
            self._waiting.append(problem)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def write(self) -> None:
        insert_rows(LabelProblem, COLUMNS, [self._row(problem) for problem in self._waiting])

    def written(self) -> None:
        """What was written is committed."""
        self._waiting = []

    def _row(self, problem: RowProblem) -> tuple[object, ...]:
        row = problem.row if problem.row is not None and 0 <= problem.row <= MAX_ROW else None
        near = [fit_text(path, 1024) for path in problem.near[:NEAR]]
        return (
            self._import.pk,
            fit_text(problem.path, 1024),
            row,
            fit_text(problem.column, 100),
            problem.code[:60],
            fit_text(problem.message, 500),
            near,
        )


def of_refused(refused: Refused) -> RowProblem:
    """Return the problem of a member of a zip that is not read."""
    return RowProblem(None, "", refused.code, refused.message, refused.path)


def sentence(count: int) -> str:
    """Say how many rows were not used."""
    return ngettext("%(n)s row could not be used.", "%(n)s rows could not be used.", count) % {"n": intcomma(count)}


def nothing_in_it() -> str:
    return _("There are no labels in the file.")
