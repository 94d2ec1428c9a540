"""The NIfTI-1 and NIfTI-2 file format (nifti.nimh.nih.gov): header, affine, voxels; gzip or plain."""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from .base import LabelError, SideFile, read_whole

MAX_BYTES = 4 * 1024 * 1024 * 1024
MAX_SIDE = 1 << 15
TYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}
UINT8 = 2
SCANNER = 1  # code of the scanner's coordinates
MILLIMETRES = 2
DATA_OFFSET = 352

Matrix = npt.NDArray[np.float64]


class Volume(NamedTuple):
    """Voxels (i, j, k) and the 4 × 4 matrix from them to millimetres, RAS; None where the file gives none."""

    voxels: npt.NDArray[Any]
    affine: Matrix | None


def is_nifti(path: str) -> bool:
    return path.lower().endswith((".nii", ".nii.gz"))


def load(file: SideFile) -> Volume:
    """Read a volume; ``LabelError`` if it is none, or its voxels are not all there."""
    content = _unpacked(file)
    if len(content) < 348:
        raise _fault("ends in its header")
    for order in "<>":
        size = struct.unpack_from(order + "i", content)[0]
        if size == 348:
            return _first(content, order)
        if size == 540:
            return _second(content, order)
    raise _fault("has no header")


def _unpacked(file: SideFile) -> bytes:
    content = read_whole(file, MAX_BYTES)
    if content[:2] != b"\x1f\x8b":
        return content
    inflater = zlib.decompressobj(31)
    try:
        head = inflater.decompress(content, 1024)
        limit = _expected(head)
        rest = inflater.decompress(inflater.unconsumed_tail, limit)
    except zlib.error:
        raise _fault("is damaged gzip") from None
    return head + rest


def _expected(head: bytes) -> int:
    """Return how many bytes the header announces, so that no more is inflated."""
    if len(head) < 348:
        return 1
    order = "<" if struct.unpack_from("<i", head)[0] in (348, 540) else ">"
    if struct.unpack_from(order + "i", head)[0] == 540 and len(head) >= 540:
        sides, bits = struct.unpack_from(order + "8q", head, 16), struct.unpack_from(order + "h", head, 14)[0]
        offset: float = struct.unpack_from(order + "q", head, 168)[0]
    else:
        sides, bits = struct.unpack_from(order + "8h", head, 40), struct.unpack_from(order + "h", head, 72)[0]
        offset = struct.unpack_from(order + "f", head, 108)[0]
    count = math.prod(max(1, side) for side in sides[1 : 1 + max(0, min(7, sides[0]))])
    size = offset + count * max(bits, 8) // 8
    if not 0 <= size <= MAX_BYTES:
        raise _fault("announces more than 4 GiB")
    return int(size) + 16


def _first(content: bytes, order: str) -> Volume:
    sides = struct.unpack_from(order + "8h", content, 40)
    kind = struct.unpack_from(order + "h", content, 70)[0]
    grid = struct.unpack_from(order + "8f", content, 76)
    offset, slope, intercept = struct.unpack_from(order + "3f", content, 108)
    if content[344:348] not in (b"n+1\0", b"ni1\0"):
        raise _fault("has no magic number")
    codes = struct.unpack_from(order + "2h", content, 252)
    quatern = struct.unpack_from(order + "6f", content, 256)
    rows = struct.unpack_from(order + "12f", content, 280)
    return _volume(content, order, sides, kind, offset, (slope, intercept), _affine(codes, grid, quatern, rows))


def _second(content: bytes, order: str) -> Volume:
    if len(content) < 540:
        raise _fault("ends in its header")
    kind = struct.unpack_from(order + "h", content, 12)[0]
    sides = struct.unpack_from(order + "8q", content, 16)
    grid = struct.unpack_from(order + "8d", content, 104)
    offset = struct.unpack_from(order + "q", content, 168)[0]
    scale = struct.unpack_from(order + "2d", content, 176)
    codes = struct.unpack_from(order + "2i", content, 344)
    quatern = struct.unpack_from(order + "6d", content, 352)
    rows = struct.unpack_from(order + "12d", content, 400)
    return _volume(content, order, sides, kind, offset, scale, _affine(codes, grid, quatern, rows))


def _volume(
    content: bytes, order: str, sides: Any, kind: int, offset: float, scale: tuple[float, float], affine: Matrix | None
) -> Volume:
    if not 1 <= sides[0] <= 7 or any(not 1 <= side <= MAX_SIDE for side in sides[1 : 1 + sides[0]]):
        raise _fault("says sizes that are not possible")
    shape = [*sides[1 : 1 + sides[0]], 1, 1][: max(3, sides[0])]
    if math.prod(shape[3:]) != 1:
        raise _fault("has more than three dimensions")
    if kind not in TYPES:
        raise _fault(f"has voxels of a type ({kind}) that labels do not have")
    dtype = np.dtype(order + TYPES[kind])
    count = math.prod(shape[:3])
    start = int(offset) if math.isfinite(offset) and offset >= 348 else DATA_OFFSET
    if start + count * dtype.itemsize > len(content):
        raise _fault("ends before its voxels do")
    voxels = np.frombuffer(content, dtype, count, start).reshape(shape[:3], order="F")
    slope, intercept = scale
    if slope and math.isfinite(slope) and (slope, intercept) != (1, 0):
        voxels = voxels * slope + intercept
    return Volume(voxels, affine)


def _affine(codes: Any, grid: Any, quatern: Any, rows: Any) -> Matrix | None:
    """Return the matrix of method 3 (sform) if given, else of method 2 (qform)."""
    matrix = np.eye(4)
    if codes[1] > 0:
        matrix[:3] = np.reshape(rows, (3, 4))
    elif codes[0] > 0:
        b, c, d = quatern[:3]
        a = math.sqrt(max(0.0, 1 - b * b - c * c - d * d))
        rotation = np.array(
            [
                [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
                [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
                [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
            ]
        )
        handed = -1.0 if grid[0] < 0 else 1.0
        matrix[:3, :3] = rotation * np.array([grid[1], grid[2], grid[3] * handed])
        matrix[:3, 3] = quatern[3:6]
    else:
        return None
    if not np.isfinite(matrix).all() or abs(np.linalg.det(matrix[:3, :3])) < 1e-12:
        raise _fault("has no possible place in space")
    return matrix


def dump(shape: tuple[int, int, int], affine: Matrix | None, slices: Iterable[npt.NDArray[Any]]) -> Iterator[bytes]:
    """Yield a gzipped NIfTI-1 file of 8-bit voxels, slice by slice; each slice has rows and columns (j, i)."""
    header = bytearray(DATA_OFFSET)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, *shape, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, UINT8, 8)
    matrix = np.eye(4) if affine is None else affine
    spacing = np.linalg.norm(matrix[:3, :3], axis=0)
    struct.pack_into("<8f", header, 76, 1, *spacing, 0, 0, 0, 0)
    struct.pack_into("<3f", header, 108, DATA_OFFSET, 1, 0)
    header[123] = MILLIMETRES
    struct.pack_into("<2h", header, 252, 0, SCANNER if affine is not None else 0)
    struct.pack_into("<12f", header, 280, *matrix[:3].ravel())
    header[344:348] = b"n+1\0"
    deflater = zlib.compressobj(6, zlib.DEFLATED, 31)
    yield deflater.compress(bytes(header))
    for pixels in slices:
        yield deflater.compress(np.ascontiguousarray(pixels, dtype=np.uint8).tobytes())
    yield deflater.flush()


def _fault(what: str) -> LabelError:
    return LabelError(f"The NIfTI file {what}.", code="label_file_invalid")
