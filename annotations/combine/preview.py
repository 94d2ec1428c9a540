"""What would come of a recipe, said before anything is written: by so many queries whatever the size of the sources."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, groupby, takewhile
from typing import Any

from django.db.models import Count, Q, QuerySet, Sum

from annotations.models import AnnotatedImage, Annotation, AnnotationData, AnnotationType, Label
from annotations.statistics import alphabetical
from datasets.models import Blob, Image, Study
from datasets.models.image import ImageFormat

from .agreement import Said, disagree
from .matching import propose
from .recipe import Recipe, Source
from .relations import listed

EXAMINED = 2_000
"""Listed images of bytes that several sources have, at most, whose annotations are compared."""
EXAMINED_ANNOTATIONS = 100_000
"""How many annotations those have, at most: a few images may have very many."""
EXAMPLES = 20


@dataclass
class Conflicts:
    """``count`` of the groups of same images that were ``examined``; of all only where ``is_complete``."""

    count: int = 0
    examined: int = 0
    is_complete: bool = True
    examples: list[list[AnnotatedImage]] = field(default_factory=list)


@dataclass(frozen=True)
class Shared:
    """Images by their bytes, or studies by their patient, that several sources have: groups, and some of them."""

    count: int
    examples: list[list[Any]]


@dataclass(frozen=True)
class Preview:
    """``label_matches`` are matches with their labels; ``before`` are the sources' labels, ``after`` the result's.

    ``totals``: studies, images, size_bytes, listed_images, annotations. What the labels and the last two will count is
    exact unless sources speak of the same bytes, labels of one source become one, or only some studies were picked:
    ``is_exact``; then they are at most that.
    """

    annotation_type: str
    label_matches: list[dict[str, Any]]
    conflicts: Conflicts
    duplicates: Shared
    patients: Shared
    totals: dict[str, int]
    before: list[list[dict[str, Any]]]
    after: list[dict[str, Any]]
    is_exact: bool


def preview(recipe: Recipe, data: Sequence[AnnotationData | None]) -> Preview:
    """Return what would come of ``recipe``; ``data`` are its annotation data by place, or empty."""
    images = _images(recipe)
    order = {source.dataset: number for number, source in enumerate(recipe.sources)}
    shared = images.order_by().values("blob").annotate(n=Count("dataset", distinct=True)).filter(n__gt=1)
    duplicates, dropped = _duplicates(images.filter(blob__in=shared.values("blob")), order)
    labels = _labels(data)
    annotation_type = next((each.annotation_type for each in data if each is not None), "")
    conflicts = _conflicts(recipe, annotation_type, shared.values("blob")) if duplicates.count else Conflicts()
    after = _after(recipe, labels)
    before = [[_numbers(label.name, label) for label in each] for each in labels]
    merges = any(_merges(source, each) for source, each in zip(recipe.sources, labels, strict=False))
    partial = any(source.studies is not None for source in recipe.sources)
    return Preview(
        annotation_type=annotation_type,
        label_matches=_matches(recipe, labels),
        conflicts=conflicts,
        duplicates=duplicates,
        patients=_patients(recipe),
        totals={
            **_totals(recipe, images, dropped if recipe.keeps_once else Counter()),
            "listed_images": _listed_images(recipe, data, labels),
            "annotations": sum(each["annotations"] for each in after),
        },
        before=before,
        after=after,
        is_exact=not (merges or partial or (conflicts.examined and data)),
    )


def match_labels(recipe: Recipe, data: Sequence[AnnotationData | None]) -> list[dict[str, Any]]:
    """Return the ``label_matches`` of a preview alone: one query."""
    return _matches(recipe, _labels(data))


def _merges(source: Source, labels: Iterable[Label]) -> bool:
    names = [name for label in labels if (name := source.name_of(label.name))]
    return len(set(names)) < len(names)


def _images(recipe: Recipe) -> QuerySet[Image]:
    return Image.objects.filter(_any_of(recipe, "study__in"))


def _any_of(recipe: Recipe, studies: str, *, of: str = "dataset") -> Q:
    """Select what belongs to a source; ``studies`` is the lookup for those that were picked of it, ``of`` its own."""
    condition = Q(**{f"{of}__in": [source.dataset for source in recipe.sources if source.studies is None]})
    for source in recipe.sources:
        if source.studies is not None:
            condition |= Q(**{of: source.dataset, studies: listed(source.studies)})
    return condition


def _duplicates(images: QuerySet[Image], order: dict[int, int]) -> tuple[Shared, Counter[str]]:
    """Return the bytes that several sources have, and how many images go if they are kept once: all, and no DICOM."""
    rows = images.order_by("blob").values_list("blob", "dataset", "format").annotate(n=Count("pk"))
    groups, dropped = 0, Counter[str]()
    first_blobs: list[int] = []
    for blob, members in groupby(rows.iterator(chunk_size=5_000), key=lambda row: row[0]):
        found = list(members)
        first = min(order[dataset] for _blob, dataset, _format, _n in found)
        for _blob, dataset, form, number in found:
            if order[dataset] != first:
                dropped["images"] += number
                dropped["raster"] += number * (form != ImageFormat.DICOM)
        groups += 1
        if len(first_blobs) < EXAMPLES:
            first_blobs.append(blob)
    examples: dict[int, list[Image]] = defaultdict(list)
    for image in images.filter(blob__in=first_blobs).select_related("dataset").order_by("blob", "pk"):
        examples[image.blob_id].append(image)
    return Shared(groups, [sorted(each, key=lambda i: order[i.dataset_id]) for each in examples.values()]), dropped


def _conflicts(recipe: Recipe, annotation_type: str, shared: QuerySet[Any]) -> Conflicts:
    """Compare what sources say of the same bytes, as the work will."""
    source_of = {source.annotation_data: source for source in recipe.sources if source.annotation_data is not None}
    place_of = {source.annotation_data: number for number, source in enumerate(recipe.sources)}
    listed = AnnotatedImage.objects.filter(
        _any_of(recipe, "image__study__in", of="image__dataset"),
        annotation_data__in=source_of,
        image__blob__in=shared,
    )
    found = list(listed.select_related("image__dataset", "image__blob").order_by("image__blob", "pk")[: EXAMINED + 1])
    rows = _few_enough(found[:EXAMINED])
    result = Conflicts(is_complete=len(rows) == len(found))
    said = _said_of(rows, source_of)
    for _blob, group in groupby(rows, key=lambda row: row.image.blob_id):
        members = sorted(group, key=lambda row: (place_of[row.annotation_data_id], row.pk))
        firsts = {member.annotation_data_id: member for member in reversed(members)}  # of each source
        pairs = [
            (firsts[one], other)
            for one in dict.fromkeys(member.annotation_data_id for member in members)
            for other in members
            if place_of[one] < place_of[other.annotation_data_id]
        ]
        if not pairs:
            continue
        result.examined += 1
        size = (members[0].image.height, members[0].image.width)
        speaking = [(said[a.pk], said[b.pk]) for a, b in pairs if _speak(said[a.pk], said[b.pk], annotation_type)]
        if any(disagree(annotation_type, one, other, size=size) for one, other in speaking):
            result.count += 1
            if len(result.examples) < EXAMPLES:
                for member in members:
                    member.said = said[member.pk]  # type: ignore[attr-defined]
                result.examples.append(members)
    return result


def _few_enough(rows: Sequence[AnnotatedImage]) -> list[AnnotatedImage]:
    """Return the first rows whose annotations can be looked at while somebody waits."""
    sums = accumulate(row.annotation_count for row in rows)
    return [row for row, _ in takewhile(lambda each: each[1] <= EXAMINED_ANNOTATIONS, zip(rows, sums, strict=True))]


def _said_of(rows: Sequence[AnnotatedImage], source_of: Mapping[int, Source]) -> dict[int, list[Said]]:
    """Return what is said of each row in the result's words; of labels that become one an image has the one if any."""
    said: dict[int, dict[Any, Said]] = defaultdict(dict)
    data_of = {row.pk: row.annotation_data_id for row in rows}
    columns = ("item", "label__name", "frame", "value", "x", "y", "width", "height", "counts")
    found = Annotation.objects.filter(item__in=data_of).order_by("pk").values_list(*columns)
    for number, (item, label, frame, value, x, y, width, height, counts) in enumerate(found.iterator(5_000)):
        name = source_of[data_of[item]].name_of(label)
        if name is None:
            continue
        if value is not None:
            before = said[item].get((name, frame))
            said[item][name, frame] = Said(name, frame, max(value, before.value or 0) if before else value)
        else:
            said[item][number] = Said(name, frame, None, None if width is None else (x, y, width, height), counts)
    return defaultdict(list, {item: list(each.values()) for item, each in said.items()})


