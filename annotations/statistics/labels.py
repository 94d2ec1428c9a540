"""Labels in order: alphabetically, each with the colour of its place."""

from __future__ import annotations

from collections.abc import Iterable

from annotations.models import Label

from .colors import color_of


def alphabetical(names: Iterable[str]) -> list[str]:
    """Return the names in the order in which they are shown: capitals make no difference, unless nothing else does."""
    return sorted(names, key=lambda name: (name.casefold(), name))


def arrange_labels(annotation_data_id: int) -> None:
    """Every label of the data has its place and the colour of its place. Doing it again changes nothing."""
    labels = {label.name: label for label in Label.objects.filter(annotation_data=annotation_data_id)}
    changed = []
    for position, name in enumerate(alphabetical(labels)):
        label, place = labels[name], (position, color_of(position))
        if (label.position, label.color) != place:
            label.position, label.color = place
            changed.append(label)
    Label.objects.bulk_update(changed, ["position", "color"], batch_size=500)
