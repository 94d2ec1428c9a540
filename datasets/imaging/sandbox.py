"""Decoding in a child process: what a hostile file does to a decoder, it does there.

The child is kept from file to file, and may be given many at once. It reads their bytes in memory that it cannot write,
answers in JSON and bytes that are only parsed here, and is killed and started anew after a crash, when it runs out of
memory, or when a file takes too long. It is started with subprocess, since Celery's daemonic workers may not fork
helpers.
"""

import logging
import os
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Self

from .errors import ImagingError, Rejected, Skipped
from .limits import Limits
from .process import ChildProcess, Place, SandboxFault
from .protocol import FAULT, MEMORY, OK, REJECTED, ROOM_BYTES, SKIPPED
from .records import Examined, ImageHeader, PixelPlace, Rendered, Samples
from .room import Room

FILES_AT_ONCE = 100
"""Files that the child is told of in one message."""

logger = logging.getLogger(__name__)

Data = bytes | bytearray | memoryview
Answer = tuple[dict[str, Any], bytes]


class Faulty(Rejected):
    """A file on which this package failed; ``traceback`` is the child's."""

    def __init__(self, traceback: str) -> None:
        super().__init__("decoder_fault", "DeepCap failed to read this image; its operators find why in the log.")
        self.traceback = traceback