def _speak(one: list[Said], other: list[Said], annotation_type: str) -> bool:
    """In single-label classification an image without a class (of the result) is not listed."""
    return annotation_type != AnnotationType.SINGLE_LABEL or bool(one and other)


def _patients(recipe: Recipe) -> Shared:
    """Return the patients that several sources show: by keyed digest, which is not given away."""
    studies = Study.objects.filter(_any_of(recipe, "pk__in")).exclude(patient_key="").order_by()
    keys = studies.values("patient_key").annotate(n=Count("dataset", distinct=True)).filter(n__gt=1)
    count = keys.count()
    some = list(keys.order_by("patient_key").values_list("patient_key", flat=True)[:EXAMPLES]) if count else []
    examples: dict[str, list[Study]] = defaultdict(list)
    for study in studies.filter(patient_key__in=some).select_related("dataset").order_by("pk")[: EXAMPLES * 10]:
        examples[study.patient_key].append(study)
    return Shared(count, list(examples.values()))


def _labels(data: Sequence[AnnotationData | None]) -> list[list[Label]]:
    found: dict[int, list[Label]] = defaultdict(list)
    chosen = [each.pk for each in data if each is not None]
    for label in Label.objects.filter(annotation_data__in=chosen).order_by("position", "pk"):
        found[label.annotation_data_id].append(label)
    return [found[each.pk] if each is not None else [] for each in data]


