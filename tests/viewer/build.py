"""Images in the vault with the rows that an ingest would write for them."""

from __future__ import annotations

import hashlib
import io

import imagecodecs
import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.uid import ExplicitVRLittleEndian, JPEGLSLossless, SecondaryCaptureImageStorage

from datasets.imaging import ImagingError
from datasets.imaging.examine import RENDER_LIMITS, examine
from datasets.ingest.examine import Accepted, image_fields
from datasets.models import Image, Series, Study
from tests.builders import make_dataset, make_image

__all__ = ["ImagingError", "enhanced", "make_empty_study", "multi_frame", "store", "with_tables"]


def store(study: Study, path: str, data: bytes, *, position: int = 0, series: Series | None = None) -> Image:
    """Return an image of the study made of a file's bytes. Raises ImagingError where the file is none."""
    examined = examine(data, RENDER_LIMITS)
    accepted = Accepted(path=path, digest=hashlib.sha256(data).hexdigest(), size=len(data), examined=examined)
    fields = image_fields(accepted)
    fields.pop("path")
    return make_image(study, path, data, position=position, thumbnail=examined.thumbnail, series=series, **fields)


def make_empty_study(owner, name: str = "study") -> Study:
    """Return a study without images in a dataset of its own."""
    dataset = make_dataset(owner, study_count=1, image_count=1)
    return Study.objects.create(dataset=dataset, key=name, name=name)


def multi_frame(frames: int, *, encapsulated: bool, table: str = "basic") -> bytes:
    """Return a DICOM object of 128 x 128 8-bit frames, each of one shade: its number (from 1) modulo 251.

    Encapsulated frames are JPEG-LS in two fragments each, padded with comments to 40 KB; ``table`` says which offset
    table there is ("wrong": a basic one that points between items). Extended ones allow one fragment a frame.
    """
    syntax = JPEGLSLossless if encapsulated else ExplicitVRLittleEndian
    dataset = _grey_object(128, 128, bits=8, signed=False, syntax=syntax)
    dataset.NumberOfFrames = frames
    shades = [np.full((128, 128), number % 251, np.uint8) for number in range(1, frames + 1)]
    if not encapsulated:
        dataset.PixelData = b"".join(shade.tobytes() for shade in shades)
    else:
        streams = [_padded(imagecodecs.jpegls_encode(shade)) for shade in shades]
        if table == "extended":
            dataset.PixelData, dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths = encapsulate_extended(
                streams
            )
        else:
            data = bytearray(encapsulate(streams, fragments_per_frame=2, has_bot=table != "none"))
            if table == "wrong":
                data[12:16] = (int.from_bytes(data[12:16], "little") + 2).to_bytes(4, "little")
            dataset.PixelData = bytes(data)
    return _written(dataset)


def with_tables(first: int, *, signed: bool, modality: bool, voi: bool) -> bytes:
    """Return a 16-bit object with a modality LUT, a VOI LUT or both, whose tables begin at the input ``first``."""
    dataset = _grey_object(32, 32, bits=16, signed=signed)
    dataset.PixelData = (np.arange(1024).reshape(32, 32) * 3 - (1500 if signed else 0)).astype("<i2").tobytes()
    dataset.RescaleSlope, dataset.RescaleIntercept = 2, -100
    if modality:
        del dataset.RescaleSlope, dataset.RescaleIntercept
        table = np.linspace(0, 60000, 1500).astype("<u2")
        dataset.ModalityLUTSequence = [_table(table, first, 16, signed=signed)]
        dataset.ModalityLUTSequence[0].ModalityLUTType = "OD"
    if voi:
        table = (np.sqrt(np.linspace(0, 1, 2000)) * 4095).astype("<u2")
        dataset.VOILUTSequence = [_table(table, first, 12, signed=signed and not modality)]
    return _written(dataset)


def enhanced(groups: str) -> bytes:
    """Return an object of four frames with functional groups: windows shared, each frame's own, or of some frames."""
    dataset = _grey_object(16, 16, bits=16, signed=True)
    frames = 4
    dataset.NumberOfFrames = frames
    dataset.PixelData = (np.arange(frames * 256) * 2 - 500).astype("<i2").tobytes()
    dataset.WindowCenter, dataset.WindowWidth = "300", "900"
    shared = Dataset()
    shared.PixelValueTransformationSequence = [_rescale(1, -24)]
    if groups == "shared":
        shared.FrameVOILUTSequence = [_window(10, 400)]
    dataset.SharedFunctionalGroupsSequence = [shared]
    dataset.PerFrameFunctionalGroupsSequence = [Dataset() for _ in range(frames)]
    for number, item in enumerate(dataset.PerFrameFunctionalGroupsSequence):
        item.FrameContentSequence = [Dataset()]
        if groups == "own" or (groups == "some" and number % 2):
            item.FrameVOILUTSequence = [_window(100 * number, 300 + number, "SIGMOID" if number == 3 else "LINEAR")]
            item.PixelValueTransformationSequence = [_rescale(1 + number, -number)]
    return _written(dataset)


def _grey_object(rows: int, columns: int, *, bits: int, signed: bool, syntax=ExplicitVRLittleEndian) -> FileDataset:
    dataset = FileDataset(None, {}, file_meta=FileMetaDataset(), preamble=b"\0" * 128)
    meta = dataset.file_meta
    meta.MediaStorageSOPClassUID = dataset.SOPClassUID = SecondaryCaptureImageStorage
    meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID = "1.2.3.4"
    meta.TransferSyntaxUID = syntax
    dataset.Rows, dataset.Columns = rows, columns
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = bits
    dataset.HighBit, dataset.PixelRepresentation = bits - 1, int(signed)
    return dataset


def _table(entries, first: int, bits: int, *, signed: bool) -> Dataset:
    item = Dataset()
    item.add_new("LUTDescriptor", "SS" if signed else "US", [len(entries), first if signed else first % 65536, bits])
    item.add_new("LUTData", "OW", entries.tobytes())
    return item


def _window(center: float, width: float, function: str = "LINEAR") -> Dataset:
    item = Dataset()
    item.WindowCenter, item.WindowWidth, item.VOILUTFunction = center, width, function
    return item


def _rescale(slope: float, intercept: float) -> Dataset:
    item = Dataset()
    item.RescaleSlope, item.RescaleIntercept, item.RescaleType = slope, intercept, "US"
    return item


def _written(dataset: FileDataset) -> bytes:
    buffer = io.BytesIO()
    dataset.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()


def _padded(stream: bytes) -> bytes:
    """Return a JPEG-LS stream with a comment (ISO/IEC 10918-1 B.2.4.5) that makes it 40 KB long."""
    comment = b"\xff\xfe" + (40_000).to_bytes(2, "big") + bytes(40_000 - 2)
    return stream[:2] + comment + stream[2:]
