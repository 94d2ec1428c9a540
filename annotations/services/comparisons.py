"""What two datasets have in common: the same bytes, the same patients, labels that may mean the same."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from annotations.combine.matching import propose
from annotations.errors import ComparisonRefused
from annotations.models import AnnotationDataStatus, Label
from datasets.models import Dataset, Image, Study

Kind = Literal["images", "patients", "only_a", "only_b"]
KINDS: tuple[Kind, ...] = ("images", "patients", "only_a", "only_b")
MOST_BESIDE = 1_000
MOST_LABELS = 300


@dataclass(frozen=True)
class Side:
    """One of two datasets: how many of its images have bytes that the other has too; patients are those it names."""

    dataset: Dataset
    shared_images: int
    patients: int
    shared_patient_studies: int

    @property
    def own_images(self) -> int:
        return self.dataset.image_count - self.shared_images


@dataclass(frozen=True)
class LabelPair:
    """Labels that may mean the same, and how that was found; of each {name: images, over all annotation data}."""

    match: str
    a: Mapping[str, int]
    b: Mapping[str, int]


@dataclass(frozen=True)
class Comparison:
    """``shared_blobs`` are different bytes that both have, ``shared_patients`` people, by keyed digest."""

    a: Side
    b: Side
    shared_blobs: int
    shared_patients: int
    labels: Sequence[LabelPair]


@dataclass
class SharedStudy:
    """A study, and those of the other dataset it has something in common with, up to MOST_BESIDE on a page."""

    study: Study
    beside: list[Study] = field(default_factory=list)


@dataclass(frozen=True)
class StudyPage:
    """Studies in display order; ``next`` is the position to go on after, None at the end."""

    rows: Sequence[SharedStudy]
    next: int | None


def compare(a: Dataset, b: Dataset) -> Comparison:
    """Return what two datasets have in common, in five statements however large. Raises ComparisonRefused."""
    if a.pk == b.pk:
        raise ComparisonRefused(_("Choose two different datasets."), code="same_dataset")
    images_a, blobs = _shared_images(a, b)
    images_b, _blobs = _shared_images(b, a)
    people_a, studies_a, patients = _patients(a, b)
    people_b, studies_b, _patients_b = _patients(b, a)
    return Comparison(
        a=Side(a, images_a, people_a, studies_a),
        b=Side(b, images_b, people_b, studies_b),
        shared_blobs=blobs,
        shared_patients=patients,
        labels=_labels(a, b),
    )


def studies_of(a: Dataset, b: Dataset, kind: Kind, *, after: int = -1, size: int = 24) -> StudyPage:
    """Return a page of the studies behind one of the numbers, after a position: at most three statements.

    ``images``: studies of ``a`` with bytes of ``b``; ``patients``: of patients of ``b``; ``only_a``, ``only_b``: with
    no bytes of the other.
    """
    of, other = (b, a) if kind == "only_b" else (a, b)
    studies = Study.objects.filter(dataset=of, position__gt=after).select_related("cover__blob").order_by("position")
    if kind == "patients":
        studies = studies.filter(Exists(_named(other).filter(patient_key=OuterRef("patient_key"))))
    elif kind == "images":
        studies = studies.filter(_has_bytes_of(other))
    else:
        studies = studies.filter(~_has_bytes_of(other))
    found = list(studies[: size + 1])
    rows = [SharedStudy(study) for study in found[:size]]
    if kind == "images":
        _put_beside(rows, _by_bytes(rows, other))
    elif kind == "patients":
        _put_beside(rows, _by_patient(rows, other))
    return StudyPage(rows, rows[-1].study.position if len(found) > size else None)


def _shared_images(of: Dataset, other: Dataset) -> tuple[int, int]:
    """Return how many images have bytes that ``other`` has too, and how many different bytes these are."""
    same = Image.objects.filter(dataset=other, blob=OuterRef("blob"))
    shared = Image.objects.filter(Exists(same), dataset=of).order_by()
    counted = shared.aggregate(images=Count("pk"), blobs=Count("blob", distinct=True))
    return counted["images"], counted["blobs"]


def _patients(of: Dataset, other: Dataset) -> tuple[int, int, int]:
    """Return how many patients are named, how many studies show one of ``other``, and how many patients these are."""
    named = _named(of)
    is_shared = Q(patient_key__in=_named(other).values("patient_key"))
    counted = named.aggregate(
        patients=Count("patient_key", distinct=True),
        studies=Count("pk", filter=is_shared),
        shared=Count("patient_key", distinct=True, filter=is_shared),
    )
    return counted["patients"], counted["studies"], counted["shared"]


def _named(dataset: Dataset) -> QuerySet[Study]:
    return Study.objects.filter(dataset=dataset).exclude(patient_key="").order_by()


def _has_bytes_of(other: Dataset) -> Exists:
    same = Image.objects.filter(dataset=other, blob=OuterRef("blob"))
    return Exists(Image.objects.filter(Exists(same), study=OuterRef("pk")))


def _by_bytes(rows: Sequence[SharedStudy], other: Dataset) -> list[tuple[int, Study]]:
    """Return (study of the page, study of ``other`` with the same bytes)."""
    own = Image.objects.filter(study__in=[row.study.pk for row in rows])
    studies_by_blob: dict[int, set[int]] = defaultdict(set)
    same = Image.objects.filter(dataset=other, blob__in=own.values("blob"))
    images = list(same.select_related("study__cover__blob").order_by("study__position", "position")[:MOST_BESIDE])
    for study, blob in own.filter(blob__in=[image.blob_id for image in images]).values_list("study", "blob"):
        studies_by_blob[blob].add(study)
    return [(study, image.study) for image in images for study in sorted(studies_by_blob[image.blob_id])]


def _by_patient(rows: Sequence[SharedStudy], other: Dataset) -> list[tuple[int, Study]]:
    """Return (study of the page, study of ``other`` of the same patient)."""
    studies_by_key: dict[str, list[int]] = defaultdict(list)
    for row in rows:
        studies_by_key[row.study.patient_key].append(row.study.pk)
    found = Study.objects.filter(dataset=other, patient_key__in=studies_by_key).select_related("cover__blob")
    return [
        (pk, study) for study in found.order_by("position")[:MOST_BESIDE] for pk in studies_by_key[study.patient_key]
    ]


def _put_beside(rows: Sequence[SharedStudy], pairs: Sequence[tuple[int, Study]]) -> None:
    by_study = {row.study.pk: row for row in rows}
    for pk, study in pairs:
        if study not in by_study[pk].beside:
            by_study[pk].beside.append(study)


def _labels(a: Dataset, b: Dataset) -> list[LabelPair]:
    """Return the labels of all available annotation data, those together that may mean the same; the most frequent."""
    counts: dict[int, Counter[str]] = {a.pk: Counter(), b.pk: Counter()}
    labels = Label.objects.filter(
        annotation_data__dataset__in=counts, annotation_data__status=AnnotationDataStatus.AVAILABLE
    )
    for dataset, name, images in labels.values_list("annotation_data__dataset", "name", "image_count"):
        counts[dataset][name] += images
    sides = [dict(counts[dataset.pk].most_common(MOST_LABELS)) for dataset in (a, b)]
    return [
        LabelPair(match.way, *({name: side[name] for name in match.names if name in side} for side in sides))
        for match in propose(sides)
    ]