def _matches(recipe: Recipe, labels: Sequence[Sequence[Label]]) -> list[dict[str, Any]]:
    by_name = [{label.name: label for label in each} for each in labels]
    return [
        {
            "label": match.label,
            "match": match.way,
            "labels": [
                {
                    "dataset": source.dataset,
                    "annotation_data": source.annotation_data,
                    "becomes": source.name_of(name),
                    **_numbers(name, of_source[name]),
                }
                for name in match.names
                for source, of_source in zip(recipe.sources, by_name, strict=True)
                if name in of_source
            ],
        }
        for match in propose(by_name)
    ]


def _after(recipe: Recipe, labels: Sequence[Sequence[Label]]) -> list[dict[str, Any]]:
    images, annotations = Counter[str](), Counter[str]()
    for source, each in zip(recipe.sources, labels, strict=False):
        for label in each:
            if name := source.name_of(label.name):
                images[name] += label.image_count
                annotations[name] += label.annotation_count
    return [{"label": n, "images": images[n], "annotations": annotations[n]} for n in alphabetical(images)]


def _numbers(name: str, label: Label) -> dict[str, Any]:
    return {"label": name, "images": label.image_count, "annotations": label.annotation_count}


def _listed_images(recipe: Recipe, data: Sequence[AnnotationData | None], labels: Sequence[Sequence[Label]]) -> int:
    """Return how many images the result lists at most. One that has no class any more is not listed."""
    count = 0
    for source, each, own in zip(recipe.sources, data, labels, strict=False):
        if each is None:
            continue
        kept = [label.image_count for label in own if source.name_of(label.name) is not None]
        single = each.annotation_type == AnnotationType.SINGLE_LABEL
        count += min(each.image_count, sum(kept)) if single else each.image_count
    return count


def _totals(recipe: Recipe, images: QuerySet[Image], dropped: Counter[str]) -> dict[str, int]:
    studies = Study.objects.filter(_any_of(recipe, "pk__in")).order_by()
    dicom = studies.exclude(study_instance_uid="")
    counted = dicom.aggregate(all=Count("pk"), distinct=Count("study_instance_uid", distinct=True))
    size = Blob.objects.filter(pk__in=images.order_by().values("blob")).aggregate(size=Sum("size"))["size"]
    return {
        "studies": studies.count() - (counted["all"] - counted["distinct"]) - dropped["raster"],
        "images": images.count() - dropped["images"],
        "size_bytes": size or 0,
    }
