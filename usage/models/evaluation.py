"""What predictions say image by image, and how they compare with the ground truth."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from datasets.models import Image
from deepcap.common.leases import LeasedWork

from .inference_job import InferenceJob


class Evaluation(LeasedWork):
    """The work of reading the predictions of a job and of measuring them; ``report`` is what came of it.

    ``image_count`` images were predicted or are in the ground truth, ``judged_count`` of them are in the ground truth,
    and of those ``right_count`` are right.
    """

    inference_job = models.OneToOneField(InferenceJob, models.CASCADE, related_name="evaluation")
    image_count = models.PositiveIntegerField(default=0)
    judged_count = models.PositiveIntegerField(default=0)
    right_count = models.PositiveIntegerField(default=0)
    report = models.JSONField(default=dict)
    problem = models.CharField(max_length=500, blank=True, help_text=_("Why nothing, or not all, could be read."))
    finished_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name_plural = _("evaluations")

    def __str__(self) -> str:
        return f"evaluation of inference job {self.inference_job_id}"

    @property
    def wrong_count(self) -> int:
        return self.judged_count - self.right_count


class Outcome(models.TextChoices):
    """One letter, since there are many rows."""

    RIGHT = "r", _("Right")
    WRONG = "w", _("Wrong")
    UNKNOWN = "", _("Without ground truth")


class PredictedImage(models.Model):
    """What a job predicts of an image. ``said`` is a list of annotations with the keys of ``usage.evaluation.said``."""

    inference_job = models.ForeignKey(InferenceJob, models.CASCADE, related_name="predicted_images", db_index=False)
    image = models.ForeignKey(Image, models.CASCADE, related_name="+")
    position = models.PositiveIntegerField(help_text="Place of the image in its dataset, from 0.")
    said = models.JSONField(default=list)
    score = models.FloatField(null=True, help_text="The highest confidence in anything that is said.")
    outcome = models.CharField(max_length=1, choices=Outcome.choices, blank=True, default=Outcome.UNKNOWN)

    class Meta:
        verbose_name_plural = _("predicted images")
        ordering = ["inference_job", "position"]
        constraints = [
            models.UniqueConstraint(fields=["inference_job", "image"], name="a_job_predicts_an_image_once"),
        ]
        indexes = [
            models.Index(fields=["inference_job", "position"], name="predicted_in_display_order"),
            models.Index(fields=["inference_job", "outcome", "position"], name="predicted_by_outcome"),
            models.Index(fields=["inference_job", "score", "id"], name="predicted_by_score"),
        ]

    def __str__(self) -> str:
        return f"image {self.image_id} as inference job {self.inference_job_id} predicts it"
