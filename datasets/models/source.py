"""What a dataset was combined from, by value: it outlives the datasets it came from."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from .dataset import Dataset


class DatasetSource(models.Model):
    """One of the datasets that ``dataset`` was combined from. Its images carry ``number`` in ``source_number``."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="sources", db_index=False)
    number = models.PositiveSmallIntegerField(help_text="Place among the sources, from 0.")
    source_dataset = models.BigIntegerField(help_text="Id of the dataset, by value: it may be gone.")
    name = models.CharField(_("name"), max_length=200, help_text="Name of the dataset at that time.")
    image_count = models.PositiveIntegerField(default=0, help_text="Images it had to give.")
    done_count = models.PositiveIntegerField(default=0, help_text="Images of it that have been dealt with.")

    class Meta:
        ordering = ["dataset", "number"]
        constraints = [
            models.UniqueConstraint(fields=["dataset", "number"], name="sources_of_a_dataset_are_numbered"),
        ]

    def __str__(self) -> str:
        return self.name
