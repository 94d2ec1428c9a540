"""What a split would be: who goes into which part, what parts have in common all the same. Nothing is written."""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from annotations.combine.split import Item, leaks, split
from annotations.errors import SplitRefused
from annotations.models import AnnotatedImage, Annotation, AnnotationData, AnnotationDataStatus
from annotations.statistics import alphabetical
from datasets.errors import WrongState
from datasets.models import Dataset, Image, Study

PART_NAME = re.compile(r"\w(?:[\w .-]{0,38}\w)?")  # names of folders, too
MOST_PARTS = 10
MOST_STUDIES = 500_000
MOST_LABELS = 500
EXAMPLES = 5
LARGEST_SEED = 2**63 - 1
USUAL = {"train": 70.0, "validation": 15.0, "test": 15.0}


@dataclass(frozen=True)
class Wish:
    """How studies are to be divided; shares in any unit. ``stratify`` keeps labels in proportion."""

    shares: Mapping[str, float] = field(default_factory=lambda: dict(USUAL))
    seed: int = 0
    by_patient: bool = True
    stratify: bool = True


@dataclass(frozen=True)
class Part:
    """Studies by id in display order; how many images they have, and how many of them have each label."""

    name: str
    share: float
    studies: Sequence[int]
    images: int
    labels: Mapping[str, int]


@dataclass(frozen=True)
class Plan:
    """The parts; how many patients, and how many same images, are in several of them, with examples: studies by id.

    ``without_patient`` studies name nobody: of them only the bytes could be compared.
    """

    parts: Sequence[Part]
    labels: Mapping[str, int]
    shared_patients: int
    shared_images: int
    without_patient: int
    examples: Sequence[Sequence[int]]

    @property
    def study_count(self) -> int:
        return sum(len(part.studies) for part in self.parts)

    def report(self) -> dict[str, Any]:
        """Return what is stored of it, as Split.report: of very many labels the most frequent."""
        told = [label for label, _number in Counter(self.labels).most_common(MOST_LABELS)]
        whole = sum(part.share for part in self.parts)
        return {
            "parts": [
                {
                    "name": part.name,
                    "share": round(part.share / whole, 6),
                    "studies": len(part.studies),
                    "images": part.images,
                    "labels": {label: part.labels[label] for label in alphabetical(told) if label in part.labels},
                }
                for part in self.parts
            ],
            "leaks": {"patients": self.shared_patients, "images": self.shared_images},
            "without_patient": self.without_patient,
        }


def plan_of_data(annotation_data: AnnotationData, wish: Wish) -> Plan:
    """Divide the studies of which images are listed. Raises SplitRefused, and WrongState for what is not available."""
    if annotation_data.status != AnnotationDataStatus.AVAILABLE:
        raise WrongState(_("These annotation data are not available."))
    listed = AnnotatedImage.objects.filter(annotation_data=annotation_data)
    rows = listed.values_list("image__study", "image__study__patient_key").annotate(n=Count("pk"))
    return _plan(rows.order_by("image__study__position"), annotation_data.dataset_id, annotation_data, wish)


def plan_of_dataset(dataset: Dataset, annotation_data: AnnotationData | None, wish: Wish) -> Plan:
    """Divide all studies; labels of ``annotation_data`` are in proportion. Raises SplitRefused."""
    rows = Study.objects.filter(dataset=dataset).order_by("position").values_list("pk", "patient_key", "image_count")
    return _plan(rows, dataset.pk, annotation_data, wish)


def _plan(rows: QuerySet[Any, Any], dataset_id: int, data: AnnotationData | None, wish: Wish) -> Plan:
    """``rows`` are the studies in display order: id, patient key, number of images. Three queries."""
    check(wish)
    studies = list(rows[: MOST_STUDIES + 1])
    if len(studies) > MOST_STUDIES:
        message = _("At most %(most)s studies can be divided at a time.") % {"most": f"{MOST_STUDIES:,}"}
        raise SplitRefused(message, code="too_many_studies")
    ties = _ties(dataset_id, {study: key for study, key, _images in studies})
    labels = _labels(data)
    items = [Item(study, ties.get(study, _NOTHING), labels.get(study, _NO_LABELS)) for study, _k, _i in studies]
    parts = split([_as_wished(item, wish) for item in items], shares=wish.shares, seed=wish.seed)
    if not all(parts.values()):
        raise SplitRefused(_("There are too few studies: a part would be empty."), code="part_empty")
    shared = leaks(items, parts)
    images = {study: number for study, _key, number in studies}
    return Plan(
        parts=[_part(name, wish.shares[name], ids, images, labels) for name, ids in parts.items()],
        labels=Counter(label for item in items for label in item.labels),
        shared_patients=sum(isinstance(tie, str) for tie in shared),
        shared_images=sum(not isinstance(tie, str) for tie in shared),
        without_patient=sum(not key for _study, key, _images in studies),
        examples=_examples(items, shared),
    )


