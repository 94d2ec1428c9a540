"""How much of an image a class covers with several masks that may overlap: every pixel counts once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import groupby

from annotations.formats.masks import Mask, area_of_union
from annotations.models import Annotation, Kind
from deepcap.common.chunks import in_chunks

IMAGES_PER_QUERY = 200

LabelOfImage = tuple[int, int]


def shares_together(several: Sequence[LabelOfImage]) -> Iterator[tuple[int, float]]:
    """Yield label and per cent of the image's pixels, on all its frames, for each pair of a label and a listed image.

    Only the masks of these pairs are read, one image's at a time. A mask of the whole image lies on each frame.
    """
    wanted: dict[int, set[int]] = defaultdict(set)
    for label, item in several:
        wanted[item].add(label)
    for chunk in in_chunks(sorted(wanted), IMAGES_PER_QUERY):
        rows = (
            Annotation.objects.filter(item__in=chunk, kind=Kind.MASK)
            .order_by("item", "label", "pk")
            .values_list(
                "item", "label", "item__image__width", "item__image__height", "item__image__frames", "frame", "counts"
            )
        )
        for (item, label, width, height, frames), group in groupby(rows.iterator(), key=lambda row: row[:5]):
            if label in wanted[item]:
                masks = [(row[5], Mask(height, width, row[6] or "")) for row in group]
                yield label, 100.0 * pixels_together(masks, frames) / (width * height * frames)


def pixels_together(masks: Sequence[tuple[int, Mask]], frames: int) -> int:
    """Return how many pixels of the frames belong to any of the masks, each given with its frame (0: all of them)."""
    everywhere = [mask for frame, mask in masks if frame == 0]
    by_frame: dict[int, list[Mask]] = defaultdict(list)
    for frame, mask in masks:
        if frame:
            by_frame[frame].append(mask)
    elsewhere = area_of_union(everywhere) * (frames - len(by_frame)) if everywhere else 0
    return elsewhere + sum(area_of_union([*everywhere, *own]) for own in by_frame.values())
