"""One DICOM frame from bytes to stored values: the fastest exact decoder first, pydicom's behind it."""

import warnings
import zlib
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Jpeg2KImagePlugin
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

from .. import accelerators
from ..codestreams import JPEG_LOSSLESS_FRAME, StreamHeader, read_j2k_header, read_jpeg_header
from ..dicom import syntaxes
from ..dicom.lenient import FAULTS
from ..dicom.pixels import PixelDescription
from ..errors import Rejected
from . import jpeg

Array = NDArray[np.generic]


class NoDecoder(Exception):
    """The frame may be sound, but nothing installed here decodes it."""

    code = "decoder_missing"


def decode_native(buffer: memoryview, pixels: PixelDescription, index: int) -> Array:
    """Return stored values of an uncompressed frame, shape (rows, columns) or (rows, columns, samples), without copying
    where the layout allows it (PS3.5 section 8.1)."""
    if pixels.bits_allocated == 1:
        return _unpack_bits(buffer, pixels, index)
    kind = "f" if pixels.is_float else "i" if pixels.signed else "u"
    dtype = np.dtype(f"{'<' if pixels.little_endian else '>'}{kind}{pixels.bits_allocated // 8}")
    count = pixels.frame_bits // pixels.bits_allocated
    offset = pixels.offset + index * count * dtype.itemsize
    if not pixels.little_endian and dtype.itemsize == 1 and pixels.vr == "OW":
        flat = _swapped_bytes(buffer, pixels, offset - pixels.offset, count, dtype)
    else:
        flat = np.frombuffer(buffer, dtype, count, offset)
    if pixels.photometric == "YBR_FULL_422" and pixels.samples == 3:
        return _spread_422(flat, pixels)
    return _shape(flat, pixels)


def decode_encapsulated(data: memoryview, pixels: PixelDescription) -> tuple[Array, str]:
    """Return stored values of a compressed frame and their photometric interpretation.

    Decoders of JPEG and JPEG 2000 undo the colour transform, so YBR becomes RGB there. Raises Rejected
    (``image_corrupt``) when the stream is damaged or contradicts the header, NoDecoder when it may be sound.
    """
    syntax = pixels.transfer_syntax
    if syntax == syntaxes.RLE:
        return _decode_rle(data, pixels), pixels.photometric
    if syntax == syntaxes.DEFLATED_FRAMES:
        return _decode_deflated(data, pixels), pixels.photometric
    if syntax == syntaxes.ENCAPSULATED_UNCOMPRESSED:
        return _decode_uncompressed(data, pixels), pixels.photometric
    header = read_stream_header(data, pixels)
    if syntax in syntaxes.JPEG:
        return _decode_jpeg(data, pixels, header)
    if syntax in syntaxes.JPEG_LS:
        if not jpeg.is_complete(data):  # CharLS spends seconds behind the end of a stream that was cut
            raise Rejected("pixel_data_truncated", "The JPEG-LS stream ends before its end marker.")
        array = _with_ours(data)
        if array is None:
            array = _with_imagecodecs("jpegls_decode", data, pixels)
        return _finish(array, pixels, header), pixels.photometric
    array = _with_imagecodecs("jpeg2k_decode", data, pixels)
    return _finish(array, pixels, header), _after_j2k(pixels.photometric)


