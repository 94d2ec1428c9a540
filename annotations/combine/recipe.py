"""What is to be combined, and how: kept with the work as JSON, so that it can be done again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from annotations.models import Duplicates, OnConflict


@dataclass(frozen=True)
class Source:
    """A dataset, by id and the name it had; the annotation data chosen of it; the studies, by id, where not all.

    ``labels`` says what becomes of labels: another name, or None: what has that label is left out.
    """

    dataset: int
    name: str
    annotation_data: int | None = None
    labels: Mapping[str, str | None] = field(default_factory=dict)
    studies: tuple[int, ...] | None = None

    def name_of(self, label: str) -> str | None:
        """Return what a label of this source is called in the result; None where it is left out."""
        return self.labels.get(label, label)


@dataclass(frozen=True)
class Recipe:
    """Sources in their order: of two that clash the first has its way.

    ``further`` are annotation data that are taken over as they are, beside the one that is chosen of each source: ids
    of those of the only source, each with the id of what is made of them.
    """

    sources: tuple[Source, ...]
    on_conflict: str = OnConflict.KEEP_FIRST
    duplicates: str = Duplicates.KEEP_ALL
    further: tuple[tuple[int, int], ...] = ()

    @property
    def keeps_once(self) -> bool:
        return self.duplicates == Duplicates.KEEP_ONCE

    def labellings(self, made: int | None) -> list[tuple[int, Recipe]]:
        """Return the annotation data that are made, each with its recipe: ``made`` of what was chosen, and further."""
        first = [] if made is None else [(made, self)]
        return first + [
            (target, replace(self, sources=(replace(self.sources[0], annotation_data=source, labels={}),), further=()))
            for source, target in self.further
        ]

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"on_conflict": str(self.on_conflict), "duplicates": str(self.duplicates)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Recipe:
        sources = tuple(
            Source(**{**each, "studies": None if each["studies"] is None else tuple(each["studies"])})
            for each in values["sources"]
        )
        further = tuple((source, target) for source, target in values.get("further", ()))
        return cls(sources, values["on_conflict"], values["duplicates"], further)
