"""The embedded broker: kombu's messages in files, put there whole.

kombu writes a message into the folder it is read from; a reader that comes in between takes half of it and dies of it.
Here a message, and the table of queues, appear under their name when they are complete (rename(2) is atomic).
"""

from __future__ import annotations

import uuid
from pathlib import Path
from time import monotonic
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, filesystem
from kombu.utils.encoding import str_to_bytes
from kombu.utils.json import dumps


class Channel(filesystem.Channel):
    def _put(self, queue: str, payload: Any, **kwargs: Any) -> None:
        """Put a message onto ``queue``; whoever lists the folder sees all of it or nothing."""
        name = f"{round(monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        write_whole(Path(self.data_folder_out) / name, str_to_bytes(dumps(payload)))

    def _queue_bind(self, exchange: str, routing_key: str, pattern: str, queue: str) -> None:
        """Add ``queue`` to the exchange's table. Of two that do so at once one may win."""
        bound = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        queues = self.get_table(exchange)
        if bound not in queues:
            self.control_folder.mkdir(exist_ok=True)
            write_whole(self._exchange_file(exchange), str_to_bytes(dumps([bound, *queues])))


class Transport(filesystem.Transport):
    Channel = Channel


def write_whole(path: Path, data: bytes) -> None:
    """Let a file of ``data`` appear under ``path`` at once."""
    unfinished = path.with_name(f".{uuid.uuid4()}.unfinished")
    unfinished.write_bytes(data)
    unfinished.replace(path)


def install() -> None:
    """Have kombu use this transport for ``filesystem://``."""
    TRANSPORT_ALIASES["filesystem"] = f"{__name__}:Transport"
