"""Zips to ingest, made from the sample datasets: the same files on every machine, and no two with the same bytes.

Pixels are real: a CT of a head phantom, radiographs of a chest and a hand, an ultrasound loop. Each file of a corpus
shows its original moved by some rows, so that compression behaves as it does on the original, and has UIDs of its own.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import simplejpeg
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate
from pydicom.pixels.encoders import RLELosslessEncoder
from pydicom.uid import (
    UID,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
    UltrasoundMultiFrameImageStorage,
)

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
VERSION = 2  # of the recipe below: part of the folder's name, so that another recipe finds no old files
UID_ROOT = "2.25.7146351"
ULTRASOUND_FRAMES, ULTRASOUND_SIZE = 60, (640, 480)


@dataclass(frozen=True)
class Corpus:
    """Files of one kind in one encoding, in a zip at ``path``; ``warm_up`` is a small zip of other such files."""

    name: str
    title: str
    path: Path
    warm_up: Path
    files: int
    inflated_bytes: int

    def members(self) -> Iterator[bytes]:
        """Yield the files' bytes, in the order of the zip."""
        with zipfile.ZipFile(self.path) as archive:
            for name in archive.namelist():
                yield archive.read(name)


@dataclass(frozen=True)
class Kind:
    title: str
    originals: Callable[[], list[Dataset]]
    count: int
    quick_count: int


def _rle(pixels: np.ndarray, dataset: Dataset) -> bytes:
    return RLELosslessEncoder.encode(
        pixels,
        encoding_plugin="pylibjpeg",
        rows=pixels.shape[0],
        columns=pixels.shape[1],
        samples_per_pixel=1,
        bits_allocated=16,
        bits_stored=dataset.BitsStored,
        pixel_representation=0,
        photometric_interpretation="MONOCHROME2",
        number_of_frames=1,
    )


ENCODINGS: dict[str, tuple[str, UID, Callable[[np.ndarray, Dataset], bytes] | None]] = {
    "raw": ("uncompressed", ExplicitVRLittleEndian, None),
    "j2k": (
        "JPEG 2000 lossless",
        JPEG2000Lossless,
        lambda pixels, dataset: imagecodecs.jpeg2k_encode(
            pixels, level=0, codecformat="j2k", reversible=True, bitspersample=dataset.BitsStored, resolutions=6
        ),
    ),
    "jll": (
        "JPEG lossless",
        JPEGLosslessSV1,
        # predictor 1, as this transfer syntax demands
        lambda pixels, dataset: imagecodecs.jpeg8_encode(
            pixels, lossless=True, predictor=1, bitspersample=dataset.BitsStored
        ),
    ),
    "jls": ("JPEG-LS", JPEGLSLossless, lambda pixels, dataset: imagecodecs.jpegls_encode(pixels, level=0)),
    "rle": ("RLE", RLELossless, _rle),
}


def _from_sample(sample: str, *names: str) -> list[Dataset]:
    with zipfile.ZipFile(SAMPLES / sample) as archive:
        return [dcmread(io.BytesIO(archive.read(name))) for name in names or sorted(archive.namelist())]


KINDS = {
    "ct": Kind("CT 512 × 512", lambda: _from_sample("CT head phantom.zip"), 480, 120),
    "cr": Kind(
        "CR 1760 × 1760 and 1841 × 1955",
        lambda: _from_sample("Ultrasound, X-ray and more.zip", "radiography/chest.dcm", "radiography/hand.dcm"),
        48,
        16,
    ),
}
ULTRASOUND = Kind(
    f"US {ULTRASOUND_SIZE[0]} × {ULTRASOUND_SIZE[1]}, {ULTRASOUND_FRAMES} frames",
    lambda: _from_sample("Ultrasound, X-ray and more.zip", "ultrasound/cine.dcm"),
    40,
    16,
)
WARM_UP_FILES = 3
FIRST_STORED, FIRST_WARM_UP = 500_000, 1_000_000  # numbers of files that no other corpus of the kind has
NAMES = [*(f"{kind}-{encoding}" for kind in KINDS for encoding in ENCODINGS), "us-jpeg"]


