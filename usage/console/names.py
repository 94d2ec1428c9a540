"""The names of what a deletion takes with it, where there are few."""

from __future__ import annotations

from typing import Any

from django.db.models import Model

from usage.models import AnnotationJob, InferenceJob
from usage.under import under

FEW = 5


def names_under(target: Model) -> list[str]:
    """Return the names of the records that hang under ``target``, without itself; none when there are more than FEW."""
    names: list[str] = []
    for table, rows in under(target).items():
        if table is type(target):
            continue
        found: Any = rows.order_by("pk")[: FEW + 1]
        if table is AnnotationJob:
            found = found.select_related("assignee")
            names += [row.assignee.display_name if row.assignee else "–" for row in found]
        elif table is InferenceJob:
            names += [row.name for row in found]
    return names if len(names) <= FEW else []
