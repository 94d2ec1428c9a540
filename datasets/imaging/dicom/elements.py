"""Typed reading of one data set's elements, whoever found them.

A data set is a mapping from tag to VR and raw bytes. How the bytes were located (our walker, or pydicom for unusual
files) is the subclass's affair; what they mean (PS3.5 section 6.2) is decided here once.
"""

import math
import struct
import warnings
from abc import ABC, abstractmethod
from collections.abc import Iterator
from functools import lru_cache

from pydicom.charset import convert_encodings, decode_bytes

from . import tags

_BINARY = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "FL": "f", "FD": "d", "OV": "Q", "UV": "Q", "SV": "q"}
_TEXT_DELIMITERS = {0x0A, 0x0C, 0x0D}


class Elements(ABC):
    """One data set or sequence item; ``signed`` is its Pixel Representation, for elements that are US or SS."""

    __slots__ = ("encodings", "little_endian", "signed")

    def __init__(self, *, little_endian: bool, encodings: list[str] | None = None, signed: bool = False) -> None:
        self.little_endian = little_endian
        self.encodings = encodings
        self.signed = signed

    @abstractmethod
    def raw(self, tag: int) -> tuple[str, memoryview] | None:
        """Return VR ("" when the encoding leaves it out) and value bytes of an element that is no sequence."""

    @abstractmethod
    def items(self, tag: int) -> Iterator["Elements"]:
        """Walk the items of a sequence; nothing when it is missing or empty."""

    @abstractmethod
    def __contains__(self, tag: int) -> bool: ...

    def adopt_defaults(self) -> None:
        """Take the character set and the signedness that hold for this data set from its own elements."""
        names = self.texts(tags.SPECIFIC_CHARACTER_SET)
        if names:
            self.encodings = _encodings(tuple(names))
        self.signed = self.integer(tags.PIXEL_REPRESENTATION) == 1

    def bytes_of(self, tag: int) -> memoryview | None:
        """Return the value bytes; None when the element is missing."""
        found = self.raw(tag)
        return None if found is None else found[1]

    def text(self, tag: int) -> str:
        """Return the value as text without padding or NUL, which no database holds; "" when missing.

        Several values stay joined by a backslash.
        """
        value = self.bytes_of(tag)
        if not value:
            return ""
        data = bytes(value).replace(b"\0", b"")
        if data.isascii() and b"\x1b" not in data:
            return data.decode("ascii").strip(" ")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # undecodable bytes become replacement characters, which is enough said
            return decode_bytes(data, self.encodings or ["iso8859"], _TEXT_DELIMITERS).strip(" \0").replace("\0", "")

    def texts(self, tag: int) -> list[str]:
        """Return the values of a multi-valued text; empty when missing."""
        text = self.text(tag)
        return [part.strip(" \0") for part in text.split("\\")] if text else []

    def numbers(self, tag: int) -> list[float]:
        """Return the values as numbers, up to the first that is none; empty when missing."""
        found = self.raw(tag)
        if found is None or not found[1]:
            return []
        vr, value = found
        known = tags.VR[tag]
        if vr in ("", "UN"):
            vr = ("SS" if self.signed else "US") if known == "xs" else known
        kind = _BINARY.get(vr)
        if kind is None:
            return _parse_numbers(bytes(value))
        count = len(value) // struct.calcsize(kind)
        numbers = list(struct.unpack_from(f"{'<' if self.little_endian else '>'}{count}{kind}", value))
        return [number for number in numbers if math.isfinite(number)] if kind in "fd" else numbers

    def number(self, tag: int) -> float | None:
        """Return the first value as a number; None when missing or unreadable."""
        values = self.numbers(tag)
        return values[0] if values else None

    def integer(self, tag: int) -> int | None:
        """Return the first value as an integer; None when missing, unreadable or not whole."""
        value = self.number(tag)
        return int(value) if value is not None and value == int(value) else None


@lru_cache(maxsize=64)
def _encodings(names: tuple[str, ...]) -> list[str] | None:
    """Return Python's names of a Specific Character Set (PS3.3 C.12.1.1.2); None where it is no known one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return convert_encodings([name or "ISO_IR 6" for name in names])
        except (LookupError, ValueError):
            return None


def _parse_numbers(data: bytes) -> list[float]:
    """Read Decimal and Integer Strings (PS3.5 table 6.2-1); NaN and infinity are not numbers here."""
    numbers: list[float] = []
    for part in data.split(b"\\"):
        try:
            value = float(part.strip(b" \0"))
        except ValueError:
            break
        if not math.isfinite(value):
            break
        numbers.append(value)
    return numbers
