"""A label: a class of annotation data."""

from __future__ import annotations

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .annotation_data import AnnotationData


class Label(models.Model):
    """A class, and the colour it has wherever it is shown. ``position`` is its place in alphabetical order, from 0."""

    annotation_data = models.ForeignKey(AnnotationData, models.CASCADE, related_name="labels", db_index=False)
    name = models.CharField(_("name"), max_length=200)
    color = models.CharField(max_length=7, validators=[RegexValidator(r"^#[0-9a-f]{6}$")])
    position = models.PositiveIntegerField(default=0)
    image_count = models.PositiveIntegerField(default=0, help_text=_("Images that have it (value 1, a box, a mask)."))
    annotation_count = models.PositiveIntegerField(default=0)
    extra = models.JSONField(null=True, help_text="What its format says of a class beyond its name.")

    class Meta:
        ordering = ["annotation_data", "position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["annotation_data", "name"], name="annotation_data_have_a_label_once"),
            models.CheckConstraint(condition=~Q(name=""), name="a_label_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name
