"""Decode damaged streams: ``python fuzz_codecs.py LIBRARY ROUNDS``; prints how many came out and how many did not.

A program of its own, since the library is one that was compiled with sanitizers, whose runtime is loaded first.
"""

import random
import sys
from pathlib import Path

import imagecodecs
import numpy as np

from datasets.imaging.codecs import Lossless, read_scan
from datasets.imaging.errors import ImagingError


def streams() -> list[bytes]:
    """Return small streams of both kinds, of several depths, among them one with runs and one of noise."""
    numbers = np.random.default_rng(7)
    found = []
    for bits in (2, 5, 8, 10, 12, 16):
        noise = numbers.integers(0, 1 << bits, (13, 29)).astype(np.uint16)
        steps = (numbers.integers(0, 2, (4, 8)).repeat(4, 0).repeat(4, 1) * ((1 << bits) - 1)).astype(np.uint16)
        for picture in (noise, steps, np.sort(noise, axis=1)):
            found.append(imagecodecs.jpegls_encode(picture, level=0))
            samples = picture.astype(np.uint8) if bits <= 8 else picture
            found.append(imagecodecs.jpeg8_encode(samples, lossless=True, predictor=bits % 7 + 1, bitspersample=bits))
    return found


def damaged(stream: bytes, chance: random.Random) -> bytes:
    """Return the stream with a few bytes changed, left out, doubled, or its end replaced."""
    bytes_, scan = bytearray(stream), read_scan(memoryview(stream))
    assert scan is not None
    for _ in range(chance.randint(1, 6)):
        first = min(scan.start, len(bytes_) - 1) if chance.random() < 0.9 else 2
        at = chance.randrange(first, len(bytes_))
        how = chance.random()
        if how < 0.6:
            bytes_[at] = chance.choice((0, 0xFF, 0x7F, 0x80, chance.randrange(256)))
        elif how < 0.75:
            del bytes_[at : at + chance.randint(1, 9)]
        elif how < 0.9:
            bytes_[at:at] = bytes(chance.choice((0, 0xFF, chance.randrange(256))) for _ in range(chance.randint(1, 40)))
        else:
            bytes_[at:] = b"\xff\xd9"
    return bytes(bytes_)


def main(library: str, rounds: int) -> None:
    codecs, chance, originals = Lossless(Path(library)), random.Random(11), streams()
    taken = refused = 0
    for _ in range(rounds):
        stream = damaged(chance.choice(originals), chance)
        scan = read_scan(memoryview(stream))
        if scan is None or scan.rows * scan.columns > 1 << 20:
            continue
        try:
            taken += codecs.decode(memoryview(stream)) is not None
        except ImagingError:
            refused += 1
    print(taken, refused)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
