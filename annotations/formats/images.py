"""Finding the image that a label file means, among a million, without keeping a million objects.

Paths lie one behind the other in one buffer; they are found by sorted 64-bit hashes, built when first asked for.
"""

from __future__ import annotations

import difflib
import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from .base import Ambiguous, Elsewhere, Geometry, ImageRef, Unknown, base_name, folder, stem

IMAGE_SUFFIXES = frozenset({"jpg", "jpeg", "png", "dcm", "dicom", "ima", "tif", "tiff", "bmp", "gif", "webp", "nii"})
TAILS = 3  # how many last parts of a path are told apart before a reference counts as ambiguous
MANY = 1000
NEAR = 3
NEAR_ALL = 20_000  # up to so many images all names are compared with the one not found
NEAR_NEIGHBOURS = 200
_DIGITS = re.compile(r"\d+")
NEAR_BUDGET = 200  # near matches are looked for this often; a file that names nothing right gets no more


class Images:
    """The images of a dataset, as the importer knows them.

    Built from rows in display order; about 200 bytes an image with paths of 60 characters and DICOM identifiers.
    """

    def __init__(self, refs: Iterable[ImageRef] = ()):
        self._ids = array("q")
        self._sizes = array("I")  # width, height, frames, orientation
        self._paths = _Texts()
        self._instances = _Texts()
        self._series = array("i")
        self._spaces = array("i")  # frames of reference
        self._names: list[str] = [""]  # of series and frames of reference
        self._numbers: dict[str, int] = {"": 0}
        self._positions = array("d")
        self._planes = array("i")
        self._plane_values: list[tuple[tuple[float, ...], tuple[float, ...]] | None] = [None]
        self._plane_numbers: dict[Any, int] = {None: 0}
        self._tails: dict[int, _Hashes] = {}
        self._by_path: _Hashes | None = None
        self._by_instance: _Hashes | None = None
        self._by_series: npt.NDArray[np.intp] | None = None
        self._by_last_folder: frozenset[str] | None = None
        self._near_left = NEAR_BUDGET
        self._near_sorted: tuple[npt.NDArray[Any], npt.NDArray[np.intp]] | None = None
        self.begin()
        for ref in refs:
            self.add(ref)

    def begin(self) -> None:
        """Begin with another set of label files: what was learnt of how the last one names folders is forgotten."""
        self._knows_folders = False
        self._taken_for: dict[int, str] = {}  # folders of references that were found by the base name alone

    def add(self, ref: ImageRef) -> None:
        """Add an image; ``place`` is given here. Nothing may be added once something was looked for."""
        self._ids.append(ref.id)
        self._sizes.extend((ref.width, ref.height, ref.frames, ref.orientation))
        self._paths.append(ref.path)
        self._instances.append(ref.sop_instance_uid)
        self._series.append(self._number(ref.series_instance_uid, self._numbers, self._names))
        self._spaces.append(self._number(ref.frame_of_reference_uid, self._numbers, self._names))
        geometry = ref.geometry
        plane = (geometry.orientation, geometry.spacing) if geometry else None
        self._planes.append(self._number(plane, self._plane_numbers, self._plane_values))
        self._positions.extend(geometry.position if geometry else (0.0, 0.0, 0.0))

    @staticmethod
    def _number(value: Any, numbers: dict[Any, int], values: list[Any]) -> int:
        number = numbers.get(value)
        if number is None:
            number = numbers[value] = len(values)
            values.append(value)
        return number

    def __len__(self) -> int:
        return len(self._ids)

    def __iter__(self) -> Iterator[ImageRef]:
        return (self[index] for index in range(len(self)))

    def paths(self) -> Iterator[str]:
        """Iterate over the paths in order, cheaper than over the images."""
        return iter(self._paths)

    def __getitem__(self, index: int) -> ImageRef:
        width, height, frames, orientation = self._sizes[4 * index : 4 * index + 4]
        return ImageRef(
            self._ids[index],
            self._paths[index],
            width,
            height,
            frames,
            orientation,
            self._instances[index],
            self._names[self._series[index]],
            self._geometry(index),
            self._names[self._spaces[index]],
            index,
        )

    def _geometry(self, index: int) -> Geometry | None:
        plane = self._plane_values[self._planes[index]]
        if plane is None:
            return None
        x, y, z = self._positions[3 * index : 3 * index + 3]
        return Geometry((x, y, z), plane[0], plane[1])  # type: ignore[arg-type]

    def find(self, reference: str, *, beside: str = "") -> ImageRef:
        """Return the image that is meant by ``reference`` in a label file lying in the folder ``beside``.

        The path seen from that folder decides, then the path itself; else what agrees most: lower and upper case, the
        ends of the paths, the extension, and at last the base name alone. Of several that agree alike, the one nearest
        to ``beside`` is meant.

        Another folder may be another patient's: the base name alone counts only while nothing says that the folders of
        the labels are those of the images, and for one folder an image.

        Raises:
            Unknown: there is none, or the reference leads out of the upload.
            Ambiguous: there are several, or the image is taken for another reference's.
        """
        path = reference
        index = None if beside else self._index_of(reference)
        if index is None:
            path = _resolve(reference, beside)
            index = self._index_of(f"{beside}/{path}") if beside else None
        if index is None:
            index = self._meant(path, beside)
        self._check_folders(path, index)
        return self[index]

    def _meant(self, path: str, beside: str) -> int:
        exact = self._index_of(path)
        if exact is not None and (not beside or "/" in path or self._is_alone(path)):
            return exact
        return self._best(path, beside, exact)

    def _check_folders(self, reference: str, index: int) -> None:
        """Raise Unknown or Ambiguous where the folders of a reference and of the image found for it contradict."""
        path = self._paths[index]
        named, stored = folder(reference).casefold(), folder(path).casefold()
        shared = _common(named, stored)
        last = base_name(_without(named, shared))
        own = base_name(_without(stored, shared))
        if not named or not stored or (shared and not (last and own)):
            self._knows_folders |= bool(named and stored)
            taken_for = self._taken_for.get(index)
            if taken_for is not None and named and taken_for != named and reference != path:
                raise self._contradiction(reference, path)
            return
        siblings = _DIGITS.sub("0", last) == _DIGITS.sub("0", own)
        if siblings or (not shared and (self._knows_folders or last in self._last_folders())):
            raise Elsewhere(f"There is no image “{_shown(reference)}” in this dataset.", near=(path,))
        if self._taken_for.setdefault(index, named) != named:
            raise self._contradiction(reference, path)

    def _contradiction(self, reference: str, path: str) -> Ambiguous:
        message = f"“{_shown(reference)}” and a file of this name in another folder would both be “{_shown(path)}”."
        return Ambiguous(message, near=(path,))

    def _last_folders(self) -> frozenset[str]:
        if self._by_last_folder is None:
            self._by_last_folder = frozenset(base_name(folder(path)).casefold() for path in self._paths)
        return self._by_last_folder

    def at_path(self, path: str) -> ImageRef | None:
        """Return the image with exactly this path."""
        index = self._index_of(path)
        return None if index is None else self[index]

    def _index_of(self, path: str) -> int | None:
        if self._by_path is None:
            self._by_path = _Hashes(self._paths)
        for index in self._by_path.find(path):
            if self._paths[index] == path:
                return index
        return None

    def _is_alone(self, path: str) -> bool:
        """Say whether no other image has this base name, whatever its case and extension."""
        return len(self._tail(1).find(_tail_key(path, 1))) == 1

    def _best(self, path: str, beside: str, exact: int | None) -> int:
        parts = path.split("/")
        candidates: list[int] = []
        for count in range(min(len(parts), TAILS), 0, -1):
            candidates = self._tail(count).find(_tail_key(path, count))
            if not candidates and _suffix(path):
                candidates = self._tail(count).find(_tail_key(path + ".", count))  # "hand.v2" without an extension
            if candidates:
                break
        if not candidates:
            raise Unknown(f"There is no image “{_shown(path)}” in this dataset.", near=self.near(path))
        if exact is not None and len(candidates) > MANY:
            return exact
        if len(candidates) > MANY:
            raise self._ambiguous(path, candidates)
        ranked = [(_agreement(path, self._paths[index], bare=bool(beside)), index) for index in candidates]
        best = max(rank for rank, _ in ranked)
        if best[0] < 0:
            raise Unknown(f"There is no image “{_shown(path)}” in this dataset.", near=self.near(path))
        alike = [index for rank, index in ranked if rank == best]
        if len(alike) > 1 and beside:
            closeness = [(nearness(beside, folder(self._paths[index])), index) for index in alike]
            nearest = max(value for value, _ in closeness)
            alike = [index for value, index in closeness if value == nearest]
        if exact is not None and exact in alike:
            return exact
        if len(alike) > 1:
            raise self._ambiguous(path, alike)
        return alike[0]

    def _tail(self, count: int) -> _Hashes:
        if count not in self._tails:
            self._tails[count] = _Hashes(self._paths, lambda path: _tail_key(path, count))
        return self._tails[count]

    def _ambiguous(self, path: str, candidates: list[int]) -> Ambiguous:
        names = tuple(self._paths[index] for index in candidates[:5])
        return Ambiguous(f"“{_shown(path)}” may mean any of {len(candidates)} images; name the folder too.", near=names)

    def near(self, reference: str) -> tuple[str, ...]:
        """Return paths of images whose base names resemble the reference's, best first, for a person to choose from."""
        if self._near_left <= 0 or not len(self):
            return ()
        self._near_left -= 1
        wanted = base_name(reference)[:200]
        if len(self) <= NEAR_ALL:
            pool: Iterable[int] = range(len(self))
        else:
            names, order = self._sorted_names()
            at = int(np.searchsorted(names, wanted.encode()[:16]))
            pool = order[max(0, at - NEAR_NEIGHBOURS) : at + NEAR_NEIGHBOURS].tolist()
        by_name: dict[str, str] = {}
        for index in pool:
            path = self._paths[index]
            by_name.setdefault(base_name(path), path)
        return tuple(by_name[name] for name in difflib.get_close_matches(wanted, by_name, NEAR, 0.75))

    def _sorted_names(self) -> tuple[npt.NDArray[Any], npt.NDArray[np.intp]]:
        if self._near_sorted is None:
            names = np.array([base_name(path).encode()[:16] for path in self._paths], dtype="S16")
            order = np.argsort(names, kind="stable")
            self._near_sorted = names[order], order
        return self._near_sorted

    def by_sop_instance(self, uid: str) -> ImageRef | None:
        """Return the first image that is this DICOM instance."""
        if not uid:
            return None
        if self._by_instance is None:
            self._by_instance = _Hashes(self._instances)
        return next((self[index] for index in self._by_instance.find(uid) if self._instances[index] == uid), None)

    def series(self, uid: str) -> list[ImageRef]:
        """Return the images of a DICOM series in display order."""
        if uid not in self._numbers or not uid:
            return []
        if self._by_series is None:
            self._by_series = np.argsort(np.asarray(self._series), kind="stable")
        number = self._numbers[uid]
        ordered = np.asarray(self._series)[self._by_series]
        first, last = np.searchsorted(ordered, [number, number + 1])
        return [self[index] for index in self._by_series[first:last].tolist()]

    def in_space(self, uid: str) -> list[ImageRef]:
        """Return the images whose coordinates are those of a DICOM frame of reference, in display order."""
        if uid not in self._numbers or not uid:
            return []
        return [self[index] for index in np.flatnonzero(np.asarray(self._spaces) == self._numbers[uid]).tolist()]

    def touching(self, matrix: npt.NDArray[np.float64], shape: Sequence[int]) -> list[ImageRef]:
        """Return the images of series, in display order, that may reach into a volume of voxels of this shape.

        ``matrix`` (4 × 4) leads from the patient's millimetres to voxels; the corners of all images are looked at.
        """
        known = np.flatnonzero((np.asarray(self._planes) > 0) & (np.asarray(self._series) > 0))
        planes = np.asarray(self._planes)[known]
        steps = np.zeros((len(self._plane_values), 2, 3))  # from column to column, from row to row
        for number, plane in enumerate(self._plane_values):
            if plane is not None:
                orientation, (rows, columns) = plane
                steps[number] = np.multiply(orientation[:3], columns), np.multiply(orientation[3:], rows)
        steps = steps @ matrix[:3, :3].T
        first = np.asarray(self._positions).reshape(-1, 3)[known] @ matrix[:3, :3].T + matrix[:3, 3]
        sizes = np.asarray(self._sizes).reshape(-1, 4)[known, :2] - 1.0
        across, down = steps[planes, 0] * sizes[:, :1], steps[planes, 1] * sizes[:, 1:]
        least = first + np.minimum(across, 0) + np.minimum(down, 0)
        most = first + np.maximum(across, 0) + np.maximum(down, 0)
        touches = (most >= -0.5).all(axis=1) & (least <= np.asarray(shape) - 0.5).all(axis=1)
        return [self[index] for index in known[touches].tolist()]

    @property
    def series_uids(self) -> list[str]:
        return [self._names[number] for number in dict.fromkeys(self._series) if number]


