"""From stored values to grey levels 0..255 (PS3.3 C.11.1, C.11.2 and C.7.6.3.1.2).

Pure: numpy in, numpy out. Thumbnail, viewer, export and API all show what these functions say: modality LUT, then VOI
LUT or window, then inversion for MONOCHROME1. Results are rounded to the nearest level.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from . import accelerators

Values = NDArray[np.float64]
Stored = NDArray[Any]
Grey = NDArray[np.uint8]
WindowFunction = Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]

WHITE = 255.0


@dataclass(frozen=True, slots=True)
class Rescale:
    """Output units = slope x stored value + intercept (PS3.3 C.11.1.1.2)."""

    slope: float = 1.0
    intercept: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class LookupTable:
    """A modality or VOI LUT: ``first`` is the input mapped to ``entries[0]``; inputs outside take the nearest entry."""

    first: int
    entries: Values
    bits: int = 16

    @property
    def white(self) -> float:
        """Return the entry value that means white: all bits set, or more bits where the entries have them."""
        highest = int(self.entries.max(initial=0.0))
        return float((1 << max(self.bits, highest.bit_length(), 1)) - 1)


@dataclass(frozen=True, slots=True)
class Window:
    """A window in output units of the modality LUT (PS3.3 C.11.2.1.2)."""

    center: float
    width: float
    function: WindowFunction = "LINEAR"

    @property
    def valid(self) -> bool:
        """Whether the standard allows this width: at least 1 for LINEAR, more than 0 otherwise."""
        return self.width >= 1 if self.function == "LINEAR" else self.width > 0


Modality = Rescale | LookupTable
Voi = Window | LookupTable


@dataclass(frozen=True, slots=True)
class GreyScale:
    """Everything that turns one frame's stored values into grey levels."""

    modality: Modality
    voi: Voi
    invert: bool = False


def apply_modality(stored: Stored, modality: Modality) -> Values:
    """Return modality output units of stored values, as float64 of the same shape."""
    if isinstance(modality, LookupTable):
        return _look_up(np.asarray(stored, np.float64), modality)
    values = np.asarray(stored, np.float64)
    if modality.slope != 1.0:
        values = values * modality.slope
    if modality.intercept != 0.0:
        values = values + modality.intercept
    return values


def apply_voi(values: Values, voi: Voi) -> Values:
    """Return levels 0..255, not yet rounded, of modality output values.

    Window functions as C.11.2.1.2.1 (LINEAR), C.11.2.1.3.2 (LINEAR_EXACT) and C.11.2.1.3.1 (SIGMOID) define them, with
    an output range of 0 to 255. A window of no width (a frame of one value) is all black.
    """
    if isinstance(voi, LookupTable):
        return _look_up(values, voi) * (WHITE / voi.white)
    if voi.function == "SIGMOID":
        exponent = np.clip(-4.0 * (values - voi.center) / voi.width, -700.0, 700.0)
        return WHITE / (1.0 + np.exp(exponent))
    center, width = voi.center, voi.width
    if voi.function == "LINEAR":
        center, width = center - 0.5, width - 1.0
    if width <= 0.0:
        return np.where(values > center, WHITE if voi.function == "LINEAR" else 0.0, 0.0)
    levels = ((values - center) / width + 0.5) * WHITE
    return np.clip(levels, 0.0, WHITE)


def min_max(stored: Stored, modality: Modality) -> Window:
    """Return the window that spans minimum to maximum of the frame's output values, NaN and infinity left out."""
    if isinstance(modality, LookupTable):
        values = apply_modality(np.unique(stored), modality)
        low, high = float(values.min()), float(values.max())
    else:
        if stored.dtype.kind == "f":
            stored = stored[np.isfinite(stored)]
            if not stored.size:
                return Window(0.0, 0.0, "LINEAR_EXACT")
        ends = apply_modality(np.array([stored.min(), stored.max()]), modality)
        low, high = float(ends.min()), float(ends.max())
    return Window((low + high) / 2.0, high - low, "LINEAR_EXACT")


def to_levels(stored: Stored, grey: GreyScale) -> Grey:
    """Return grey levels of stored values, pixel by pixel in float64: the definition the table below is held to."""
    levels = apply_voi(apply_modality(stored, grey.modality), grey.voi)
    if grey.invert:
        levels = WHITE - levels
    levels = np.nan_to_num(levels, copy=False, nan=0.0, posinf=WHITE, neginf=0.0)
    return np.floor(levels + 0.5).astype(np.uint8)


@lru_cache(maxsize=8)
def level_table(dtype: np.dtype[Any], grey: GreyScale) -> Grey:
    """Return the grey levels of all values of an 8- or 16-bit integer type, in the order of their bits as unsigned
    numbers.

    The last few are kept: the files of a series mostly have the same window.
    """
    values = np.arange(1 << 8 * dtype.itemsize, dtype=f"u{dtype.itemsize}").view(f"{dtype.kind}{dtype.itemsize}")
    return to_levels(values, grey)


def to_grey(stored: Stored, grey: GreyScale) -> Grey:
    """Return the grey levels of a frame; integers of up to 16 bits go through a table, which gives the same levels."""
    dtype = stored.dtype
    if dtype.kind not in "ui" or dtype.itemsize > 2 or stored.size < 1 << 8 * dtype.itemsize:
        return to_levels(stored, grey)
    table = level_table(dtype.newbyteorder("="), grey)
    return _pick(table, stored.view(f"{dtype.byteorder}u{dtype.itemsize}"))


def _pick(table: Grey, indices: NDArray[Any]) -> Grey:
    """Return table[indices]; OpenCV does it four times faster than numpy."""
    if accelerators.cv2 is not None and indices.dtype.isnative and indices.ndim == 2:
        looked_up: Grey = accelerators.cv2.LUT(indices, table)
        return looked_up
    return np.asarray(table[indices])


def _look_up(values: Values, table: LookupTable) -> Values:
    """Return table entries of values, rounded to the nearest input and held at the table's ends (C.11.1.1.1)."""
    index = np.clip(np.rint(values) - table.first, 0, len(table.entries) - 1)
    entries: Values = table.entries[np.nan_to_num(index).astype(np.int64)]
    return entries
