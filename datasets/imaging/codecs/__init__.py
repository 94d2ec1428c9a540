"""Our own decoders of lossless JPEG and JPEG-LS, compiled from the C files of this folder by ``build.sh``.

They take what nearly all DICOM files of these kinds hold: one component of 2 to 16 bits in one scan. Everything else is
left to the libraries, and so is everything where the compiled library is missing. See docs/design/codecs.md.
"""

from .lossless import Lossless, load
from .scans import Scan, read_scan

__all__ = ["Lossless", "Scan", "load", "read_scan"]
