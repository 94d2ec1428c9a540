"""The colours of labels: by place in alphabetical order, always the same, far apart where that is possible. Pure."""

from __future__ import annotations

import math
from functools import cache

FIRST = ("#03a9f4", "#00c853", "#ff9800", "#e040fb")
LIGHTNESS, CHROMA = (0.62, 0.74, 0.86, 0.50), (0.16, 0.10)
HUES = 24
GOLDEN_ANGLE = 137.50776

Oklab = tuple[float, float, float]


def color_of(position: int) -> str:
    """Return the colour of the label at ``position`` (from 0) as #rrggbb.

    After the four of the design each is the one that differs most from all before it, of those in the list below;
    when they are used up, hues a golden angle apart.
    """
    chosen = _chosen()
    if position < len(chosen):
        return chosen[position]
    further = position - len(chosen)
    lightness = LIGHTNESS[further % len(LIGHTNESS)] - 0.04
    return _hex(_polar(lightness, 0.13, further * GOLDEN_ANGLE))


def palette(count: int) -> list[str]:
    """Return the colours of the first ``count`` labels."""
    return [color_of(position) for position in range(count)]


@cache
def _chosen() -> tuple[str, ...]:
    """Order the colours greedily by their distance in Oklab (B. Ottosson, 2020, "A perceptual color space")."""
    left = {
        _hex(_polar(lightness, chroma, 360 / HUES * hue))
        for lightness in LIGHTNESS
        for chroma in CHROMA
        for hue in range(HUES)
    } - set(FIRST)
    places = {color: _oklab(color) for color in (*FIRST, *left)}
    order = list(FIRST)
    nearest = {color: min(math.dist(places[color], places[first]) for first in FIRST) for color in left}
    while nearest:
        best = max(sorted(nearest), key=nearest.__getitem__)
        order.append(best)
        del nearest[best]
        for color, distance in nearest.items():
            nearest[color] = min(distance, math.dist(places[color], places[best]))
    return tuple(order)


def _polar(lightness: float, chroma: float, degrees: float) -> Oklab:
    angle = math.radians(degrees)
    return lightness, chroma * math.cos(angle), chroma * math.sin(angle)


def _hex(color: Oklab) -> str:
    """Return the nearest sRGB colour: what a screen cannot show is clipped."""
    lightness, a, b = color
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    linear = (
        4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short,
    )
    return "#" + "".join(f"{round(255 * _encoded(min(1.0, max(0.0, channel)))):02x}" for channel in linear)


def _oklab(color: str) -> Oklab:
    red, green, blue = (_decoded(int(color[start : start + 2], 16) / 255) for start in (1, 3, 5))
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    medium = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    return (
        0.2104542553 * long + 0.7936177850 * medium - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * medium + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * medium - 0.8086757660 * short,
    )


def _encoded(linear: float) -> float:
    """sRGB's transfer function (IEC 61966-2-1)."""
    return 12.92 * linear if linear <= 0.0031308 else 1.055 * linear ** (1 / 2.4) - 0.055


def _decoded(encoded: float) -> float:
    return encoded / 12.92 if encoded <= 0.04045 else ((encoded + 0.055) / 1.055) ** 2.4
