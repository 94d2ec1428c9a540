"""A saved split: the studies of annotation data divided into parts, to be trained, chosen and tested on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from datasets.models import Study

from .annotation_data import AnnotationData

if TYPE_CHECKING:
    from deepcap.accounts.models import User


class SplitQuerySet(models.QuerySet["Split"]):
    def visible_to(self, user: User) -> Self:
        """Select the splits of the annotation data this person may see."""
        return self.filter(annotation_data__in=AnnotationData.objects.visible_to(user))


class Split(models.Model):
    """Which study is in which part is stored, not worked out again: it stays what it was. Only the name can change.

    ``report`` is what was told before it was saved: ``parts`` with ``name``, ``share``, ``studies``, ``images`` and
    ``labels`` ({label: studies that have it}) in the order of SplitMember.part; what ``leaks``.
    """

    annotation_data = models.ForeignKey(AnnotationData, models.CASCADE, related_name="splits", db_index=False)
    name = models.CharField(_("name"), max_length=200)
    seed = models.BigIntegerField(default=0)
    by_patient = models.BooleanField(default=True, help_text=_("Studies of a patient, and same images, are together."))
    stratified = models.BooleanField(default=True, help_text=_("Labels are in proportion."))
    study_count = models.PositiveIntegerField(default=0)
    report = models.JSONField(default=dict)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = SplitQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-pk"]
        constraints = [
            models.UniqueConstraint(fields=["annotation_data", "name"], name="annotation_data_use_a_split_name_once"),
            models.CheckConstraint(condition=~Q(name=""), name="a_split_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def part_names(self) -> list[str]:
        """Return the names of the parts in their order."""
        return [part["name"] for part in self.report["parts"]]


class SplitMember(models.Model):
    """A study of a split, and the place of its part among the parts. There are as many as there are studies."""

    split = models.ForeignKey(Split, models.CASCADE, related_name="members", db_index=False)
    study = models.ForeignKey(Study, models.CASCADE, related_name="+")
    part = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["split", "study"], name="a_study_is_in_one_part_of_a_split"),
        ]

    def __str__(self) -> str:
        return f"study {self.study_id} in part {self.part} of split {self.split_id}"
