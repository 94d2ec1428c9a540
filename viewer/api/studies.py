"""The study that an address of the viewer names."""

from __future__ import annotations

from django.shortcuts import get_object_or_404

from datasets.models import Study
from deepcap.accounts.models import User


def study_or_404(user: User, pk: int) -> Study:
    """Return a study this person may see, with its dataset. Raises Http404."""
    return get_object_or_404(Study.objects.visible_to(user).select_related("dataset"), pk=pk)
