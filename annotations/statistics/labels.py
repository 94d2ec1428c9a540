"""Labels in order: alphabetically, each with the colour of its place."""

from __future__ import annotations

from collections.abc import Iterable

from annotations.models import Label
from deepcap.common.bulk import update_rows
from deepcap.common.chunks import in_chunks

from .colors import color_of

ROWS_PER_UPDATE = 5_000


def alphabetical(names: Iterable[str]) -> list[str]:
    """Return the names in the order in which they are shown: capitals make no difference, unless nothing else does."""
    return sorted(names, key=lambda name: (name.casefold(), name))


def arrange_labels(annotation_data_id: int) -> None:
    """Every label of the data has its place and the colour of its place. Doing it again changes nothing."""
    labels = {label.name: label for label in Label.objects.filter(annotation_data=annotation_data_id)}
    changed: list[tuple[int, dict[str, object]]] = []
    for position, name in enumerate(alphabetical(labels)):
        label, color = labels[name], color_of(position)
        if (label.position, label.color) != (position, color):
            changed.append((label.pk, {"position": position, "color": color}))
    for chunk in in_chunks(changed, ROWS_PER_UPDATE):
        update_rows(Label, chunk)
