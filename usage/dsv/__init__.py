"""Validation by agreement: what several annotators said of one image becomes one result, or is found too uncertain.

The rules of product description 12; where it gives none, those here are our own and each function says so. Pure: it
knows no Django, and may be used by services outside.
"""

from .classification import LabelsVerdict, Verdict, majority, majority_of_labels
from .detection import Box, BoxesVerdict, Group, agree_on_boxes, iou
from .exclusion import Excluded, reason_not_exported
from .segmentation import MaskVerdict, agree_on_mask, dice

__all__ = [
    "Box",
    "BoxesVerdict",
    "Excluded",
    "Group",
    "LabelsVerdict",
    "MaskVerdict",
    "Verdict",
    "agree_on_boxes",
    "agree_on_mask",
    "dice",
    "iou",
    "majority",
    "majority_of_labels",
    "reason_not_exported",
]