def corpus(name: str, folder: Path, *, quick: bool = False, times: int = 1, stored: bool = False) -> Corpus:
    """Return the corpus ``name`` (one of NAMES), made below ``folder`` if it is not there; ``times`` as many files.

    With ``stored``, as many other files of the same kind in a zip without compression.
    """
    kind_name, _, encoding = name.partition("-")
    kind = KINDS.get(kind_name, ULTRASOUND)
    count = (kind.quick_count if quick else kind.count) * times
    make = _ultrasound if kind is ULTRASOUND else lambda number: _radiology(kind_name, encoding, number)
    base = folder / f"corpus-{VERSION}"
    path, first, method = base / f"{name}-{count}.zip", 0, zipfile.ZIP_DEFLATED
    if stored:
        path, first, method = base / f"{name}-{count}-stored.zip", FIRST_STORED, zipfile.ZIP_STORED
    warm_up = base / f"{name}-warm-up.zip"
    _make_zip(path, range(first, first + count), make, kind_name, method)
    _make_zip(warm_up, range(FIRST_WARM_UP, FIRST_WARM_UP + WARM_UP_FILES), make, kind_name, zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(path) as archive:
        inflated = sum(entry.file_size for entry in archive.infolist())
    encoding_title = "JPEG" if kind is ULTRASOUND else ENCODINGS[encoding][0]
    return Corpus(name, f"{kind.title}, {encoding_title}", path, warm_up, count, inflated)


def _make_zip(path: Path, numbers: range, make: Callable[[int], bytes], folder: str, method: int) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with zipfile.ZipFile(partial, "w", method, compresslevel=6) as archive:
        for number in numbers:
            archive.writestr(zipfile.ZipInfo(f"{folder}/{number:06d}.dcm"), make(number), method)
    partial.rename(path)


_originals: dict[str, list[tuple[Dataset, np.ndarray]]] = {}


def _radiology(kind_name: str, encoding: str, number: int) -> bytes:
    """Return file ``number``: an original's pixels, moved down by a number of rows that no other file has."""
    if kind_name not in _originals:
        _originals[kind_name] = [(dataset, dataset.pixel_array) for dataset in KINDS[kind_name].originals()]
    originals = _originals[kind_name]
    dataset, pixels = originals[number % len(originals)]
    moved = np.ascontiguousarray(np.roll(pixels, number // len(originals), axis=0))
    _, syntax, encode = ENCODINGS[encoding]
    _identify(dataset, f"{kind_name}-{encoding}", number, per_series=len(originals))
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.PixelData = moved.tobytes() if encode is None else encapsulate([encode(moved, dataset)])
    dataset["PixelData"].VR = "OW" if encode is None else "OB"
    dataset["PixelData"].is_undefined_length = encode is not None
    return _bytes_of(dataset)


def _ultrasound(number: int) -> bytes:
    """Return file ``number``: the loop forwards and backwards at twice its size, begun at another frame, moved."""
    if "us" not in _originals:
        original = ULTRASOUND.originals()[0]
        original.decompress()
        _originals["us"] = [(original, original.pixel_array)]
    dataset, frames = _originals["us"][0]
    there_and_back = np.concatenate([frames, frames[::-1]])[:ULTRASOUND_FRAMES]
    turned = np.roll(np.roll(there_and_back, number, axis=0), number // ULTRASOUND_FRAMES, axis=1)
    encoded = [
        simplejpeg.encode_jpeg(
            cv2.resize(frame, ULTRASOUND_SIZE, interpolation=cv2.INTER_CUBIC),
            quality=85,
            colorspace="RGB",
            colorsubsampling="422",
        )
        for frame in turned
    ]
    _identify(dataset, "us-jpeg", number, per_series=1)
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = UltrasoundMultiFrameImageStorage
    dataset.Columns, dataset.Rows = ULTRASOUND_SIZE
    dataset.NumberOfFrames = ULTRASOUND_FRAMES
    dataset.PhotometricInterpretation = "YBR_FULL_422"
    dataset.PlanarConfiguration = 0
    dataset.PixelData = encapsulate(encoded)
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    return _bytes_of(dataset)


def _identify(dataset: Dataset, corpus_name: str, number: int, *, per_series: int) -> None:
    """Give the data set a place of its own: patient, study and series by groups of ``per_series`` files."""
    group = f"{UID_ROOT}.{NAMES.index(corpus_name) + 1}.{number // per_series + 1}"
    dataset.PatientID = dataset.PatientName = f"{corpus_name} {number // per_series}"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = group, f"{group}.1"
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = f"{group}.1.{number % per_series + 1}"


def _bytes_of(dataset: Dataset) -> bytes:
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    return out.getvalue()
