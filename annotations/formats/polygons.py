"""Polygons to masks, pixel for pixel as pycocotools draws them, and masks to polygons that draw them again.

A polygon is COCO's flat list [x1, y1, x2, y2 …] in pixels; whole numbers are the borders between pixels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .masks import Bitmap, Integers, Mask, changes_of

SCALE = 5  # COCO draws on a grid five times as fine
MAX_BOUNDARY = 20_000_000
MAX_COORDINATE = 1e8


def draw(polygons: Sequence[Sequence[float]], height: int, width: int) -> Mask:
    """Return the union of the polygons as a mask; what lies outside the image is cut off.

    Raises:
        ValueError: a polygon has fewer than three points, an odd number of coordinates, or one that is not finite.
    """
    starts: list[Integers] = []
    ends: list[Integers] = []
    for polygon in polygons:
        changes = _changes(_checked(polygon), height, width)
        if len(changes) % 2:
            changes = np.append(changes, height * width)
        starts.append(changes[::2])
        ends.append(changes[1::2])
    if not starts:
        return Mask.empty(height, width)
    if len(starts) == 1:
        single = _changes(_checked(polygons[0]), height, width)
        return Mask._from_changes(height, width, single)
    return Mask._from_changes(
        height, width, changes_of(np.concatenate(starts), np.concatenate(ends), 1, height * width)
    )


def _checked(polygon: Sequence[float]) -> npt.NDArray[np.float64]:
    points = np.asarray(polygon, dtype=np.float64)
    if points.ndim != 1 or len(points) < 6 or len(points) % 2:
        raise ValueError("A polygon needs at least three points of two coordinates.")
    if not np.isfinite(points).all() or np.abs(points).max() > MAX_COORDINATE:
        raise ValueError("A coordinate of the polygon is not a possible number.")
    return points.reshape(-1, 2)


def _changes(points: npt.NDArray[np.float64], height: int, width: int) -> Integers:
    """Return where along the columns the inside of one polygon begins and ends (maskApi.c, rleFrPoly)."""
    grid = np.trunc(SCALE * points + 0.5).astype(np.int64)
    u, v = _boundary(grid)
    turns = np.flatnonzero(u[1:] != u[:-1])
    u0, u1, v0, v1 = u[turns], u[turns + 1], v[turns], v[turns + 1]
    x = (np.where(u1 < u0, u1, u1 - 1) + 0.5) / SCALE - 0.5
    keep = (np.floor(x) == x) & (x >= 0) & (x <= width - 1)
    y = np.ceil(np.clip((np.minimum(v0, v1)[keep] + 0.5) / SCALE - 0.5, 0, height))
    places = x[keep].astype(np.int64) * height + y.astype(np.int64)
    where, count = np.unique(places, return_counts=True)
    changes: Integers = where[count % 2 == 1]
    return changes[changes < height * width]


def _boundary(grid: Integers) -> tuple[Integers, Integers]:
    """Return the points of the closed line through the grid points, one step at a time."""
    start, end = grid, np.roll(grid, -1, axis=0)
    span = np.abs(end - start)
    flat = span[:, 0] >= span[:, 1]
    flip = np.where(flat, start[:, 0] > end[:, 0], start[:, 1] > end[:, 1])
    low = np.where(flip[:, None], end, start)
    high = np.where(flip[:, None], start, end)
    length = np.where(flat, span[:, 0], span[:, 1])
    rise = np.where(flat, high[:, 1] - low[:, 1], high[:, 0] - low[:, 0])
    slope = rise / np.maximum(length, 1)
    counts = length + 1
    total = int(counts.sum())
    if total > MAX_BOUNDARY:
        raise ValueError("The polygon's outline is too long.")
    edge = np.repeat(np.arange(len(grid)), counts)
    step = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
    step = np.where(flip[edge], length[edge] - step, step)
    flat_edge = flat[edge]
    along = step + np.where(flat_edge, low[edge, 0], low[edge, 1])
    across = np.trunc(np.where(flat_edge, low[edge, 1], low[edge, 0]) + slope[edge] * step + 0.5).astype(np.int64)
    return np.where(flat_edge, along, across), np.where(flat_edge, across, along)


def outline(mask: Mask) -> list[list[float]]:
    """Return polygons along the borders of the mask's pixels, one for each part whose pixels touch by their sides.

    Holes are cut in by a line that is walked there and back, so ``draw(outline(mask), …)`` is the mask again.
    """
    if mask.area == 0:
        return []
    left, top, width, height = (int(value) for value in mask.bbox)
    pixels = mask.decode()[top : top + height, left : left + width]
    loops, owner = _loops(pixels)
    parents = _parents(loops, owner, pixels)
    parts: dict[int, list[tuple[int, int]]] = {}
    for number, loop in enumerate(loops):
        parent = parents[number]
        if parent == number:
            parts[number] = loop
    for number, loop in enumerate(loops):
        if parents[number] != number:
            parts[parents[number]] = _joined(parts[parents[number]], loop)
    return [[float(value) for x, y in part for value in (x + left, y + top)] for part in parts.values()]


Point = tuple[int, int]
Step = tuple[int, int]


def _loops(pixels: Bitmap) -> tuple[list[list[Point]], dict[Point, int]]:
    """Walk every border with the mask on the right hand.

    Returns the corners of each closed walk, and for the left border of every run of pixels in a row, at (x, row), the
    number of the walk it is part of.
    """
    padded = np.pad(pixels, 1)
    inside = padded[1:-1, 1:-1]
    steps: dict[Point, list[Step]] = {}
    borders: list[tuple[Bitmap, Point, Step]] = [
        (inside & ~padded[:-2, 1:-1], (0, 0), (1, 0)),  # upper border, to the right
        (inside & ~padded[1:-1, 2:], (1, 0), (0, 1)),  # right border, downwards
        (inside & ~padded[2:, 1:-1], (1, 1), (-1, 0)),  # lower border, to the left
        (inside & ~padded[1:-1, :-2], (0, 1), (0, -1)),  # left border, upwards
    ]
    for border, corner, step in borders:
        for y, x in np.argwhere(border).tolist():
            steps.setdefault((x + corner[0], y + corner[1]), []).append(step)
    todo = {(point, step): None for point, choices in steps.items() for step in choices}
    loops: list[list[Point]] = []
    owner: dict[Point, int] = {}
    while todo:
        here, step = first = next(iter(todo))
        corners: list[Point] = []
        before = None
        while True:
            del todo[here, step]
            if step != before:
                corners.append(here)
            here = (here[0] + step[0], here[1] + step[1])
            if step == (0, -1):
                owner[here] = len(loops)
            before = step
            choices = steps[here]
            # Where two pixels touch by a corner turn right, so that they stay apart.
            step = choices[0] if len(choices) == 1 else (-before[1], before[0])
            if (here, step) == first:
                break
        loops.append(corners[1:] if before == first[1] else corners)
    return loops, owner


def _parents(loops: list[list[Point]], owner: dict[Point, int], pixels: Bitmap) -> list[int]:
    """Return for each walk the outer walk of its part: itself, or the one that the hole lies in."""
    tops = [min(loop, key=lambda point: (point[1], point[0])) for loop in loops]
    parents = []
    for number in range(len(loops)):
        at = number
        while True:
            x, y = tops[at]
            if pixels[y, x]:  # the pixel below the topmost corner is of the mask: an outer walk
                break
            gaps = np.flatnonzero(~pixels[y - 1, :x])  # a hole: follow the row above it to where the mask begins
            at = owner[(int(gaps[-1]) + 1 if gaps.size else 0, y - 1)]
        parents.append(at)
    return parents


def _joined(outer: list[Point], hole: list[Point]) -> list[Point]:
    """Return one walk: along the outer border, over to the hole, around it, and back the same way."""
    target = hole[0]
    distances = [abs(x - target[0]) + abs(y - target[1]) for x, y in outer]
    nearest = distances.index(min(distances))
    return [*outer[: nearest + 1], *hole, target, *outer[nearest:]]


def drawn_by(mask: Mask, polygons: list[list[float]] | None) -> list[list[float]] | None:
    """Return the polygons if they draw exactly this mask, else None: another tool may have drawn by other rules."""
    if not polygons:
        return None
    try:
        same = draw(polygons, mask.height, mask.width).runs().tolist() == mask.runs().tolist()
    except ValueError:
        return None
    return polygons if same else None


def outline_of(mask: Mask, polygons: list[list[float]] | None) -> list[list[float]]:
    """Return the polygons the mask was drawn by, if they draw it again, else its outline."""
    return drawn_by(mask, polygons) or outline(mask)
