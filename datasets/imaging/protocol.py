"""What sandbox and child say to each other: one message for some files, one back for each, the rest in shared memory.

A request is JSON: what to ``do``, what else that needs, and ``files`` as offsets and sizes in the room. Where the room
is another one than before, its descriptor comes with the message. Answers follow each other in the output buffer, from
its start for every request, in the order of the files.
"""

import struct

READY = b"ready"
ANSWER = struct.Struct("<BQQ")
"""Status, length of the JSON document, length of the bytes behind it."""
MESSAGE_BYTES = 1 << 16
ROOM_BYTES = 64 << 20
"""Memory that is always shared; a larger file gets more of it for itself alone."""

OK, REJECTED, SKIPPED, MEMORY, FAULT = range(5)
