"""How a dataset came in: one ingest, its batches of members, a row for every member that became no image."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from deepcap.common.leases import LeasedQuerySet, LeasedWork

from .dataset import Dataset


class IngestStage(models.TextChoices):
    INDEXING = "indexing", _("Reading the list of files")
    READING = "reading", _("Reading images")
    ARRANGING = "arranging", _("Arranging studies")
    LABELLING = "labelling", _("Reading labels")
    DONE = "done", _("Done")


class Container(models.TextChoices):
    ZIP = "zip", "Zip"
    FILE = "file", "Single file"


class Ingest(LeasedWork):
    """Turns an upload into images. Its lease is held for indexing and from arranging on; batches carry the reading."""

    dataset = models.OneToOneField(Dataset, models.CASCADE, related_name="ingest")
    stage = models.CharField(max_length=10, choices=IngestStage.choices, default=IngestStage.INDEXING)
    container = models.CharField(max_length=4, choices=Container.choices, default=Container.ZIP)
    name_encoding = models.CharField(max_length=30, blank=True, help_text="Encoding of the names in the zip.")
    member_count = models.PositiveIntegerField(default=0)
    byte_count = models.BigIntegerField(default=0, help_text="Inflated bytes of all members to read.")
    done_members = models.PositiveIntegerField(default=0)
    done_bytes = models.BigIntegerField(default=0)
    accepted = models.PositiveIntegerField(default=0)
    skipped = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    cancelled_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"ingest of {self.dataset}"


class IngestBatch(LeasedWork):
    """Members that lie one behind the other in the archive, ingested in one go: all of them or none."""

    ingest = models.ForeignKey(Ingest, models.CASCADE, related_name="batches", db_index=False)
    number = models.PositiveIntegerField()
    members = models.JSONField(help_text="What the archive's directory says of each; emptied when done.")
    member_count = models.PositiveIntegerField()
    byte_count = models.BigIntegerField()

    objects = LeasedQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "ingest batches"
        ordering = ["ingest", "number"]
        constraints = [
            models.UniqueConstraint(fields=["ingest", "number"], name="a_batch_is_in_its_ingest_once"),
        ]
        indexes = [models.Index(fields=["state", "lease_until"], name="batch_to_claim")]

    def __str__(self) -> str:
        return f"batch {self.number} of ingest {self.ingest_id}"


class Outcome(models.TextChoices):
    REJECTED = "rejected", _("Rejected")
    SKIPPED = "skipped", _("Skipped")


class Problem(models.Model):
    """A member that did not become an image: the row of the ingest report that says why."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="problems", db_index=False)
    path = models.CharField(max_length=1024)
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    code = models.CharField(max_length=60)
    message = models.CharField(max_length=500)

    class Meta:
        ordering = ["dataset", "outcome", "id"]
        indexes = [models.Index(fields=["dataset", "outcome", "id"], name="problem_in_report_order")]

    def __str__(self) -> str:
        return f"{self.path}: {self.code}"
