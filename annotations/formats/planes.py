"""Slices in the patient's coordinates: which image a plane is, and from millimetres to pixels (PS3.3, C.7.6.2)."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from .base import Geometry, ImageRef
from .images import Images

Vector = npt.NDArray[np.float64]

PARALLEL = 1e-3  # difference of the normals' directions
SAME_PLACE = 0.1  # millimetres


def normal_of(geometry: Geometry) -> Vector:
    return np.cross(geometry.orientation[:3], geometry.orientation[3:])


def affine_of(geometry: Geometry) -> Vector:
    """Return the 4 × 4 matrix from (column, row, slice) of a pixel's centre to millimetres, LPS."""
    matrix = np.eye(4)
    matrix[:3, 0] = np.multiply(geometry.orientation[:3], geometry.spacing[1])
    matrix[:3, 1] = np.multiply(geometry.orientation[3:], geometry.spacing[0])
    matrix[:3, 2] = normal_of(geometry)
    matrix[:3, 3] = geometry.position
    return matrix


def pixels_of(points: Vector, geometry: Geometry) -> tuple[Vector, Vector]:
    """Return points (n × 3, millimetres) in pixels (n × 2; the first one's centre is 0.5, 0.5), and distances."""
    local = (points - np.asarray(geometry.position)) @ np.linalg.inv(affine_of(geometry)[:3, :3]).T
    return local[:, :2] + 0.5, np.abs(local[:, 2])


class Slices:
    """Images with geometry, found by where they lie."""

    def __init__(self, refs: Iterable[ImageRef]):
        self.refs = [ref for ref in refs if ref.geometry is not None]
        self._geometries = [ref.geometry for ref in self.refs if ref.geometry is not None]
        self._positions = np.array([one.position for one in self._geometries]).reshape(-1, 3)
        self._normals = np.array([normal_of(one) for one in self._geometries]).reshape(-1, 3)

    def nearest(
        self, point: Iterable[float], normal: Vector | None = None, within: float = SAME_PLACE
    ) -> ImageRef | None:
        """Return the image in whose plane the point lies, parallel to ``normal`` if one is given."""
        if not self.refs:
            return None
        distances = np.abs(np.einsum("ij,ij->i", np.asarray(list(point)) - self._positions, self._normals))
        if normal is not None:
            distances[np.abs(self._normals @ normal) < 1 - PARALLEL] = np.inf
        best = int(np.argmin(distances))
        return self.refs[best] if distances[best] <= within else None

    @property
    def spacing(self) -> float:
        """Half of the smallest distance between neighbours: how far a point may be off its slice."""
        if len(self.refs) < 2:
            return SAME_PLACE
        places = np.unique(np.round(self._positions @ self._normals[0], 3))
        gaps = np.diff(places)
        return float(gaps.min()) / 2 if gaps.size else SAME_PLACE


def slices_of(images: Images, *, series: Iterable[str], spaces: Iterable[str]) -> Slices:
    """Return the slices of these series, else those in these frames of reference, which the label file names.

    Where it names neither, those of the dataset's only series: another patient's slices may lie at the same place.
    """
    named, frames = list(filter(None, series)), list(filter(None, spaces))
    found = [ref for uid in named for ref in images.series(uid)]
    if not found:
        found = [ref for uid in frames for ref in images.in_space(uid)]
    if not (named or frames) and len(images.series_uids) == 1:
        found = images.series(images.series_uids[0])
    return Slices(found)
