"""Memory for the bytes of files that a child process reads in place."""

import ctypes
import fcntl
import mmap
import os

ALIGNMENT = mmap.PAGESIZE  # what is written to a disk from here may go past the page cache
_SEAL_FUTURE_WRITE = 0x10  # F_SEAL_FUTURE_WRITE, which the fcntl module knows from Python 3.13 on


class Room:
    """Shared memory that this process writes, and that whoever else is given ``fd`` can only read.

    Seals see to it (memfd_create(2), fcntl(2); Linux 5.1): the one mapping that may be written was made before them,
    and nobody can resize it. So bytes that were hashed here are the bytes that are stored, whatever the reader does.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.used = 0
        self.owner = os.getpid()
        self.fd = os.memfd_create("imaging-room", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(self.fd, capacity)
            self._memory = mmap.mmap(self.fd, capacity)
            fcntl.fcntl(self.fd, fcntl.F_ADD_SEALS, _SEAL_FUTURE_WRITE | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
        except BaseException:
            os.close(self.fd)
            raise
        self._address = _address_of(self._memory)

    def allocate(self, size: int) -> memoryview | None:
        """Return the next ``size`` bytes, not cleared; None where so many are not left."""
        start = -(-self.used // ALIGNMENT) * ALIGNMENT
        if start + size > self.capacity:
            return None
        self.used = start + size
        return memoryview(self._memory)[start : self.used]

    def offset_of(self, view: memoryview) -> int | None:
        """Return where in this memory a view that is not empty begins; None for a view of other memory."""
        return _address_of(view) - self._address if view.obj is self._memory else None

    def close(self) -> None:
        """Give the descriptor up. The memory goes with the last view of it, here and in the reader."""
        os.close(self.fd)


def _address_of(memory: mmap.mmap | memoryview) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(memory))
