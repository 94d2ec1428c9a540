"""An image as the viewer takes it: everything from its row, no file is opened."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.urls import get_script_prefix, reverse
from django.utils.translation import gettext as _

from datasets.imaging.delivery import GREY, passes
from datasets.models.image import Duplicate, ImageFormat
from datasets.services.frames import kind_of

from . import geometry, grey

# What a scene reads of its images and of their blobs: as named tuples, which are made much faster than instances.
COLUMNS = (
    "pk", "study_id", "series_id", "path", "format", "width", "height", "frames", "bits_stored", "instance_number",
    "photometric_interpretation", "transfer_syntax_uid", "sop_class_uid", "sop_instance_uid", "slice_position",
    "attributes", "undrawable", "duplicate", "burned_in_risk", "blob__size", "blob__has_thumbnail",
)  # fmt: skip
_PLACEHOLDER = 4_711_174_711


def scene_image(image: Any) -> dict[str, Any]:
    """Return the viewer's account of an image, read as a named tuple of `COLUMNS`."""
    known = image.attributes
    is_dicom = image.format == ImageFormat.DICOM
    delivery = delivery_of(image)
    spacing = geometry.spacing_of(known)
    link = _links(get_script_prefix())
    pk = str(image.pk)
    return {
        "id": image.pk,
        "path": image.path,
        "name": image.path.rpartition("/")[2],
        "format": image.format,
        "width": image.width,
        "height": image.height,
        "frames": image.frames,
        "size_bytes": image.blob__size,
        "bits_allocated": known.get("BitsAllocated", image.bits_stored),
        "bits_stored": image.bits_stored,
        "high_bit": int(known.get("HighBit", image.bits_stored - 1)),
        "signed": known.get("PixelRepresentation") == 1,
        "samples_per_pixel": known.get("SamplesPerPixel", 1),
        "photometric_interpretation": image.photometric_interpretation,
        "planar_configuration": int(known.get("PlanarConfiguration", 0)),
        "transfer_syntax_uid": image.transfer_syntax_uid,
        "delivery": delivery,
        "samples": None if delivery == "none" else samples_of(image),
        "frame_url": link["frame"].replace("@", pk).replace("#", "{frame}"),
        "file_url": link["file"].replace("@", pk),
        "rendered_url": link["rendered"].replace("@", pk),
        "thumbnail_url": link["thumbnail"].replace("@", pk) if image.blob__has_thumbnail else None,
        "tags_url": link["tags"].replace("@", pk) if is_dicom else None,
        "rescale": grey.rescale_of(image),
        "invert": image.photometric_interpretation == "MONOCHROME1",
        "window": grey.window_of(image),
        "windows": known.get("Windows") or [],
        "per_frame": grey.per_frame_of(image),
        "voi_lut_url": link["voi_lut"].replace("@", pk) if known.get("HasVOILUT") else None,
        "spacing": spacing,
        "aspect": geometry.aspect_of(known, spacing),
        "frame_time_ms": geometry.frame_time_of(known),
        "geometry": geometry.geometry_of(known),
        "slice_position": image.slice_position,
        "slice_thickness": known.get("SliceThickness"),
        "patient_orientation": known.get("PatientOrientation", ""),
        "laterality": known.get("ImageLaterality") or known.get("Laterality", ""),
        "view_position": known.get("ViewPosition", ""),
        "modality": known.get("Modality", ""),
        "body_part": known.get("BodyPartExamined", ""),
        "orientation": known.get("Orientation", 1),
        "sop_class_uid": image.sop_class_uid,
        "sop_instance_uid": image.sop_instance_uid,
        "instance_number": image.instance_number,
        "lossy": known.get("LossyImageCompression") == "01",
        "duplicate": image.duplicate != Duplicate.NO,
        "burned_in_risk": image.burned_in_risk,
        "undrawable": image.undrawable,
        "undrawable_message": undrawable_message(image.undrawable),
    }


def delivery_of(image: Any) -> str:
    """Return how the viewer gets the pixels: ``frame``, ``samples``, ``image`` or ``none``.

    Browsers show 8-bit JPEG and PNG files as the server does, EXIF orientation of a JPEG included; not those in CMYK.
    """
    if image.undrawable:
        return "none"
    kind = kind_of(image)
    if kind is not None:
        return "frame" if passes(kind) else "samples"
    upright = image.format == ImageFormat.JPEG or image.attributes.get("Orientation", 1) == 1
    shown = image.bits_stored == 8 and image.photometric_interpretation != "CMYK"
    return "image" if upright and shown else "samples"


def samples_of(image: Any) -> dict[str, Any]:
    """Return what `datasets.imaging.samples` will make of the image, as far as the row can tell."""
    known, photometric = image.attributes, image.photometric_interpretation
    if photometric not in GREY or known.get("Alpha"):
        return sample_layout("uint8", 3, "RGB")
    bits = known.get("BitsAllocated", image.bits_stored)
    if known.get("HasModalityLUT"):
        kind = "uint16"
    elif bits > 16:
        kind = "float32"
    else:
        kind = f"{'' if known.get('PixelRepresentation') == 1 else 'u'}int{8 if bits <= 8 else 16}"
    return sample_layout(kind, 1, photometric)


def sample_layout(kind: str, samples: int, photometric: str) -> dict[str, Any]:
    """Return a layout of decoded samples; ``kind`` is uint8, int8, uint16, int16 or float32."""
    return {
        "type": kind,
        "bits_allocated": int(kind.lstrip("uintfloa")),
        "signed": not kind.startswith("u"),
        "float": kind == "float32",
        "samples_per_pixel": samples,
        "photometric_interpretation": photometric,
    }


def undrawable_message(code: str) -> str:
    """Return a sentence on why an image cannot be shown; "" where it can."""
    if not code:
        return ""
    if code == "decoder_missing":
        return _("No decoder for this image's compression is installed. The file can be downloaded.")
    return _("This image cannot be drawn (%(code)s). The file can be downloaded.") % {"code": code}


@cache
def _links(script_prefix: str) -> dict[str, str]:
    """Return the addresses of an image's faces with ``@`` for its id and ``#`` for the frame: reversed once."""
    names = {
        "file": "api:image-file",
        "rendered": "api:image-rendered",
        "thumbnail": "api:image-thumbnail",
        "tags": "viewer-tags",
        "voi_lut": "viewer-voi-lut",
    }
    links = {key: reverse(name, args=[_PLACEHOLDER]) for key, name in names.items()}
    links["frame"] = reverse("viewer-frame", args=[_PLACEHOLDER, 0]).replace("/0/", "/#/")
    return {key: link.replace(str(_PLACEHOLDER), "@") for key, link in links.items()}
