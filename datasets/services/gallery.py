"""What operators do with the gallery: offer a dataset in it, and take it out again."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction
from django.utils.translation import gettext as _

from datasets.errors import ValueRefused, WrongState
from datasets.models import Dataset, DatasetStatus, GalleryEntry
from deepcap.accounts.models import User
from deepcap.accounts.services import record
from deepcap.common.errors import Forbidden

from .datasets import clean_description, clean_name

NO_MORE = (DatasetStatus.DELETING, DatasetStatus.PREPARATION_FAILED)


@dataclass(frozen=True)
class About:
    """What is said of a dataset in the gallery: where it is from, what may be done with it."""

    name: str
    description: str = ""
    modality: str = ""
    body_part: str = ""
    provider: str = ""
    licence: str = ""
    source_url: str = ""


@transaction.atomic
def publish_dataset(*, dataset: Dataset, by: User, about: About) -> GalleryEntry:
    """Offer ``dataset`` to everybody in the gallery, once it is available, or change what is said of it there.

    For operators; raises Forbidden for others, WrongState for a dataset that will never be available, ValueRefused.
    """
    _require_operator(by)
    if dataset.status in NO_MORE:
        raise WrongState(_("This dataset cannot be published: it is not available."))
    values = asdict(about) | {"name": clean_name(about.name), "description": clean_description(about.description)}
    if about.source_url:
        try:
            URLValidator(schemes=["http", "https"])(about.source_url)
        except ValidationError as error:
            raise ValueRefused("source_url", _("The source is not a web address.")) from error
    entry, created = GalleryEntry.objects.update_or_create(
        dataset=dataset, defaults=values, create_defaults={**values, "published_by": by}
    )
    record(actor=by, action="dataset.published" if created else "dataset.publication_changed", target=dataset)
    return entry


@transaction.atomic
def withdraw_dataset(*, entry: GalleryEntry, by: User) -> None:
    """Take a dataset out of the gallery; it stays, and so does what was imported. Raises Forbidden."""
    _require_operator(by)
    record(actor=by, action="dataset.withdrawn", target=entry.dataset)
    entry.delete()


def _require_operator(user: User) -> None:
    if not user.is_superuser:
        raise Forbidden(_("Only operators may do this."))
