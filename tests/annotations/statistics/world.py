"""Random annotation data, written row by row, and what a person would count of them by hand."""

from __future__ import annotations

from collections import Counter, defaultdict

from hypothesis import strategies as st

from annotations.formats.masks import Mask
from annotations.models import AnnotatedImage, Annotation, AnnotationData, AnnotationType, Kind, Label
from annotations.statistics.bins import BOX_AREA, BOX_RATIO, BOXES_PER_IMAGE, COVERAGE

LABELS = ("Heart", "aorta", "lung")
sides = st.one_of(st.sampled_from([0.5, 1, 2, 4, 8, 16, 20]), st.floats(0.1, 16))
boxes = st.tuples(st.sampled_from(LABELS), sides, sides)
# A class, how many pixels, and the first of them, counted column by column of an image of 20 × 16.
masks = st.tuples(
    st.sampled_from(LABELS), st.sampled_from([0, 1, 3, 4, 16, 100, 160]), st.sampled_from([0, 2, 90, 160])
)
values = st.dictionaries(st.sampled_from(LABELS), st.sampled_from([0, 1])).map(
    lambda given: [(label, value, 0) for label, value in given.items()]
)
single = st.lists(st.tuples(st.sampled_from(LABELS), st.just(1), st.just(0)), max_size=1)
ROWS = {
    AnnotationType.SINGLE_LABEL: single,
    AnnotationType.MULTI_LABEL: values,
    AnnotationType.DETECTION: st.lists(boxes, max_size=12),
    AnnotationType.SEGMENTATION: st.lists(masks, max_size=5),
}
KINDS = dict(zip(ROWS, (Kind.SINGLE_LABEL, Kind.MULTI_LABEL, Kind.BOX, Kind.MASK), strict=True))

# For each image None (not listed) or its rows.
worlds = st.sampled_from(list(ROWS)).flatmap(
    lambda kind: st.tuples(st.just(kind), st.lists(st.none() | ROWS[kind], min_size=6, max_size=6))
)


def write(dataset, images, kind, listed) -> AnnotationData:
    """Write rows with counts, places and colours that are all wrong, and images in reverse."""
    data = AnnotationData.objects.create(dataset=dataset, annotation_type=kind, name=f"data {kind}", image_count=77)
    labels = {name: Label.objects.create(annotation_data=data, name=name, color="#000000") for name in LABELS}
    for image, rows in reversed(list(zip(images, listed, strict=True))):
        if rows is None:
            continue
        item = AnnotatedImage.objects.create(
            annotation_data=data, image=image, position=7, annotation_count=9, problems=64
        )
        Annotation.objects.bulk_create(
            Annotation(item=item, label=labels[name], kind=KINDS[kind], **_fields(kind, *numbers))
            for name, *numbers in rows
        )
    return data


def _fields(kind, first, second):
    if kind == AnnotationType.DETECTION:
        return {"x": 0, "y": 0, "width": first, "height": second, "area": first * second}
    if kind == AnnotationType.SEGMENTATION:
        return {"counts": Mask.from_runs(16, 20, [second, first, 320 - first - second]).counts, "area": first}
    return {"value": first}


def count_by_hand(images, kind, listed):
    """Return what the report should say, from the rows as Python lists."""
    shown = [(image, rows) for image, rows in zip(images, listed, strict=True) if rows is not None]
    having = defaultdict(set)
    annotations = Counter()
    for image, rows in shown:
        for name, value, _ in rows:
            annotations[name] += 1
            if value or kind == AnnotationType.SEGMENTATION:
                having[name].add(image.pk)
    ratios, areas, per_image = Counter(), Counter(), Counter()
    coverage = {name: Counter() for name in LABELS}
    odd = Counter()
    for image, rows in shown:
        pixels = image.width * image.height
        per_image[BOXES_PER_IMAGE.titles[BOXES_PER_IMAGE.index(len(rows))]] += 1
        if kind == AnnotationType.DETECTION:
            for _name, width, height in rows:
                ratios[BOX_RATIO.titles[BOX_RATIO.index(width / height)]] += 1
                areas[BOX_AREA.titles[BOX_AREA.index(width * height * 100.0 / pixels)]] += 1
            odd["tiny_box"] += any(min(row[1:]) < 4 for row in rows)
            odd["box_without_area"] += any(min(row[1:]) < 1 for row in rows)
        if kind == AnnotationType.SEGMENTATION:
            for name in LABELS:
                covered = {
                    place for label, area, start in rows if label == name for place in range(start, start + area)
                }
                share = len(covered) * 100.0 / pixels
                coverage[name]["0" if not share else COVERAGE.titles[COVERAGE.index(share)]] += 1
            odd["mask_empty"] += any(not area for _, area, _ in rows)
    return {
        "shown": shown,
        "having": {name: len(having[name]) for name in LABELS},
        "annotations": annotations,
        "ratios": ratios,
        "areas": areas,
        "per_image": per_image,
        "coverage": coverage,
        "odd": odd,
    }
