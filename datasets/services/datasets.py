"""Making, naming, describing and opening datasets."""

from __future__ import annotations

import unicodedata
from pathlib import PurePosixPath

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from datasets.errors import NotTheOwner, ValueRefused
from datasets.models import Dataset, DatasetOpening, DatasetStatus, Origin
from deepcap.accounts.models import User
from deepcap.accounts.services import record
from deepcap.common.errors import Conflict

NAME_LENGTH = 200
DESCRIPTION_LENGTH = 4000
KNOWN_EXTENSIONS = (".zip", ".dcm", ".dicom", ".jpg", ".jpeg", ".png")
ROUNDS = 10
_UNPRINTABLE = {"Cc", "Cs", "Zl", "Zp"}  # controls, lone surrogates, line and paragraph separators


def create_dataset(
    *,
    owner: User,
    name: str,
    description: str = "",
    status: DatasetStatus = DatasetStatus.UPLOADING,
    origin: Origin = Origin.UPLOAD,
) -> Dataset:
    """Return a new dataset under ``name``, or under the next free "name (2)" if its owner uses that already.

    Raises ValueRefused for a name that cannot be one.
    """
    name = clean_name(name)
    for _round in range(ROUNDS):
        free = unique_name(owner=owner, name=name)
        try:
            with transaction.atomic():
                return Dataset.objects.create(
                    owner=owner, name=free, description=description, status=status, origin=origin
                )
        except IntegrityError:
            if not _in_use(owner, free):
                raise
    raise Conflict(_("Many datasets of this name are being made at this moment. Try again."), code="name_taken")


def edit_dataset(*, dataset: Dataset, by: User, name: str | None = None, description: str | None = None) -> Dataset:
    """Change what is not None. Raises ValueRefused, also for a name that another dataset of the owner has."""
    if dataset.owner_id != by.pk and not by.is_superuser:
        raise NotTheOwner
    changes: dict[str, str] = {}
    if name is not None and clean_name(name) != dataset.name:
        changes["name"] = clean_name(name)
    if description is not None and clean_description(description) != dataset.description:
        changes["description"] = clean_description(description)
    if not changes:
        return dataset
    old_name = dataset.name
    try:
        with transaction.atomic():
            Dataset.objects.filter(pk=dataset.pk).update(**changes)
            record(actor=by, action="dataset.edited", target=dataset, name=old_name, changed=sorted(changes))
    except IntegrityError as error:
        if "name" not in changes or not _in_use(dataset.owner, changes["name"]):
            raise
        raise ValueRefused("name", _("You already have a dataset with this name."), code="name_taken") from error
    dataset.refresh_from_db()
    return dataset


def mark_opened(*, dataset: Dataset, user: User) -> None:
    """The dataset is no longer "New" to this user (P18)."""
    DatasetOpening.objects.bulk_create([DatasetOpening(dataset=dataset, user=user)], ignore_conflicts=True)


def unique_name(*, owner: User, name: str) -> str:
    """Return ``name``, or "name (n)" with the lowest free n from 2. Others may take it before it is used."""
    taken = set(
        Dataset.objects.filter(owner=owner, name__startswith=name[: NAME_LENGTH - 12])
        .exclude(status=DatasetStatus.DELETING)
        .values_list("name", flat=True)
    )
    candidate, number = name, 1
    while candidate in taken:
        number += 1
        suffix = f" ({number})"
        candidate = name[: NAME_LENGTH - len(suffix)] + suffix
    return candidate


def clean_name(name: str) -> str:
    """Return ``name`` without the space around it. Raises ValueRefused if it is empty, too long or unprintable."""
    name = name.strip()
    if not name:
        raise ValueRefused("name", _("A dataset needs a name."), code="name_invalid")
    if len(name) > NAME_LENGTH:
        message = _("A name has at most %(most)d characters.") % {"most": NAME_LENGTH}
        raise ValueRefused("name", message, code="name_invalid")
    if any(unicodedata.category(character) in _UNPRINTABLE for character in name):
        raise ValueRefused("name", _("A name cannot contain control characters."), code="name_invalid")
    return name


def clean_description(description: str) -> str:
    """Return ``description`` without the space around it. Raises ValueRefused if it is too long or holds a NUL."""
    description = description.strip()
    if len(description) > DESCRIPTION_LENGTH or "\x00" in description:
        message = _("A description has at most %(most)d characters, none of them NUL.") % {"most": DESCRIPTION_LENGTH}
        raise ValueRefused("description", message, code="description_invalid")
    return description


def name_from_file(filename: str) -> str:
    """Return the name a dataset gets from the file it was uploaded as: without folders and known extension."""
    base = PurePosixPath(filename.replace("\\", "/")).name
    stem = PurePosixPath(base).stem if base.lower().endswith(KNOWN_EXTENSIONS) else base
    printable = "".join(" " if unicodedata.category(character) in _UNPRINTABLE else character for character in stem)
    return printable.strip()[:NAME_LENGTH].strip() or _("Dataset")


def _in_use(owner: User, name: str) -> bool:
    return Dataset.objects.filter(owner=owner, name=name).exclude(status=DatasetStatus.DELETING).exists()
