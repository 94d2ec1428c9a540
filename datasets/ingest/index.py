"""First stage: the archive's directory becomes batches of members, and rows for what is refused at sight."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from datasets.archives import ArchiveError, Index, Member, Refused, batches, read_index, too_large
from datasets.blobs.store import get_store
from datasets.models import Container, Dataset, DatasetStatus, Ingest, IngestBatch, IngestStage, Outcome, Problem
from deepcap.common.leases import LeaseLost, WorkState

from .examine import forgive_side_file
from .source import archive_limits, container_of, single_member

MEMBERS_PER_BATCH = 100
BYTES_PER_BATCH = 64 * 1024**2
ROWS_PER_INSERT = 500


def index(ingest: Ingest) -> None:
    """Write the batches of a claimed ingest; without members it goes straight to arranging."""
    upload = ingest.dataset.upload
    container = container_of(upload)
    try:
        if container == Container.ZIP:
            found = read_index(get_store().source(upload.storage_key), archive_limits())
            found.refused = [forgive_side_file(refused) for refused in found.refused]
        elif upload.size > archive_limits().max_member_bytes:
            refusal = too_large(single_member(upload).path, archive_limits())
            found = Index(members=[], refused=[refusal], name_encoding="utf-8", total_size=upload.size)
        else:
            found = Index(members=[single_member(upload)], refused=[], name_encoding="utf-8", total_size=upload.size)
    except ArchiveError as error:
        refusal = Refused(path=upload.filename, outcome="rejected", code=error.code, message=error.message)
        found = Index(members=[], refused=[refusal], name_encoding="", total_size=0)
    _write(ingest, container=container, found=found)


@transaction.atomic
def _write(ingest: Ingest, *, container: Container, found: Index) -> None:
    IngestBatch.objects.filter(ingest=ingest).delete()
    Problem.objects.filter(dataset=ingest.dataset_id).delete()
    Problem.objects.bulk_create(problems(ingest.dataset_id, found.refused), batch_size=ROWS_PER_INSERT)
    now = timezone.now()
    rows = [
        IngestBatch(
            ingest=ingest,
            number=number,
            members=[member.to_json() for member in members],
            member_count=len(members),
            byte_count=sum(member.size for member in members),
        )
        for number, members in enumerate(
            batches(found.members, max_members=MEMBERS_PER_BATCH, max_bytes=BYTES_PER_BATCH)
        )
    ]
    IngestBatch.objects.bulk_create(rows, batch_size=50)
    rejected = sum(refused.outcome == Outcome.REJECTED for refused in found.refused)
    ingest.release(
        WorkState.PENDING,
        stage=IngestStage.READING if rows else IngestStage.ARRANGING,
        container=container,
        attempts=0,
        started_at=now,
        sent_at=None,
        name_encoding=found.name_encoding[:30],
        member_count=len(found.members),
        byte_count=sum(member.size for member in found.members),
        done_members=0,
        done_bytes=0,
        accepted=0,
        rejected=rejected,
        skipped=len(found.refused) - rejected,
    )
    preparing = Dataset.objects.filter(pk=ingest.dataset_id, status=DatasetStatus.QUEUED).update(
        status=DatasetStatus.PREPARING, status_detail=""
    )
    if not preparing:
        raise LeaseLost(_("The dataset is no longer waiting to be prepared."))


def problems(dataset_id: int, refused: Sequence[Refused]) -> list[Problem]:
    """Return the rows of the ingest report for ``refused``; not saved."""
    return [
        Problem(
            dataset_id=dataset_id,
            path=item.path[:1024],
            outcome=item.outcome,
            code=item.code,
            message=item.message.replace("\x00", "")[:500],  # it may quote the file
        )
        for item in refused
    ]


def split(batch: IngestBatch) -> None:
    """Replace a batch that keeps ending its workers by one batch a member."""
    with transaction.atomic():
        last = IngestBatch.objects.filter(ingest=batch.ingest_id).aggregate(last=Max("number"))["last"]
        members = [Member.from_json(fields) for fields in batch.members]
        IngestBatch.objects.bulk_create(
            IngestBatch(
                ingest_id=batch.ingest_id,
                number=last + place,
                members=[member.to_json()],
                member_count=1,
                byte_count=member.size,
            )
            for place, member in enumerate(members, start=1)
        )
        batch.release(WorkState.CANCELLED, members=[])