def decode_j2k_reduced(data: memoryview, pixels: PixelDescription, side: int) -> tuple[Array, str, int] | None:
    """Return a JPEG 2000 frame from its lower wavelet levels only, its photometric interpretation, and how often its
    sides are halved; the longer side keeps at least that many pixels.

    Samples of a halved frame lie at the corners of the pixels they stand for, not at their centres. None where nothing
    can be left out, or where the reduced decoder would not give true values: signedness or depth of stream and header
    differ.
    """
    header = read_stream_header(data, pixels)
    halvings = 0
    while halvings < header.levels and max(pixels.rows, pixels.columns) >> (halvings + 1) >= side:
        halvings += 1
    if not halvings:
        return None
    if header.signed != pixels.signed or header.subsampled or header.precision > 16:
        return None
    if header.precision != pixels.bits_stored or (pixels.samples == 3 and header.precision != 8):
        return None
    try:
        image = Jpeg2KImagePlugin.Jpeg2KImageFile(BytesIO(data))
        if image.mode != {1: "L" if header.precision <= 8 else "I;16", 3: "RGB"}[pixels.samples]:
            return None
        image.reduce = halvings
        # Pillow rounds halved sides to the nearest, a code stream rounds them up (ISO/IEC 15444-1 B.5) and would then
        # be called broken: sides that halve evenly leave nothing to round.
        step = 1 << halvings
        image._size = (-(-image.width // step) * step, -(-image.height // step) * step)
        image.load()
    except (OSError, SyntaxError, ValueError):
        return None
    array: NDArray[Any] = np.asarray(image)
    if array.dtype == np.uint16:  # Pillow scales to 16 bits and makes signed samples positive
        array = array >> np.uint16(16 - header.precision)
        if header.signed:
            array = (array.astype(np.int32) - (1 << (header.precision - 1))).astype(np.int16)
    elif header.precision != 8 or header.signed:
        return None
    return array, _after_j2k(pixels.photometric), halvings


def decode_jpeg_reduced(
    data: memoryview, pixels: PixelDescription, at_least: tuple[int, int]
) -> tuple[Array, str] | None:
    """Return an 8-bit colour JPEG frame as RGB, scaled in the DCT domain but not below at_least (width, height).

    None where the stream is not of that kind.
    """
    header = read_stream_header(data, pixels)
    if header.precision != 8 or header.frame == JPEG_LOSSLESS_FRAME or pixels.samples != 3:
        return None
    if not jpeg.is_complete(data):
        raise Rejected("pixel_data_truncated", "The JPEG stream ends before its end marker.")
    data = jpeg.with_colour_transform(data, header, transformed=jpeg.is_transformed(header, pixels.photometric))
    return jpeg.decode(data, grey=False, at_least=at_least), "RGB"


def read_stream_header(data: memoryview, pixels: PixelDescription) -> StreamHeader:
    """Read the code stream's own header and hold it against Rows, Columns and Samples per Pixel.

    Raises Rejected (``image_corrupt``) when they differ: the decoder would allocate by the stream, not by what was
    checked.
    """
    reader = read_jpeg_header if pixels.transfer_syntax in syntaxes.JPEG | syntaxes.JPEG_LS else read_j2k_header
    header = reader(data)
    if (header.width, header.height, header.components) != (pixels.columns, pixels.rows, pixels.samples):
        raise Rejected(
            "image_corrupt",
            f"The compressed frame is {header.width} × {header.height} with {header.components} samples, "
            f"the header says {pixels.columns} × {pixels.rows} with {pixels.samples}.",
        )
    if header.precision > pixels.bits_allocated:
        raise Rejected(
            "image_corrupt",
            f"The compressed frame has {header.precision} bits per sample, the header says {pixels.bits_allocated}.",
        )
    return header


def decode_with_pydicom(data: memoryview, pixels: PixelDescription, *, plugin: str = "") -> Array:
    """Return stored values by pydicom's decoder plugins; the fallback here, and the oracle in the tests.

    Raises NoDecoder when no plugin can.
    """
    decoder = get_decoder(UID(pixels.transfer_syntax))
    options: dict[str, Any] = {
        "rows": pixels.rows,
        "columns": pixels.columns,
        "samples_per_pixel": pixels.samples,
        "bits_allocated": pixels.bits_allocated,
        "bits_stored": pixels.bits_stored,
        "pixel_representation": int(pixels.signed),
        "photometric_interpretation": pixels.photometric,
        "number_of_frames": 1,
        "planar_configuration": int(pixels.planar),
        "pixel_keyword": "PixelData",
        "view_only": False,
    }
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            array, _ = decoder.as_array(
                encapsulate([bytes(data)], has_bot=False), index=0, raw=True, decoding_plugin=plugin, **options
            )
        except FAULTS as fault:
            raise NoDecoder(str(fault)) from fault
    return np.asarray(array)


def normalise(array: Array, pixels: PixelDescription) -> Array:
    """Keep the bits that Bits Stored and High Bit name, sign-extended where signed; no copy when nothing changes.

    Bits above High Bit may hold overlays (retired) or garbage and are no part of the value (PS3.5 section 8.1.1).
    """
    if array.dtype.kind == "f":
        return array
    stored, shift = pixels.bits_stored, pixels.high_bit + 1 - pixels.bits_stored
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if pixels.signed != (array.dtype.kind == "i"):
        array = array.view(np.dtype(f"{'i' if pixels.signed else 'u'}{array.dtype.itemsize}"))
    bits = array.dtype.itemsize * 8
    if stored + shift > bits:  # a code stream of fewer bits than the header says: its samples are what they are
        return array
    if shift == 0:
        if stored >= bits:
            return array
        low, high = (-(1 << (stored - 1)), (1 << (stored - 1)) - 1) if pixels.signed else (0, (1 << stored) - 1)
        if array.max() <= high and (not pixels.signed or array.min() >= low):
            return array
    kind = array.dtype.type
    return np.right_shift(np.left_shift(array, kind(bits - stored - shift)), kind(bits - stored))


def _decode_jpeg(data: memoryview, pixels: PixelDescription, header: StreamHeader) -> tuple[Array, str]:
    """Decode JPEG of any process and depth; three samples come out as RGB."""
    if not jpeg.is_complete(data):
        raise Rejected("pixel_data_truncated", "The JPEG stream ends before its end marker.")
    lossless = header.frame == JPEG_LOSSLESS_FRAME
    photometric = pixels.photometric
    if pixels.samples == 3 and not lossless:
        data = jpeg.with_colour_transform(data, header, transformed=jpeg.is_transformed(header, photometric))
        photometric = "RGB"
    if header.precision == 8 and not lossless:
        return _finish(jpeg.decode(data, grey=pixels.samples == 1), pixels, header), photometric
    if accelerators.imagecodecs is None and not lossless:
        raise NoDecoder(f"No decoder for lossy JPEG of {header.precision} bits is installed.")
    array = _with_ours(data) if lossless else None
    if array is None:
        array = _with_imagecodecs("jpeg8_decode", data, pixels)
    return _finish(array, pixels, header), photometric


def _with_ours(data: memoryview) -> Array | None:
    """Decode lossless JPEG or JPEG-LS with our own decoders; None where they are missing or pass."""
    return accelerators.lossless.decode(data) if accelerators.lossless is not None else None


def _with_imagecodecs(name: str, data: memoryview, pixels: PixelDescription) -> Array:
    """Decode with imagecodecs; where it is missing or fails, pydicom's verdict counts.

    Not so for JPEG-LS that imagecodecs refuses: pydicom's plugin may search a damaged stream for minutes.
    """
    if accelerators.imagecodecs is not None:
        decode = getattr(accelerators.imagecodecs, name)
        try:
            array: Array = decode(data)
        except (RuntimeError, ValueError, TypeError, OSError) as fault:
            if pixels.transfer_syntax in syntaxes.JPEG_LS:
                raise Rejected("image_corrupt", "The JPEG-LS data are truncated or corrupt.") from fault
        else:
            return array
    try:
        return decode_with_pydicom(data, pixels)
    except NoDecoder as fault:
        raise Rejected("image_corrupt", "The compressed pixel data cannot be decoded.") from fault


def _finish(array: Array, pixels: PixelDescription, header: StreamHeader) -> Array:
    """Bring a decoder's output to the header's shape, width of sample and signedness.

    Where stream and header disagree about the sign, the bits of the stream's precision are kept and read as the header
    says, as pydicom does and as dcmtk does.
    """
    shape = (pixels.rows, pixels.columns) + ((pixels.samples,) if pixels.samples > 1 else ())
    if array.size != pixels.rows * pixels.columns * pixels.samples:
        raise Rejected("image_corrupt", "The compressed frame does not decode to the size it declares.")
    array = array.reshape(shape)
    if pixels.signed != (array.dtype.kind == "i"):
        array = array.view(np.dtype(f"{'i' if pixels.signed else 'u'}{array.dtype.itemsize}"))
        kind, spare = array.dtype.type, array.dtype.itemsize * 8 - header.precision
        if spare:
            array = np.right_shift(np.left_shift(array, kind(spare)), kind(spare))
    return array


def _after_j2k(photometric: str) -> str:
    return "RGB" if photometric in ("YBR_ICT", "YBR_RCT") else photometric


def _decode_rle(data: memoryview, pixels: PixelDescription) -> Array:
    """Decode RLE (PS3.5 annex G); the number of segments must be that of sample bytes."""
    if pixels.bits_allocated == 1:
        raise Rejected("bit_depth_unsupported", "RLE of 1-bit pixels is not supported.")
    width = pixels.bits_allocated // 8
    segments = int.from_bytes(data[:4], "little")
    if len(data) < 64 or segments != width * pixels.samples:
        raise Rejected("image_corrupt", "The RLE header does not fit the image.")
    kind = "i" if pixels.signed else "u"
    expected = pixels.rows * pixels.columns * pixels.samples
    if accelerators.imagecodecs is not None:
        dtype = np.dtype(f"<{kind}{width}")
        try:
            raw = accelerators.imagecodecs.dicomrle_decode(data, dtype)
        except (RuntimeError, ValueError) as fault:
            raise Rejected("image_corrupt", "The RLE data cannot be decoded.") from fault
        if len(raw) < expected * width:
            raise Rejected("pixel_data_truncated", "The RLE data end before the last pixel.")
        flat = np.frombuffer(raw, dtype, expected)
        if pixels.samples == 1:
            return flat.reshape(pixels.rows, pixels.columns)
        return flat.reshape(pixels.samples, pixels.rows, pixels.columns).transpose(1, 2, 0)
    try:
        return decode_with_pydicom(data, pixels)
    except NoDecoder as fault:
        raise Rejected("image_corrupt", "The RLE data cannot be decoded.") from fault


def _decode_deflated(data: memoryview, pixels: PixelDescription) -> Array:
    """Inflate one frame of Deflated Image Frame Compression (PS3.5 A.4.13), never beyond the frame's size."""
    size = _frame_bytes(pixels)
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        raw = inflater.decompress(data, size)
    except zlib.error as fault:
        raise Rejected("image_corrupt", "The deflated frame cannot be inflated.") from fault
    if len(raw) < size:
        raise Rejected("pixel_data_truncated", "The deflated frame ends before the last pixel.")
    return decode_native(memoryview(raw), _at_start(pixels), 0)


def _decode_uncompressed(data: memoryview, pixels: PixelDescription) -> Array:
    """Return a native frame that is an item of its own (PS3.5 A.4.11)."""
    if len(data) < _frame_bytes(pixels):
        raise Rejected("pixel_data_truncated", "The frame ends before the last pixel.")
    return decode_native(data, _at_start(pixels), 0)


def _frame_bytes(pixels: PixelDescription) -> int:
    return (pixels.frame_bits + 7) // 8


def _at_start(pixels: PixelDescription) -> PixelDescription:
    return replace(pixels, offset=0, length=_frame_bytes(pixels), transfer_syntax=syntaxes.EXPLICIT_LITTLE)


def _shape(flat: Array, pixels: PixelDescription) -> Array:
    rows, columns, samples = pixels.rows, pixels.columns, pixels.samples
    if samples == 1:
        return flat.reshape(rows, columns)
    if pixels.planar:
        return flat.reshape(samples, rows, columns).transpose(1, 2, 0)
    return flat.reshape(rows, columns, samples)


def _spread_422(flat: Array, pixels: PixelDescription) -> Array:
    """Return full YBR from Y1 Y2 Cb Cr quadruples; both pixels of a pair share their colour (PS3.3 C.7.6.3.1.2)."""
    if pixels.columns % 2:
        raise Rejected("header_invalid", "YBR_FULL_422 needs an even number of columns.")
    quads = flat.reshape(pixels.rows, pixels.columns // 2, 4)
    out = np.empty((pixels.rows, pixels.columns, 3), flat.dtype)
    out[:, 0::2, 0] = quads[..., 0]
    out[:, 1::2, 0] = quads[..., 1]
    for channel in (1, 2):
        out[:, 0::2, channel] = out[:, 1::2, channel] = quads[..., channel + 1]
    return out


def _swapped_bytes(
    buffer: memoryview, pixels: PixelDescription, start: int, count: int, dtype: "np.dtype[Any]"
) -> Array:
    """Return 8-bit samples that big endian OW stored as swapped pairs."""
    first = start - start % 2
    last = start + count + (start + count) % 2
    words = np.frombuffer(buffer, np.uint16, (last - first) // 2, pixels.offset + first).byteswap()
    return words.view(dtype)[start - first : start - first + count]


def _unpack_bits(buffer: memoryview, pixels: PixelDescription, index: int) -> Array:
    """Return 1-bit pixels as 0 and 1; frames follow each other without padding, lowest bit first (PS3.5 8.1.1)."""
    count = pixels.frame_bits
    start = index * count
    first = start // 8
    last = (start + count + 7) // 8
    packed = np.frombuffer(buffer, np.uint8, last - first, pixels.offset + first)
    bits = np.unpackbits(packed, bitorder="little")[start - first * 8 : start - first * 8 + count]
    return bits.reshape(pixels.rows, pixels.columns)
