"""Which modality LUT, window or VOI LUT a frame has: the file's own, or those of its functional groups."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from ..windowing import LookupTable, Modality, Rescale, Voi, Window, WindowFunction
from . import tags
from .elements import Elements
from .pixels import PixelDescription

_FUNCTIONS: dict[str, WindowFunction] = {"LINEAR_EXACT": "LINEAR_EXACT", "SIGMOID": "SIGMOID"}

Rule = Literal["window_given", "voi_lut", "window_frame", "window", "min_max"]


@dataclass(frozen=True, slots=True)
class FrameGroups:
    """The functional groups of an enhanced multi-frame object: shared by all frames, and of one frame (C.7.6.16)."""

    shared: Elements | None
    frame: Elements | None

    def macro(self, sequence: int) -> Elements | None:
        """Return the first item of a functional group macro, the frame's own before the shared one."""
        for group in (self.frame, self.shared):
            if group is not None:
                for item in group.items(sequence):
                    return item
        return None


def frame_groups(elements: Elements, index: int) -> FrameGroups:
    """Return the functional groups that hold for a frame, counted from 0."""
    shared = next(iter(elements.items(tags.SHARED_FUNCTIONAL_GROUPS_SEQUENCE)), None)
    frame = None
    if tags.PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE in elements:
        for number, item in enumerate(elements.items(tags.PER_FRAME_FUNCTIONAL_GROUPS_SEQUENCE)):
            if number == index:
                frame = item
                break
    return FrameGroups(shared, frame)


def modality_of(elements: Elements, groups: FrameGroups) -> Modality:
    """Return the modality LUT: sequence, or slope and intercept, identity where neither is usable (slope 0 is not)."""
    transformation = groups.macro(tags.PIXEL_VALUE_TRANSFORMATION_SEQUENCE)
    if transformation is None:
        for item in elements.items(tags.MODALITY_LUT_SEQUENCE):
            table = lookup_table(item, elements)
            if table is not None:
                return table
    source = transformation or elements
    slope, intercept = source.number(tags.RESCALE_SLOPE), source.number(tags.RESCALE_INTERCEPT)
    if slope is None and intercept is None:
        return Rescale()
    return Rescale(1.0 if slope is None else slope, intercept or 0.0)


def voi_of(elements: Elements, groups: FrameGroups) -> tuple[Voi, Rule] | None:
    """Return the first VOI LUT or valid window and the rule that found it; None where the file has neither."""
    macro = groups.macro(tags.FRAME_VOI_LUT_SEQUENCE)
    if macro is not None:
        windows = windows_of(macro)
        if windows:
            return windows[0], "window_frame"
    for item in elements.items(tags.VOI_LUT_SEQUENCE):
        table = lookup_table(item, elements)
        if table is not None:
            return table, "voi_lut"
    windows = windows_of(elements)
    return (windows[0], "window") if windows else None


def windows_of(elements: Elements) -> list[Window]:
    """Return all valid windows of a data set or of a Frame VOI LUT item, in file order."""
    function = _FUNCTIONS.get(elements.text(tags.VOI_LUT_FUNCTION), "LINEAR")
    pairs = zip(elements.numbers(tags.WINDOW_CENTER), elements.numbers(tags.WINDOW_WIDTH), strict=False)
    windows = [Window(center, width, function) for center, width in pairs]
    return [window for window in windows if window.valid]


def lookup_table(item: Elements, dataset: Elements) -> LookupTable | None:
    """Read a LUT of PS3.3 C.11.1.1 or C.11.2.1.1; None when descriptor and data do not make one.

    The first value of the descriptor counts entries (0 means 65536), the second is signed where pixels are.
    """
    descriptor = item.numbers(tags.LUT_DESCRIPTOR)
    raw = item.raw(tags.LUT_DATA)
    if len(descriptor) != 3 or raw is None or not raw[1]:
        return None
    count = int(descriptor[0]) & 0xFFFF or 65536
    first, bits = int(descriptor[1]), int(descriptor[2])
    if dataset.signed and first >= 1 << 15:
        first -= 1 << 16
    data = bytes(raw[1])
    entries = unpack_entries(data, count, little_endian=item.little_endian)
    if entries is None:
        return None
    return LookupTable(first, entries.astype(np.float64), bits if 1 <= bits <= 16 else 16)


def unpack_entries(data: bytes, count: int, *, little_endian: bool) -> "np.ndarray[Any, np.dtype[np.uint16]] | None":
    """Return LUT entries as uint16, from 16-bit words or, where there are only as many bytes, from bytes."""
    if len(data) >= 2 * count:
        return np.frombuffer(data, "<u2" if little_endian else ">u2", count).astype(np.uint16)
    if len(data) >= count:
        return np.frombuffer(data, np.uint8, count).astype(np.uint16)
    return None


def is_inverted(pixels: PixelDescription) -> bool:
    """Tell whether low values are shown white."""
    return pixels.photometric == "MONOCHROME1"
