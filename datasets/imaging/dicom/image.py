"""A DICOM image object: its header, its frames as stored values, and its frames as pictures."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import accelerators, thumbnails, windowing
from ..decoders import dicom as decoder
from ..errors import Rejected
from ..limits import Limits
from ..records import ImageHeader
from . import colour, syntaxes
from .file import DicomFile, open_dicom
from .frames import EncapsulatedFrames, locate_frames
from .grey import frame_groups, is_inverted, modality_of, voi_of
from .header import build_header
from .kinds import refuse_non_image
from .pixels import COLOUR, GREY, PALETTE, PixelDescription, describe_pixels

Array = NDArray[Any]
Picture = NDArray[np.uint8]

_ROUGH = 10.0
"""Mean difference of neighbours, in grey levels, above which a wavelet level is too noisy to stand for an average: it
keeps more of the noise. Below it the two differ by at most 2 levels on average, above it by 3.5 to 5."""

_AVERAGED_LEVELS = 64
"""A window must span this many stored levels for averaging before windowing to look like averaging after it."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A frame as 8-bit grey or RGB, and what chose its grey values."""

    picture: Picture
    rule: str
    window: windowing.Window | None = None


class DicomImage:
    """One image object in memory; frames are counted from 0 here.

    ``first`` is the place, in the whole object, of the first frame that is there: 0 unless it is a part of one.
    """

    def __init__(
        self, file: DicomFile, pixels: PixelDescription, frames: EncapsulatedFrames | None, *, first: int = 0
    ) -> None:
        self.file = file
        self.pixels = pixels
        self.first = first
        self._frames = frames

    @classmethod
    def open(cls, data: memoryview, limits: Limits, *, annotations: bool = False) -> "DicomImage":
        """Parse the file and check that all bytes of all frames are there; decode nothing.

        Raises Skipped for sound objects that are no image (segmentations too, unless annotations is set), Rejected for
        everything else that cannot be one.
        """
        file = open_dicom(data, limits)
        span = refuse_non_image(file, annotations=annotations)
        pixels = describe_pixels(file, span, limits)
        frames = locate_frames(file.buffer, file.elements, pixels) if pixels.encapsulated else None
        return cls(file, pixels, frames)

    def header(self) -> ImageHeader:
        """Return the plain header."""
        return build_header(self.file, self.pixels)

    def decode(self, index: int) -> tuple[Array, str]:
        """Return the stored values of a frame at full size, and their photometric interpretation.

        Raises Rejected when the frame is damaged, NoDecoder when nothing here decodes it.
        """
        if not 0 <= index < self.pixels.frames:
            raise Rejected("frame_missing", f"The image has {self.pixels.frames} frames.")
        if self._frames is None:
            array, photometric = decoder.decode_native(self.file.buffer, self.pixels, index), self.pixels.photometric
        else:
            array, photometric = decoder.decode_encapsulated(self._frames[index], self.pixels)
        return decoder.normalise(array, self.pixels), photometric

    def show(self, index: int, window: tuple[float, float] | None = None) -> Shown:
        """Return a frame at full size as a picture; a given window (centre, width) is used for grey frames only."""
        return self._picture(index, *self.decode(index), window)

    def show_small(self, index: int) -> Picture:
        """Return a frame as a picture that fits a thumbnail.

        The full frame is windowed and then averaged, which a table makes as cheap as the other way round and which
        looks like the picture at full size even where a window is narrow. Only codecs that can leave detail out
        without showing it decode less than the full frame.
        """
        small = self._small_jpeg(index)
        if small is None:
            small = self._small_j2k(index)
        if small is None:
            small = self._picture(index, *self.decode(index), None).picture
        return thumbnails.shrink(small, thumbnails.fit(self.pixels.columns, self.pixels.rows))

    def _picture(self, index: int, array: Array, photometric: str, window: tuple[float, float] | None) -> Shown:
        if photometric == PALETTE:
            return Shown(colour.apply_palette(array, colour.palette_of(self.file.elements)), "palette")
        if photometric not in GREY:
            return Shown(colour.to_rgb(array, photometric, self.pixels.bits_stored), "colour")
        grey, rule = self._grey_scale(index, array, window)
        shown = grey.voi if isinstance(grey.voi, windowing.Window) else None
        return Shown(windowing.to_grey(array, grey), rule, shown)

    def _grey_scale(
        self, index: int, array: Array, window: tuple[float, float] | None
    ) -> tuple[windowing.GreyScale, str]:
        """Return how a grey frame is shown; array is only looked at for minimum and maximum."""
        elements = self.file.elements
        groups = frame_groups(elements, self.first + index)
        modality = modality_of(elements, groups)
        voi: windowing.Voi
        if window is not None:
            voi, rule = windowing.Window(*window), "window_given"
        elif (found := voi_of(elements, groups)) is not None:
            voi, rule = found
        else:
            voi, rule = windowing.min_max(array, modality), "min_max"
        return windowing.GreyScale(modality, voi, is_inverted(self.pixels)), rule

    def _small_jpeg(self, index: int) -> Picture | None:
        """Return a colour JPEG frame scaled in the DCT domain; None for all other frames."""
        pixels, frames = self.pixels, self._frames
        if frames is None or pixels.transfer_syntax != syntaxes.JPEG_BASELINE or pixels.photometric not in COLOUR:
            return None
        reduced = decoder.decode_jpeg_reduced(frames[index], pixels, thumbnails.fit(pixels.columns, pixels.rows))
        return None if reduced is None else self._picture(index, *reduced, None).picture

    def _small_j2k(self, index: int) -> Picture | None:
        """Return a JPEG 2000 frame from its lower wavelet levels.

        None for all other frames, for grey ones whose window is narrow or whose minimum and maximum must come from
        every pixel because they have no window, and for noisy ones.
        """
        pixels, frames = self.pixels, self._frames
        if frames is None or pixels.transfer_syntax not in syntaxes.J2K or pixels.photometric == PALETTE:
            return None
        if accelerators.cv2 is None or (pixels.photometric in GREY and not self._may_average_first(index)):
            return None
        reduced = decoder.decode_j2k_reduced(frames[index], pixels, thumbnails.SIDE)
        if reduced is None:
            return None
        array, photometric, halvings = reduced
        picture = self._picture(index, array, photometric, None).picture
        if thumbnails.roughness(picture) > _ROUGH:
            return None
        return thumbnails.centre(picture, halvings)

    def _may_average_first(self, index: int) -> bool:
        """Tell whether windowing averaged stored values looks like averaging windowed ones: a wide linear window."""
        elements = self.file.elements
        groups = frame_groups(elements, self.first + index)
        found, modality = voi_of(elements, groups), modality_of(elements, groups)
        if found is None or not isinstance(found[0], windowing.Window) or not isinstance(modality, windowing.Rescale):
            return False
        return abs(modality.slope) * _AVERAGED_LEVELS <= found[0].width
