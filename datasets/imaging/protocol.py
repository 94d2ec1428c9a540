"""What sandbox and child say to each other: one message each way for a file, the rest in shared buffers."""

import struct

READY = b"ready"
ANSWER = struct.Struct("<BQQ")
"""Status, length of the JSON document, length of the bytes behind it; both stand in the output buffer."""

OK, REJECTED, SKIPPED, MEMORY, FAULT = range(5)
