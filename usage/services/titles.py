"""What people call a record."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from usage.models import AnnotationJob


def title_of(row: Any) -> str:
    """Return the words that name a record; a job, which has no name, is named by its person and its project."""
    if isinstance(row, AnnotationJob):
        words = {
            "role": row.get_role_display(),
            "person": row.assignee.display_name if row.assignee else "–",
            "project": row.project.name,
        }
        return _("%(role)s job of %(person)s in %(project)s") % words
    return str(row)
