"""A dataset made of some of the studies of another, with what has been said about them."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils.translation import gettext as _

from annotations.errors import CombinationRefused
from annotations.models import AnnotationData, AnnotationDataStatus
from datasets.models import Dataset
from datasets.services.datasets import clean_name
from deepcap.accounts.models import User

from .combinations import Wanted, begin
from .listings import ImageFilter, images_of
from .recipes import choose


def make_subset(
    *,
    dataset: Dataset,
    studies: Sequence[int],
    by: User,
    name: str,
    annotation_data: Sequence[AnnotationData] = (),
) -> Dataset:
    """Have a new dataset made of ``studies`` (ids) of ``dataset``, and return it while it is being made.

    Of ``annotation_data`` comes along, under the same names, what they say of these studies. No image is copied, and
    the result does not depend on ``dataset`` afterwards. Raises what combining raises.
    """
    ready = all(data.status == AnnotationDataStatus.AVAILABLE for data in annotation_data)
    if not ready or any(data.dataset_id != dataset.pk for data in annotation_data):
        raise CombinationRefused(_("There are no such annotation data."), code="not_found", status=404)
    first = annotation_data[0] if annotation_data else None
    source = {"dataset": dataset.pk, "annotation_data": first and first.pk, "studies": list(studies)}
    return begin(
        choose(Wanted([source]), by=by),
        by=by,
        name=clean_name(name),
        data_name=first.name if first else "",
        further=annotation_data[1:],
    )


def studies_of(annotation_data: AnnotationData, only: ImageFilter) -> list[int]:
    """Return the studies, in display order, that have an image which the filter selects."""
    images = images_of(annotation_data, only)
    return list(dict.fromkeys(images.order_by("position", "pk").values_list("image__study", flat=True)))
