"""How much a file may ask for before anything is allocated for it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Ceilings that hold for one file; sides and pixels are per frame."""

    min_side: int = 16
    max_side: int = 16384
    max_frames: int = 100_000
    max_pixels: int = 16384 * 16384
    max_frame_bytes: int = 1 << 30
    """Decoded size of one frame: rows x columns x samples x bytes per sample."""
    max_inflated_bytes: int = 1 << 30
    """Size of a Deflated Explicit VR data set after inflation."""
