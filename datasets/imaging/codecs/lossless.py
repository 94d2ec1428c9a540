"""The compiled library ``liblossless.so`` behind a call that takes bytes and returns samples."""

import ctypes
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import Rejected
from .scans import Scan, read_scan

_PATH = Path(__file__).with_name("liblossless.so")
_OK, _TRUNCATED, _CORRUPT, _UNUSUAL, _NO_MEMORY = range(5)  # enum status of codecs.h


_Lengths, _Symbols = ctypes.c_uint8 * 16, ctypes.c_uint8 * 256


class _JpegLs(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int32) for name in ("columns", "rows", "precision", "t1", "t2", "t3")]


class _JpegLossless(ctypes.Structure):
    _fields_ = [
        *((name, ctypes.c_int32) for name in ("columns", "rows", "precision", "predictor")),
        ("lengths", _Lengths),
        ("symbols", _Symbols),
    ]


class Lossless:
    """The decoders of one loaded library."""

    def __init__(self, path: Path) -> None:
        library = ctypes.CDLL(str(path))
        self._decoders: dict[type[ctypes.Structure], Any] = {
            _JpegLs: library.jpeg_ls_decode,
            _JpegLossless: library.jpeg_lossless_decode,
        }
        for parameters, decode in self._decoders.items():
            decode.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.POINTER(parameters), ctypes.c_void_p
            decode.restype = ctypes.c_int

    def decode(self, data: memoryview) -> NDArray[np.uint8] | NDArray[np.uint16] | None:
        """Return the samples of a JPEG-LS or lossless JPEG stream, shape (rows, columns), 8 bits where they suffice.

        None where other decoders have to say what the stream is worth: it is not of the kind taken here, or it is
        JPEG-LS and damaged, which CharLS knows too. Raises Rejected (``pixel_data_truncated``, ``image_corrupt``) for
        damaged lossless JPEG: libjpeg fills up what is missing and says nothing.
        """
        scan = read_scan(data)
        if scan is None:
            return None
        parameters = _parameters(scan)
        source = np.frombuffer(data, np.uint8, offset=scan.start)
        samples = np.empty((scan.rows, scan.columns), np.uint16)
        status = self._decoders[type(parameters)](
            source.ctypes.data, source.size, ctypes.byref(parameters), samples.ctypes.data
        )
        if status == _NO_MEMORY:
            raise MemoryError
        if status == _OK:
            return samples.astype(np.uint8) if scan.precision <= 8 else samples
        if scan.thresholds is None and status == _TRUNCATED:
            raise Rejected("pixel_data_truncated", "The JPEG data end before the last pixel.")
        if scan.thresholds is None and status == _CORRUPT:
            raise Rejected("image_corrupt", "The JPEG data are corrupt.")
        return None


def load() -> Lossless | None:
    """Return the decoders, None where they have not been compiled, or for another machine."""
    try:
        return Lossless(_PATH)
    except OSError:
        return None


def _parameters(scan: Scan) -> _JpegLs | _JpegLossless:
    if scan.thresholds is not None:
        return _JpegLs(scan.columns, scan.rows, scan.precision, *scan.thresholds)
    lengths, symbols = _Lengths.from_buffer_copy(scan.lengths), _Symbols.from_buffer_copy(scan.symbols)
    return _JpegLossless(scan.columns, scan.rows, scan.precision, scan.predictor, lengths, symbols)
