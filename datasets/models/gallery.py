"""The gallery: datasets of this installation that operators offer to everybody."""

from __future__ import annotations

from typing import Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from .dataset import Dataset, DatasetStatus


class GalleryQuerySet(models.QuerySet["GalleryEntry"]):
    def on_show(self) -> Self:
        """Select the entries whose dataset can be imported; who is signed in may see all of them."""
        return self.filter(dataset__status=DatasetStatus.AVAILABLE)


class GalleryEntry(models.Model):
    """What the gallery says of a dataset. It goes with the dataset; what was imported from it stays."""

    dataset = models.OneToOneField(Dataset, models.CASCADE, related_name="gallery_entry")
    name = models.CharField(_("name"), max_length=200)
    description = models.TextField(_("description"), max_length=4000, blank=True)
    modality = models.CharField(_("modality"), max_length=100, blank=True)
    body_part = models.CharField(_("body part"), max_length=100, blank=True)
    provider = models.CharField(_("provider"), max_length=200, blank=True)
    licence = models.CharField(_("licence"), max_length=200, blank=True)
    source_url = models.URLField(_("source"), max_length=500, blank=True)
    published_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    published_at = models.DateTimeField(auto_now_add=True)

    objects = GalleryQuerySet.as_manager()

    class Meta:
        verbose_name = _("gallery entry")
        verbose_name_plural = _("gallery")
        ordering = ["name", "pk"]
        constraints = [models.CheckConstraint(condition=~models.Q(name=""), name="a_gallery_entry_has_a_name")]

    def __str__(self) -> str:
        return self.name
