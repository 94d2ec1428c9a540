"""Fourth stage: the files that became no images are shown to the rooms that read labels."""

from __future__ import annotations

import logging
from collections.abc import Collection
from contextlib import ExitStack, closing
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

from django.db.models import F
from django.utils.translation import gettext as _

from datasets import hooks
from datasets.archives import ByteSource, Member, open_member, open_whole, read_index
from datasets.blobs.store import get_store
from datasets.models import Container, Ingest, Outcome, Problem
from deepcap.common.chunks import in_chunks

from .examine import is_document
from .nearby import Nearby
from .source import archive_limits, single_member

logger = logging.getLogger(__name__)

LABEL_CODES = ("not_an_image", "dicom_segmentation", "dicom_rtstruct")
PATHS_PER_STATEMENT = 500


@dataclass(frozen=True, slots=True)
class MemberFile:
    """A member of an upload that was left out of its images."""

    source: ByteSource
    member: Member

    @property
    def path(self) -> str:
        return self.member.path

    @property
    def size(self) -> int:
        return self.member.size

    def open(self) -> BinaryIO:
        return open_member(self.source, self.member, archive_limits())


@dataclass(frozen=True, slots=True)
class WholeFile:
    """An upload that is one file and no image."""

    source: ByteSource
    path: str

    @property
    def size(self) -> int:
        return self.source.size

    def open(self) -> BinaryIO:
        return open_whole(self.source)


def label(ingest: Ingest, *, give_up: bool = False) -> None:
    """Have labels read into the dataset of a claimed, arranged ingest; of one that was cancelled, none.

    ``give_up``: looking for labels has ended every worker that tried. The images are not to blame: it is reported.
    """
    if ingest.cancelled_at is not None:
        return
    if give_up:
        _report_unread(ingest)
        return
    with ExitStack() as copies:
        for read in hooks.label_readers:
            read(
                dataset_id=ingest.dataset_id,
                files=partial(files_left_out, ingest, copies),
                taken=partial(_take_off_the_report, ingest),
                beat=partial(ingest.extend_lease, attempts=1),  # who beats is alive: only deaths in silence count
            )


def files_left_out(ingest: Ingest, copies: ExitStack) -> list[MemberFile | WholeFile]:
    """Return the files of the upload that the report says became no images, documents aside, in path order.

    They can be opened until ``copies`` is closed: of a remote upload, what is read is kept on disk till then.
    """
    problems = Problem.objects.filter(dataset=ingest.dataset_id, outcome=Outcome.SKIPPED, code__in=LABEL_CODES)
    paths = {path for path in problems.values_list("path", flat=True) if not is_document(path)}
    if not paths:
        return []
    upload = ingest.dataset.upload
    store = get_store()
    source = store.source(upload.storage_key)
    if ingest.container == Container.FILE:
        return [WholeFile(source, single_member(upload).path)]
    members = [member for member in read_index(source, archive_limits()).members if member.path in paths]
    if store.local_path(upload.storage_key) is None:
        source = copies.enter_context(closing(Nearby(source, members)))
    return [MemberFile(source, member) for member in sorted(members, key=lambda member: member.path)]


def _take_off_the_report(ingest: Ingest, paths: Collection[str]) -> None:
    """Files that became labels are not left out any more. Raises LeaseLost."""
    taken = 0
    for chunk in in_chunks(sorted(paths), PATHS_PER_STATEMENT):
        rows = Problem.objects.filter(dataset=ingest.dataset_id, code__in=LABEL_CODES, path__in=chunk)
        taken += rows.filter(outcome=Outcome.SKIPPED).delete()[0]
    ingest.extend_lease(skipped=F("skipped") - taken)


def _report_unread(ingest: Ingest) -> None:
    message = _("The label files of the upload could not be read: they ended every worker that tried.")
    Problem.objects.get_or_create(
        dataset_id=ingest.dataset_id,
        code="labels_unread",
        defaults={"path": ingest.dataset.name, "outcome": Outcome.SKIPPED, "message": message},
    )
    logger.error("Labels of ingest %s were given up.", ingest.pk)
