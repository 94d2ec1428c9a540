"""Writing large objects past the page cache (O_DIRECT, open(2)).

An ingest writes what nobody is about to read, and often more of it than there is memory: kept in the page cache, it
would cost a copy and drive out what viewers read.
"""

import ctypes
import errno
import fcntl
import mmap
import os

LEAST_BYTES = 96 * 1024  # below it the copy into the page cache costs less
BLOCK = mmap.PAGESIZE


def write_directly(file: int, data: memoryview) -> int:
    """Write the whole blocks of a large object that lies on a page's border; return how many bytes that were.

    None where memory, file system or device do not allow it: the caller writes what is left in the usual way.
    """
    size = len(data) // BLOCK * BLOCK
    if size < LEAST_BYTES or data.readonly or ctypes.addressof(ctypes.c_char.from_buffer(data)) % BLOCK:
        return 0
    flags = fcntl.fcntl(file, fcntl.F_GETFL)
    written = 0
    try:
        fcntl.fcntl(file, fcntl.F_SETFL, flags | os.O_DIRECT)
        while written < size and not written % BLOCK:
            written += os.pwrite(file, data[written:size], written)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.EOPNOTSUPP):
            raise
    finally:
        fcntl.fcntl(file, fcntl.F_SETFL, flags)
    return written