class _Texts:
    """Texts one behind the other in one buffer."""

    def __init__(self) -> None:
        self._bytes = bytearray()
        self._ends = array("Q", [0])

    def append(self, text: str) -> None:
        self._bytes += text.encode("utf-8", "surrogatepass")
        self._ends.append(len(self._bytes))

    def __len__(self) -> int:
        return len(self._ends) - 1

    def __getitem__(self, index: int) -> str:
        return self._bytes[self._ends[index] : self._ends[index + 1]].decode("utf-8", "surrogatepass")

    def __iter__(self) -> Iterator[str]:
        return (self[index] for index in range(len(self)))


class _Hashes:
    """Finds the places of equal texts; different texts with one hash are found too."""

    def __init__(self, texts: _Texts, key: Any = None):
        hashes = array("q", (hash(key(text) if key else text) for text in texts))
        values = np.frombuffer(hashes, dtype=np.int64)
        order = np.argsort(values, kind="stable")
        self._order = array("I", order.astype(np.uint32).tobytes())
        self._hashes = array("q", values[order].tobytes())

    def find(self, text: str) -> list[int]:
        wanted = hash(text)
        at = bisect_left(self._hashes, wanted)
        found: list[int] = []
        while at < len(self._hashes) and self._hashes[at] == wanted and len(found) <= MANY:
            found.append(self._order[at])
            at += 1
        return found


