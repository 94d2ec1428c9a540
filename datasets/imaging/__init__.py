"""Pixels: from the bytes of one file to its header, its grey values and its thumbnail.

Knows no Django. Everything wrong with a file is :class:`Rejected` or :class:`Skipped` with a code and a sentence;
anything else that is raised is a fault of this package.
"""

from .errors import ImagingError, Rejected, Skipped
from .examine import dicom_json, examine, render
from .limits import Limits
from .records import Examined, ImageHeader, Rendered
from .sandbox import Sandbox
from .sniffing import sniff

__all__ = [
    "Examined",
    "ImageHeader",
    "ImagingError",
    "Limits",
    "Rejected",
    "Rendered",
    "Sandbox",
    "Skipped",
    "dicom_json",
    "examine",
    "render",
    "sniff",
]