class Sandbox:
    """Runs `examine` and `render` in a child with limits; one thread at a time may use it.

    ``memory_bytes`` is the address space one file may take beyond the idle child, ``seconds_per_file`` wall time. A
    file that breaks these, or the child, is Rejected (``decoder_memory``, ``decoder_timeout``, ``decoder_crashed``);
    the next file finds a fresh child. The child starts at first use.
    """

    program = "datasets.imaging.child"

    def __init__(
        self, *, memory_bytes: int = 2 << 30, seconds_per_file: float = 60.0, limits: Limits | None = None
    ) -> None:
        self.memory_bytes = memory_bytes
        self.seconds_per_file = seconds_per_file
        self.limits = limits or Limits()
        self._child: ChildProcess | None = None
        self._room: Room | None = None

    def allocate(self, size: int) -> memoryview | None:
        """Return memory for a file's bytes, which need not be copied then for the child; None where there is none left.

        It is the caller's until `clear`.
        """
        return self._own_room().allocate(size)

    def clear(self) -> None:
        """Take back all that was allocated."""
        if self._room is not None:
            self._room.used = 0

    def examine(self, data: Data) -> Examined:
        """Like `datasets.imaging.examine.examine`, with this sandbox's limits."""
        return _examined(self._ask({"do": "examine"}, data))

    def examine_all(self, files: Sequence[Data]) -> Iterator[Examined | ImagingError]:
        """Return what `examine` returns, or raises, for each of the files in order. The child is at work on them when
        this returns; until the last answer was taken, nothing else may be asked.

        A fault of ours is logged and refuses its file (``decoder_fault``): the others are not held up by it.
        """
        answers = self._ask_all({"do": "examine"}, files)
        return (answer if isinstance(answer, ImagingError) else _examined(answer) for answer in answers)

    def render(
        self, data: Data, *, frame: int = 1, window: tuple[float, float] | None = None, head: int = 0
    ) -> Rendered:
        """Like `datasets.imaging.examine.render`."""
        document, blob = self._ask({"do": "render", "frame": frame, "window": window, "head": head}, data)
        return Rendered(png=blob, **document)

    def dicom_json(self, data: Data) -> dict[str, Any]:
        """Like `datasets.imaging.examine.dicom_json`."""
        document, _ = self._ask({"do": "dicom_json"}, data)
        return document

    def samples(self, data: Data, *, frame: int = 1, head: int = 0) -> Samples:
        """Like `datasets.imaging.samples.samples`."""
        document, blob = self._ask({"do": "samples", "frame": frame, "head": head}, data)
        return Samples(data=blob, **document)

    def locate_pixels(self, head: Data) -> PixelPlace:
        """Like `datasets.imaging.dicom.parts.locate_pixels`, with this sandbox's limits."""
        document, _ = self._ask({"do": "locate_pixels"}, head)
        return PixelPlace(**document | {"extended": tuple(document["extended"])})

    def voi_luts(self, head: Data) -> list[dict[str, Any]]:
        """Like `datasets.imaging.dicom.luts.voi_luts`."""
        document, _ = self._ask({"do": "voi_luts"}, head)
        return list(document["luts"])

    def tags(self, head: Data) -> list[dict[str, Any]]:
        """Return the header's elements as rows: `datasets.imaging.dicom.listing.list_tags`."""
        document, _ = self._ask({"do": "tags"}, head)
        return list(document["tags"])

    def close(self) -> None:
        """End the child and give the memory back; the sandbox starts anew when it is used again."""
        self._end_child()
        self._drop_room()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ask(self, request: dict[str, Any], data: Data) -> Answer:
        """Have the child answer one request about one file."""
        [answer] = self._ask_all(request, [data])
        if isinstance(answer, Faulty):
            raise SandboxFault(answer.traceback)
        if isinstance(answer, ImagingError):
            raise answer
        return answer

    def _ask_all(self, request: dict[str, Any], files: Sequence[Data]) -> Iterator[Answer | ImagingError]:
        """Send as many of the files as there is room for, and return the answers about all of them."""
        room = self._own_room()
        mark = room.used
        views = [memoryview(data) for data in files]
        places = self._places(views)
        self._send(request, places)
        return self._answers(request, views, places, (room, mark))

    def _answers(
        self,
        request: dict[str, Any],
        views: Sequence[memoryview],
        places: Sequence[Place],
        before: tuple[Room, int],
    ) -> Iterator[Answer | ImagingError]:
        """Yield the answers. A file that ends the child is refused, and those after it are sent to the next child."""
        done = 0
        while done < len(places):
            answer = self._answer() if places[done].size else Rejected("file_empty", "The file is empty.")
            done += answer is not None
            if self._child is None:
                self._send(request, places[done:])
            if answer is not None:
                yield answer
        self._take_back(*before)
        if len(places) < len(views):
            yield from self._ask_all(request, views[len(places) :])

    def _answer(self) -> Answer | ImagingError | None:
        """Return the next answer; None where the child died with the thread that had started it, and no file is to
        blame. A child that cannot go on is ended."""
        child = self._child
        assert child is not None
        try:
            status, document, blob = child.receive(self.seconds_per_file)
        except TimeoutError:
            self._end_child()
            return Rejected(
                "decoder_timeout", f"The image took longer than {self.seconds_per_file:g} seconds to decode."
            )
        except ConnectionError:
            self._end_child()
            return None if child.orphaned() else Rejected("decoder_crashed", "The image made its decoder crash.")
        except BaseException:
            self._end_child()  # interrupted halfway: the next answer would belong to this file
            raise
        if status == MEMORY:
            self._end_child()
            return Rejected("decoder_memory", "The image needs more memory than is allowed.")
        if status == FAULT:
            self._end_child()
            logger.error("The decoder failed on a file:\n%s", document["traceback"])
            return Faulty(document["traceback"])
        if status != OK:
            kind = {REJECTED: Rejected, SKIPPED: Skipped}[status]
            return kind(document["code"], document["message"])
        return document, blob

    def _send(self, request: dict[str, Any], places: Sequence[Place]) -> None:
        """Tell a living child of the files that are not empty."""
        asked = [place for place in places if place.size]
        if not asked:
            return
        try:
            self._idle_child().send(request, self._own_room(), asked)
        except ConnectionError:  # it died at this very moment
            self._end_child()
            self._idle_child().send(request, self._own_room(), asked)

    def _idle_child(self) -> ChildProcess:
        """Return a living child of this very process that owes no answer: after a fork the parent's is not ours."""
        child = self._child
        if child is not None and child.owner != os.getpid():
            child.forget()
            child = None
        elif child is not None and (child.awaited or child.orphaned() or not child.alive()):
            child.end()
            child = None
        if child is None:
            child = self._child = ChildProcess(self.program, self.memory_bytes, self.limits, self._own_room())
        return child

    def _end_child(self) -> None:
        if self._child is not None:
            self._child.end()
            self._child = None

    def _places(self, views: Sequence[memoryview]) -> list[Place]:
        """Put files where the child can read them, at least one and as many of the others as fit."""
        places: list[Place] = []
        for view in views[:FILES_AT_ONCE]:
            place = self._place(view)
            if place is None and places:
                break
            if place is None:
                self._drop_room()
                self._room = Room(max(ROOM_BYTES, len(view)))
                place = self._place(view)
            assert place is not None
            places.append(place)
        return places

    def _place(self, view: memoryview) -> Place | None:
        """Return where a file lies, copied there if need be; None where it does not fit."""
        if not len(view):
            return Place(0, 0)
        room = self._own_room()
        offset = room.offset_of(view)
        if offset is None:
            copy = room.allocate(len(view))
            if copy is None:
                return None
            copy[:] = view
            offset = room.offset_of(copy)
            assert offset is not None
        return Place(offset, len(view))

    def _own_room(self) -> Room:
        """Return this very process's memory: after a fork the parent's is not ours to write to."""
        if self._room is not None and self._room.owner != os.getpid():
            self._drop_room()
        if self._room is None:
            self._room = Room(ROOM_BYTES)
        return self._room

    def _take_back(self, room: Room, mark: int) -> None:
        """Take back what was copied since ``room`` was filled to the mark."""
        if self._room is room:
            room.used = mark
        else:
            self._drop_room()

    def _drop_room(self) -> None:
        if self._room is not None:
            self._room.close()
            self._room = None


def _examined(answer: Answer) -> Examined:
    document, blob = answer
    header = ImageHeader(**document["header"])
    thumbnail = blob if document["drawn"] else None
    return Examined(header, thumbnail, document["undrawable"], document["undrawable_message"])
