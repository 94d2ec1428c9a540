"""Faster codecs that may be missing; every use has a path without them, and the tests walk it.

Threads are pinned to one: the machine runs one process per core, and a decoder that starts its own threads there only
adds contention.
"""

from types import ModuleType
from typing import Any

from . import codecs

cv2: Any
imagecodecs: Any
simplejpeg: Any
lossless: codecs.Lossless | None = codecs.load()

try:
    import cv2 as _cv2
except ImportError:
    cv2 = None
else:
    cv2 = _cv2
    cv2.setNumThreads(1)

try:
    import imagecodecs as _imagecodecs
except ImportError:
    imagecodecs = None
else:
    imagecodecs = _imagecodecs

try:
    import simplejpeg as _simplejpeg
except ImportError:
    simplejpeg = None
else:
    simplejpeg = _simplejpeg


def available() -> dict[str, ModuleType | codecs.Lossless | None]:
    """Name the accelerators with what they are, None where one is not installed."""
    return {"cv2": cv2, "imagecodecs": imagecodecs, "simplejpeg": simplejpeg, "lossless": lossless}
