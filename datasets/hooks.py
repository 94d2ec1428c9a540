"""What rooms above this one may add to its work, registered from their ``AppConfig.ready()``.

Deletion finds the tables of other rooms by itself, through their foreign keys. What keys cannot say is said here.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Protocol

if TYPE_CHECKING:
    from django.db import models

    from deepcap.accounts.models import User


class Counting(Protocol):
    def __call__(self, *, dataset_id: int) -> int:
        """Return how many rows of the kind would go with the dataset, exactly, without reading them all."""


class LettingGo(Protocol):
    def __call__(self, pks: Sequence[int], *, deletion_id: int) -> None:
        """Called in the transaction that is about to erase these rows: order the removal of what only they know of."""


@dataclass(frozen=True)
class Kind:
    """A table whose rows are named to the person who is about to delete, and in the receipt."""

    key: str
    count: Counting | None = None


class LeftOut(Protocol):
    """A file of an upload that became no image: it may hold labels."""

    @property
    def path(self) -> str: ...

    @property
    def size(self) -> int: ...

    def open(self) -> BinaryIO:
        """Return its bytes as a stream, to be closed. Raises ``datasets.archives.DamagedError``, also while read."""
        ...


class ReadingLabels(Protocol):
    def __call__(
        self,
        *,
        dataset_id: int,
        files: Callable[[], Sequence[LeftOut]],
        taken: Callable[[Collection[str]], None],
        beat: Callable[[], None],
    ) -> None:
        """Read the label files of an upload whose images are in place, before the dataset is published.

        May be killed at any line and called again. ``files()`` lists what became no image. ``taken(paths)`` belongs
        into the transaction that keeps those files: they are no longer reported as left out. ``beat()`` is called every
        few seconds and may raise to stop. What is wrong with a label file is not raised: it fails its labels alone.
        """


@dataclass(frozen=True)
class Picture:
    """An image that lies within a label file. A file of the upload at one of ``paths`` is meant instead, if there is
    one; otherwise the picture becomes the image at the last of them."""

    paths: tuple[str, ...]
    data: bytes


class PictureUnreadable(Exception):
    """A label file says that it holds an image, but it cannot be got out; the message is a sentence for its owner."""


class FindingPicture(Protocol):
    def __call__(self, path: str, data: bytes) -> Picture | None:
        """Return the image that the label file at ``path`` holds, or None. Raises PictureUnreadable."""


class Deleting(Protocol):
    def __call__(self, target: models.Model, *, by: User) -> None:
        """Called in the transaction that hides ``target``, or brings it back, after it has done so."""


class Stopping(Protocol):
    def __call__(self, dataset: models.Model, *, by: User) -> bool:
        """Stop what prepares ``dataset`` in another room; False where nothing does. Called in a transaction."""


class Restoring(Protocol):
    def __call__(self, *, deletion: models.Model, by: User) -> models.Model:
        """Undo a deletion that has not begun and return the row. Raises DomainError when it is too late."""


class Storing(Protocol):
    def __call__(self, user: User) -> Sequence[models.QuerySet]:
        """Return queries for the ids of blobs that count against what ``user`` may store, beside their images."""


class Showing(Protocol):
    def __call__(self, user: User) -> models.QuerySet:
        """Return a query for the rows that show a study to ``user``; each names it in ``study_id``."""


kinds: dict[str, Kind] = {}
letting_go: dict[str, LettingGo] = {}
label_readers: list[ReadingLabels] = []
picture_finders: list[FindingPicture] = []
deletions_requested: list[Deleting] = []
deletions_undone: list[Deleting] = []
restorers: dict[str, Restoring] = {}
stopping: list[Stopping] = []
storing: list[Storing] = []
showing: list[Showing] = []


def name_kind(model_label: str, *, key: str, count: Counting | None = None) -> None:
    """Rows of ``model_label`` ("annotations.Annotation") are listed under ``key`` in impacts and receipts.

    ``count`` is for tables too large to be counted while somebody waits.
    """
    kinds[model_label] = Kind(key, count)


def before_erasing(model_label: str, do: LettingGo) -> None:
    """``do`` is told of all rows of ``model_label`` before a deletion erases them."""
    letting_go[model_label] = do


def when_arranged(read: ReadingLabels) -> None:
    """``read`` is called for every upload, between arranging its images and publishing its dataset."""
    label_readers.append(read)


def within_label_files(find: FindingPicture) -> None:
    """``find`` is shown every text file of an upload, as it is read, for images inside."""
    picture_finders.append(find)


def when_deletion_is_requested(do: Deleting) -> None:
    """``do`` is told of every row, of any room, that is hidden to be erased: what works under it is to be ended."""
    deletions_requested.append(do)


def when_deletion_is_undone(do: Deleting) -> None:
    """``do`` is told of every row that was to be erased and is restored."""
    deletions_undone.append(do)


def restored_by(model_label: str, do: Restoring) -> None:
    """``do`` undoes deletions of rows of ``model_label`` ("annotations.AnnotationData")."""
    restorers[model_label.lower()] = do


def when_stopped(do: Stopping) -> None:
    """``do`` is asked to stop the preparation of a dataset that its owner cancels."""
    stopping.append(do)


def stored_for(do: Storing) -> None:
    """``do`` names the files of another room that count against a person's quota."""
    storing.append(do)


def shown_through(do: Showing) -> None:
    """``do`` says which studies of others a person may look at: these and their images, nothing else of the dataset."""
    showing.append(do)