def _resolve(reference: str, beside: str) -> str:
    """Return the path meant, without "." and ".."; relative to ``beside`` where it climbs."""
    path = reference.replace("\\", "/").strip()
    if len(path) > 1 and path[1] == ":":
        path = path[2:]  # a drive of the computer that the labels were made on
    parts: list[str] = []
    climbs = ".." in path.split("/")
    for part in ((beside + "/" if climbs else "") + path).split("/"):
        if part == "..":
            if not parts:
                raise Unknown(f"“{_shown(reference)}” leads out of the upload.")
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    if not parts:
        raise Unknown("No image is named.")
    return "/".join(parts)


def _suffix(path: str) -> str:
    name = base_name(path)
    dot = name.rfind(".")
    return name[dot + 1 :].casefold() if dot > 0 else ""


def _tail_key(path: str, count: int) -> str:
    parts = path.rsplit("/", count)[-count:]
    parts[-1] = stem(parts[-1])
    return "/".join(parts).casefold()


def _agreement(reference: str, path: str, *, bare: bool) -> tuple[int, int, int, int, int]:
    """Rank how well a path agrees with a reference that has the same last parts but for case and extension.

    By case, by whole trailing folders, whether these are all, by extension: equal, left out, or another one. A bare
    name that stands in a file in some folder says nothing of folders.
    """
    suffix, other = _suffix(reference), _suffix(path)
    if suffix == other:
        extension = 2
    elif suffix not in IMAGE_SUFFIXES or not other:
        extension = 1 if base_name(reference).casefold() == stem(path).casefold() or not other else -1
    else:
        extension = 0
    if extension < 0:
        return (-1, 0, 0, 0, 0)
    exact_case = stem(reference) == stem(path) or base_name(reference) == stem(path)
    shared = _common(folder(reference), folder(path))
    same_folder = folder(reference).casefold() == folder(path).casefold() and not (bare and "/" not in reference)
    return (0, int(exact_case), shared, int(same_folder), extension)


def _common(first: str, second: str) -> int:
    """Count the trailing folders that two paths share."""
    count = 0
    for one, other in zip(reversed(first.split("/")), reversed(second.split("/")), strict=False):
        if not one or one.casefold() != other.casefold():
            break
        count += 1
    return count


def _without(folders: str, count: int) -> str:
    """Return a path of folders without its last ``count``."""
    return folders.rsplit("/", count)[0] if count < folders.count("/") + 1 else ""


def nearness(beside: str, other: str) -> tuple[int, int]:
    """Rank how near two folders are: by the folders below which both lie, then by the trailing ones they share."""
    leading = 0
    for one, two in zip(beside.split("/"), other.split("/"), strict=False):
        if not one or one.casefold() != two.casefold():
            break
        leading += 1
    return leading, _common(beside, other)


def _shown(text: str) -> str:
    return text if len(text) <= 120 else text[:119] + "…"
