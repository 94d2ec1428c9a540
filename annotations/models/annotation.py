"""One annotation: a class of an image, a box, or a mask. Made for tens of millions of rows."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from .annotation_data import AnnotatedImage
from .label import Label


class Kind(models.TextChoices):
    """What sort of annotation a row is; one letter, since there are many rows."""

    SINGLE_LABEL = "c", "class of an image that has only one"
    MULTI_LABEL = "m", "class of an image that it has or has not"
    BOX = "b", "box"
    MASK = "s", "mask"


_NO_BOX = Q(x=None, y=None, width=None, height=None)
_BOX = Q(x__isnull=False, y__isnull=False, width__gt=0, height__gt=0)


class Annotation(models.Model):
    """What is said of an image under one label, in pixels of the image as displayed, origin at its top left corner.

    ``x, y, width, height`` are the box, or the box around the mask. ``counts`` is the mask as COCO's compressed
    run-length encoding: column by column, of the image's size. ``polygons`` keeps the outline the mask was drawn by
    (COCO: a list of [x1, y1, x2, y2 …]); the mask decides. ``frame`` counts from 1; 0 speaks of the
    whole image.
    """

    item = models.ForeignKey(AnnotatedImage, models.CASCADE, related_name="annotations", db_index=False)
    label = models.ForeignKey(Label, models.CASCADE, related_name="annotations")
    kind = models.CharField(max_length=1, choices=Kind.choices)
    value = models.PositiveSmallIntegerField(null=True, help_text="1: has the label, 0: has not (multi-label).")
    x = models.FloatField(null=True)
    y = models.FloatField(null=True)
    width = models.FloatField(null=True)
    height = models.FloatField(null=True)
    area = models.FloatField(null=True, help_text="Pixels: of the box, or of the mask.")
    counts = models.TextField(null=True)  # noqa: DJ001 - no mask is not the same as a mask of no runs
    polygons = models.JSONField(null=True)
    score = models.FloatField(null=True, help_text="Confidence of a prediction.")
    frame = models.PositiveIntegerField(default=0)
    extra = models.JSONField(null=True, help_text="What its format says beyond these columns, to be written back.")

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=(
                    Q(kind="c", value=1, counts=None) & _NO_BOX
                    | Q(kind="m", value__in=(0, 1), counts=None) & _NO_BOX
                    | Q(kind="b", value=None, counts=None) & _BOX
                    | Q(kind="s", value=None, counts__isnull=False)
                ),
                name="an_annotation_says_what_its_kind_says",
            ),
            models.UniqueConstraint(
                fields=["item", "frame"], condition=Q(kind="c"), name="an_image_has_one_single_label"
            ),
            models.UniqueConstraint(
                fields=["item", "label", "frame"], condition=Q(kind="m"), name="an_image_has_a_label_or_not"
            ),
        ]
        indexes = [models.Index(fields=["item", "label"], name="annotation_of_an_image")]

    def __str__(self) -> str:
        return f"annotation {self.pk}"
