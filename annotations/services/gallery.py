"""Importing from the gallery: a dataset of one's own, with all its annotation data, and no image copied."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from annotations.combine import Recipe, Source
from annotations.models import AnnotationData, AnnotationDataStatus
from datasets.errors import WrongState
from datasets.models import Dataset, DatasetSource, DatasetStatus, GalleryEntry, Origin
from deepcap.accounts.models import User
from deepcap.common.errors import Conflict

from .combinations import begin
from .recipes import Chosen


def import_from_gallery(*, entry: GalleryEntry, by: User) -> Dataset:
    """Have a dataset of ``by`` made of what the gallery offers, and return it while it is being made.

    It belongs to ``by`` and depends neither on the entry nor on the published dataset afterwards. Raises WrongState for
    an entry that is not on show, Conflict (already_imported) while an earlier import is there, and QuotaExceeded.
    """
    dataset = entry.dataset
    if dataset.status != DatasetStatus.AVAILABLE:
        raise WrongState(_("This dataset cannot be imported at the moment."))
    ready = AnnotationData.objects.filter(dataset=dataset, status=AnnotationDataStatus.AVAILABLE)
    data = list(ready.select_related("dataset").order_by("pk"))
    first = data[0] if data else None
    source = Source(dataset=dataset.pk, name=entry.name, annotation_data=first.pk if first else None)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=by.pk)  # of two clicks the second finds what the first has made
        if entry.pk in imported_by(by, [entry]):
            raise Conflict(_("You have imported this dataset already."), code="already_imported")
        return begin(
            Chosen(Recipe((source,)), [dataset], [first] if first else []),
            by=by,
            name=entry.name,
            description=entry.description,
            data_name=first.name if first else "",
            further=data[1:],
            origin=Origin.GALLERY,
        )


def imported_by(user: User, entries: Iterable[GalleryEntry]) -> dict[int, int]:
    """Return {entry: dataset} of what this person has imported, or published themselves: one query."""
    by_dataset = {entry.dataset_id: entry for entry in entries}
    own = {entry.pk: entry.dataset_id for entry in by_dataset.values() if entry.dataset.owner_id == user.pk}
    imports = DatasetSource.objects.filter(
        dataset__in=Dataset.objects.filter(owner=user, origin=Origin.GALLERY)
        .exclude(status__in=[DatasetStatus.DELETING, DatasetStatus.PREPARATION_FAILED])
        .values("pk"),
        source_dataset__in=by_dataset,
    )
    found = imports.order_by("dataset").values_list("source_dataset", "dataset")
    return own | {by_dataset[source].pk: dataset for source, dataset in found}
