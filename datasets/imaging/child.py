"""The decoding child: ``python -m datasets.imaging.child SOCKET ROOM OUTPUT MEMORY PARENT LIMITS``.

Reads requests from a socket, the files from memory it cannot write, and writes answers to a buffer. It limits its own
memory, dies with its parent, holds no other descriptors, and knows neither Django nor the network.
"""

import ctypes
import json
import logging
import mmap
import os
import resource
import signal
import socket
import sys
import traceback
from collections.abc import Callable
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from PIL import Image

from . import accelerators
from .dicom.listing import list_tags
from .dicom.luts import voi_luts
from .dicom.parts import locate_pixels
from .errors import ImagingError, Skipped
from .examine import dicom_json, examine, render
from .limits import Limits
from .protocol import ANSWER, FAULT, MEMORY, MESSAGE_BYTES, OK, READY, REJECTED, ROOM_BYTES, SKIPPED
from .records import Examined, ImageHeader, Rendered, Samples
from .samples import samples

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Answer requests until the parent closes the socket."""
    sock, source, target, memory, parent = (int(argument) for argument in arguments[:5])
    limits = Limits(**json.loads(arguments[5]))
    die_with(parent)
    load_codecs()
    room: mmap.mmap | None = map_room(source)
    limit_memory(memory)
    channel = socket.socket(fileno=sock)
    channel.send(READY)
    while True:
        message, descriptors, _, _ = socket.recv_fds(channel, MESSAGE_BYTES, 1)
        if not message:
            return
        if descriptors:
            room = None  # the old one goes first, so that both never count against the memory limit
            room = map_room(descriptors[0])
        assert room is not None, "a room that was given up is followed by another"
        asked = json.loads(message)
        written = 0
        for offset, size in asked["files"]:
            status, document, blob = answer(asked, memoryview(room)[offset : offset + size], limits)
            encoded = json.dumps(document).encode()
            written += write_all(target, encoded + blob, written)
            channel.send(ANSWER.pack(status, len(encoded), len(blob)))
        if len(room) > ROOM_BYTES:
            room = None  # made for one large file


def map_room(descriptor: int) -> mmap.mmap:
    """Return a room to read from; the descriptor is closed."""
    try:
        return mmap.mmap(descriptor, 0, prot=mmap.PROT_READ)
    finally:
        os.close(descriptor)


def answer(asked: dict[str, Any], data: memoryview, limits: Limits) -> tuple[int, dict[str, Any], bytes]:
    """Do what is asked of a file; return status, document, and bytes (a thumbnail or a PNG)."""
    try:
        if asked["do"] == "render":
            window = asked["window"]
            window = tuple(window) if window else None
            rendered = _document(render(data, frame=asked["frame"], window=window, head=asked["head"]))
            return OK, rendered, rendered.pop("png")
        if asked["do"] == "samples":
            decoded = _document(samples(data, frame=asked["frame"], head=asked["head"]))
            return OK, decoded, decoded.pop("data")
        if asked["do"] in _ABOUT_HEADERS:
            return OK, _ABOUT_HEADERS[asked["do"]](data, limits), b""
        examined = _document(examine(data, limits))
        thumbnail = examined.pop("thumbnail")
        examined["header"] = _document(examined["header"])
        examined["drawn"] = thumbnail is not None
        return OK, examined, thumbnail or b""
    except ImagingError as error:
        status = SKIPPED if isinstance(error, Skipped) else REJECTED
        return status, {"code": error.code, "message": error.message}, b""
    except MemoryError:
        return MEMORY, {}, b""
    except Exception as fault:  # noqa: BLE001 - a fault of ours: carried to the parent, which raises it
        if accelerators.cv2 is not None and isinstance(fault, accelerators.cv2.error) and "memory" in str(fault):
            return MEMORY, {}, b""
        return FAULT, {"traceback": traceback.format_exc()}, b""


_ABOUT_HEADERS: dict[str, Callable[[memoryview, Limits], dict[str, Any]]] = {
    "dicom_json": lambda data, limits: dicom_json(data),
    "tags": lambda data, limits: {"tags": list_tags(dicom_json(data))},
    "voi_luts": lambda data, limits: {"luts": voi_luts(data, limits)},
    "locate_pixels": lambda data, limits: asdict(locate_pixels(data, limits)),
}


def _document(record: Examined | ImageHeader | Rendered | Samples) -> dict[str, Any]:
    """Return a record's fields by name, without the deep copy that `dataclasses.asdict` makes."""
    return {field.name: getattr(record, field.name) for field in fields(record)}


def write_all(target: int, data: bytes, start: int) -> int:
    """Write data into the output buffer and return its length."""
    view, offset = memoryview(data), 0
    while offset < len(view):
        offset += os.pwrite(target, view[offset:], start + offset)
    return len(view)


def die_with(parent: int) -> None:
    """Have the kernel kill this process when its parent ends, however it ends."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the parent is gone already")


def load_codecs() -> None:
    """Load what is loaded on first use otherwise, before memory is limited and before time is measured."""
    for name in ("jpeg8_decode", "jpeg2k_decode", "jpegls_decode", "dicomrle_decode", "png_decode"):
        getattr(accelerators.imagecodecs, name, None)
    Image.preinit()
    logging.getLogger("imagecodecs").setLevel(logging.ERROR)  # it warns about every oddity of a file


def limit_memory(allowance: int) -> None:
    """Let this process take that many bytes of address space more than it has now, and write no core dumps."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    ceiling = pages * mmap.PAGESIZE + allowance
    resource.setrlimit(resource.RLIMIT_AS, (ceiling, ceiling))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main(sys.argv[1:])
