"""How good predictions are: compared with the ground truth image by image, in memory that does not grow with them."""

from .base import Measure, Said
from .boxes import Boxes
from .classes import SingleLabel
from .labels import MultiLabel
from .masks import Masks

MEASURES: dict[str, type[Measure]] = {
    "single_label_classification": SingleLabel,
    "multi_label_classification": MultiLabel,
    "object_detection": Boxes,
    "image_segmentation": Masks,
}

__all__ = ["MEASURES", "Boxes", "Masks", "Measure", "MultiLabel", "Said", "SingleLabel"]
