"""Text files of unknown encoding: told by their mark, else detected from the letters of the whole file."""

from __future__ import annotations

import codecs
import io
from typing import TextIO

from datasets.archives.encodings import CODECS, COMMON, THRESHOLD, score

from .base import LabelError, SideFile

CHUNK = 1 << 20
SAMPLE = 64 * 1024
MARKS = (  # UTF-32's little-endian mark begins as UTF-16's does
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def open_text(file: SideFile, encoding: str = "") -> TextIO:
    """Open a label file as text, line ends kept as they are, decoded by ``encoding`` or by the one detected.

    Raises:
        LabelError: no encoding makes readable text of it.
    """
    return io.TextIOWrapper(file.open(), encoding=encoding or detect_encoding(file), newline="")


def decode_text(content: bytes) -> str:
    """Decode a small label file."""
    for mark, encoding in MARKS:
        if content.startswith(mark):
            return _decoded(content, encoding)
    try:
        return content.decode()
    except UnicodeDecodeError:
        return _decoded(content, _guess([line for line in content.splitlines() if not line.isascii()]))


def _decoded(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise _unreadable() from error


def detect_encoding(file: SideFile) -> str:
    """Return the name of the encoding that the whole file can be decoded by."""
    alive = {"utf-8": codecs.getincrementaldecoder("utf-8")(), **{name: _decoder(name) for name in CODECS}}
    foreign: list[bytes] = []
    sampled = 0
    with file.open() as stream:
        chunk = stream.read(CHUNK)
        for mark, encoding in MARKS:
            if chunk.startswith(mark):
                return encoding
        if _is_wide(chunk[:512]):
            return "utf-16-le" if chunk[1:2] == b"\0" else "utf-16-be"
        while chunk:
            following = stream.read(CHUNK)
            if not chunk.isascii() or len(alive) < len(CODECS) + 1:
                alive = {name: decoder for name, decoder in alive.items() if _takes(decoder, chunk, not following)}
                for line in chunk.splitlines() if sampled < SAMPLE else ():
                    if not line.isascii() and sampled < SAMPLE:
                        foreign.append(line)
                        sampled += len(line)
            elif not following and not all(_takes(decoder, b"", True) for decoder in alive.values()):
                alive = {name: decoder for name, decoder in alive.items() if name != "utf-8"}
            chunk = following
    return "utf-8" if "utf-8" in alive else _guess(foreign, alive)


def _decoder(name: str) -> codecs.IncrementalDecoder:
    return codecs.getincrementaldecoder(CODECS[name])()


def _takes(decoder: codecs.IncrementalDecoder, chunk: bytes, final: bool) -> bool:
    try:
        decoder.decode(chunk, final)
    except UnicodeDecodeError:
        return False
    return True


def _guess(lines: list[bytes], alive: object = CODECS) -> str:
    scores: dict[str, float] = {}
    for name, codec in CODECS.items():
        if name not in alive:  # type: ignore[operator]
            continue
        sound = [line for line in lines if _survives(line, codec)]
        if sound:
            scores[name] = score(sound, name)
    best = max(scores, key=scores.__getitem__, default="")
    if not best or scores[best] < (THRESHOLD if best in COMMON else 0.5):
        raise _unreadable()
    return CODECS[best]


def _survives(line: bytes, codec: str) -> bool:
    try:
        line.decode(codec)
    except UnicodeDecodeError:
        return False
    return True


def _is_wide(start: bytes) -> bool:
    """Tell UTF-16 without a mark by the zero in every second byte of plain letters."""
    return len(start) >= 4 and (not any(start[1:40:2]) or not any(start[0:40:2])) and any(start[:40])


def _unreadable() -> LabelError:
    return LabelError(
        "The file's letters are in no encoding that is known here; save it as UTF-8.", code="label_encoding_unknown"
    )
