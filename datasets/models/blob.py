"""The tables of the vault. Rules: architecture.md of the design, "The vault"; code: ``datasets.blobs``.

A blob is a row and a family of objects that share a *stem*: ``<stem>.orig`` holds the bytes, ``<stem>.thumb.jpg`` and
others are derived from them. The digest identifies the blob, the stem is used once and never again.
"""

from __future__ import annotations

from django.db import models
from django.utils import timezone

ORIGINAL = "orig"
THUMBNAIL = "thumb.jpg"


class Blob(models.Model):
    """Bytes, kept once however many images show them."""

    digest = models.CharField(max_length=64, unique=True, help_text="SHA-256 of the bytes, hexadecimal.")
    size = models.BigIntegerField()
    stem = models.CharField(max_length=100, unique=True)
    has_thumbnail = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    touched_at = models.DateTimeField(default=timezone.now, help_text="When a writer last meant to refer to it.")

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(size__gte=0), name="a_blob_has_a_size")]

    def __str__(self) -> str:
        return self.digest[:12]

    @property
    def original_key(self) -> str:
        return f"{self.stem}.{ORIGINAL}"

    @property
    def thumbnail_key(self) -> str:
        return f"{self.stem}.{THUMBNAIL}"


class WriteIntent(models.Model):
    """Objects are about to be written under this prefix by work that may die before it writes their rows.

    The row is removed by the transaction that keeps the objects; the sweep clears up after those that stay.
    """

    prefix = models.CharField(max_length=100, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(help_text="After this nobody writes under the prefix any more.", db_index=True)

    def __str__(self) -> str:
        return self.prefix


class VaultCandidate(models.Model):
    """A blob that may have lost its last reference; the sweep looks and decides."""

    blob_pk = models.BigIntegerField(help_text="By value: a candidate must not keep its blob.")
    deletion = models.ForeignKey("datasets.Deletion", models.SET_NULL, null=True, related_name="+")

    def __str__(self) -> str:
        return f"candidate {self.blob_pk}"


class StorageRemoval(models.Model):
    """Every key that starts with ``prefix`` is to go: written in the transaction that lets go of it."""

    prefix = models.CharField(max_length=200)
    size = models.BigIntegerField(default=0, help_text="Bytes counted as removed in the deletion's receipt.")
    object_count = models.PositiveIntegerField(default=1, help_text="Objects counted as removed in the receipt.")
    deletion = models.ForeignKey("datasets.Deletion", models.SET_NULL, null=True, related_name="removals")
    attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.prefix
