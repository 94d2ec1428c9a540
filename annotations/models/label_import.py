"""How annotation data came in from a label file: the work, and a row for everything in the file that was not used."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from datasets.models import Blob, Dataset
from deepcap.common.leases import LeasedWork

from .annotation_data import AnnotationData


class ImportStage(models.TextChoices):
    READING = "reading", _("Reading labels")
    COUNTING = "counting", _("Counting")
    DONE = "done", _("Done")


class LabelImport(LeasedWork):
    """One set of labels read from a file: into one annotation data, or (not detected yet) into as many as it holds."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="label_imports")
    annotation_data = models.OneToOneField(AnnotationData, models.CASCADE, null=True, related_name="label_import")
    stage = models.CharField(max_length=10, choices=ImportStage.choices, default=ImportStage.READING)
    blob = models.ForeignKey(Blob, models.PROTECT, related_name="label_imports", help_text="The file, or a zip.")
    filename = models.CharField(max_length=1024)
    file_format = models.CharField(max_length=20, blank=True)
    options = models.JSONField(default=dict, help_text="Which files of the zip, the columns of a CSV, and the like.")
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    row_count = models.PositiveIntegerField(default=0, help_text="Rows or objects read so far.")
    total_bytes = models.BigIntegerField(default=0)
    done_bytes = models.BigIntegerField(default=0)
    problem_count = models.PositiveIntegerField(default=0)
    problems_by_code = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.filename


class LabelProblem(models.Model):
    """A row or an object of a label file that was not used, and why."""

    label_import = models.ForeignKey(LabelImport, models.CASCADE, related_name="problems", db_index=False)
    path = models.CharField(max_length=1024, blank=True, help_text="File inside the zip.")
    row = models.PositiveIntegerField(null=True, help_text="Line, or place in the file, from 1.")
    column = models.CharField(max_length=100, blank=True)
    code = models.CharField(max_length=60)
    message = models.CharField(max_length=500)
    near = models.JSONField(default=list, help_text="Paths of images that may have been meant.")

    class Meta:
        ordering = ["label_import", "pk"]
        indexes = [models.Index(fields=["label_import", "code", "id"], name="label_problem_by_code")]

    def __str__(self) -> str:
        return f"{self.path} {self.row}: {self.code}"