def check(wish: Wish) -> None:
    """Raises SplitRefused: shares_invalid, part_name_invalid, seed_invalid."""
    shares = wish.shares.values()
    if not 2 <= len(wish.shares) <= MOST_PARTS or not all(math.isfinite(share) and share > 0 for share in shares):
        message = _("Two to %(most)d parts are needed, each with a positive share.") % {"most": MOST_PARTS}
        raise SplitRefused(message, code="shares_invalid")
    names = [name.casefold() for name in wish.shares]
    if len(set(names)) < len(names) or not all(PART_NAME.fullmatch(name) for name in wish.shares):
        message = _("Parts need different names of at most 40 letters, digits, spaces, dots, dashes.")
        raise SplitRefused(message, code="part_name_invalid")
    if not 0 <= wish.seed <= LARGEST_SEED:
        raise SplitRefused(_("The seed is a whole number from 0."), code="seed_invalid")


_NOTHING: frozenset[Hashable] = frozenset()
_NO_LABELS: frozenset[str] = frozenset()


def _as_wished(item: Item, wish: Wish) -> Item:
    ties = item.ties if wish.by_patient else _NOTHING
    return Item(item.study, ties, item.labels if wish.stratify else _NO_LABELS)


def _ties(dataset_id: int, patients: Mapping[int, str]) -> dict[int, frozenset[Hashable]]:
    """Return what studies have in common with others of them: patient keys (str), ids of blobs (int)."""
    images = Image.objects.filter(dataset=dataset_id).order_by()
    several = images.values("blob").annotate(n=Count("study", distinct=True)).filter(n__gt=1)
    ties: dict[int, set[Hashable]] = defaultdict(set)
    shared = images.filter(blob__in=several.values("blob")).values_list("study", "blob").distinct()
    for study, blob in shared.iterator(chunk_size=5_000):
        ties[study].add(blob)
    of_patient = Counter(patients.values())
    for study, key in patients.items():
        if key and of_patient[key] > 1:
            ties[study].add(key)
    return {study: frozenset(each) for study, each in ties.items()}


def _labels(data: AnnotationData | None) -> dict[int, frozenset[str]]:
    """Return the labels that studies have; studies with the same ones share the set."""
    if data is None:
        return {}
    having = Annotation.objects.filter(Q(value=None) | Q(value=1), item__annotation_data=data).order_by()
    found: dict[int, list[str]] = defaultdict(list)
    pairs = having.values_list("item__image__study", "label__name").distinct()
    for study, label in pairs.iterator(chunk_size=5_000):
        found[study].append(label)
    sets: dict[frozenset[str], frozenset[str]] = {}
    return {study: sets.setdefault(each := frozenset(names), each) for study, names in found.items()}


def _part(
    name: str,
    share: float,
    studies: Sequence[int],
    images: Mapping[int, int],
    labels: Mapping[int, frozenset[str]],
) -> Part:
    counted = Counter(label for study in studies for label in labels.get(study, _NO_LABELS))
    return Part(name, share, studies, sum(images[study] for study in studies), counted)


def _examples(items: Iterable[Item], shared: set[Hashable]) -> list[list[int]]:
    """Return some groups of studies that share a patient or bytes over the borders of parts: patients first."""
    some = sorted(shared, key=lambda tie: (not isinstance(tie, str), str(tie)))[:EXAMPLES]
    groups: dict[Hashable, list[int]] = {tie: [] for tie in some}
    for item in items:
        for tie in item.ties & groups.keys() if item.ties else ():
            groups[tie].append(item.study)
    return list(groups.values())
