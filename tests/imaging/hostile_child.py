"""A decoding child whose decoder does what the file's last bytes say: what a hostile file might make a real one do."""

import ctypes
import os
import sys
import time

from datasets.imaging import child
from datasets.imaging.examine import examine


def hostile(data, limits):
    order = bytes(data[-8:]).strip(b"\0")
    if order == b"crash":
        ctypes.string_at(0)  # a null pointer, as a broken decoder follows it
    elif order == b"hang":
        time.sleep(600)
    elif order == b"nap":
        time.sleep(2)
    elif order == b"spin":
        while True:
            pass
    elif order == b"eat":
        hoard = []
        while True:
            hoard.append(bytearray(16 << 20))
    elif order == b"exit":
        os._exit(0)
    elif order == b"bug":
        raise KeyError("a fault of ours")
    return examine(data, limits)


if __name__ == "__main__":
    child.examine = hostile
    child.main(sys.argv[1:])
