"""Making many files durable with few commits of the file system's journal (sync_file_range(2), fdatasync(2))."""

import ctypes
import os
from collections.abc import Iterable

from deepcap.common.chunks import in_chunks

FILES_AT_A_TIME = 128
"""Files that are open at once: far below what a process may have open."""

_START_WRITING = 2  # SYNC_FILE_RANGE_WRITE
_libc = ctypes.CDLL(None, use_errno=True)
_libc.sync_file_range.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)


def sync_files(paths: Iterable[str]) -> None:
    """Return when the files' contents survive a power failure. Raises OSError.

    Their pages are all sent to the device before the first of them is waited for. So the commit of the journal that the
    first brings about holds the blocks of all, and the others find it done.
    """
    for chunk in in_chunks(paths, FILES_AT_A_TIME):
        files: list[int] = []
        try:
            for path in chunk:
                files.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
                _libc.sync_file_range(files[-1], 0, 0, _START_WRITING)  # a hint: what fails here, fails below
            for file in files:
                os.fdatasync(file)
        finally:
            for file in files:
                os.close(file)


def sync_folder(path: str) -> None:
    """Return when the names in a folder survive a power failure."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)
