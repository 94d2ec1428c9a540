"""How much a user may store (product decision P17): each blob once, and uploads from the moment they start."""

from __future__ import annotations

from django.conf import settings
from django.db.models import Q, Sum
from django.utils.translation import gettext as _

from datasets import hooks
from datasets.errors import QuotaExceeded
from datasets.models import Blob, DatasetStatus, Image, Upload, UploadState
from datasets.models.dataset import UNDER_WAY
from deepcap.accounts.models import User
from deepcap.common import formatting


def quota_of(user: User) -> int | None:
    """Return the bytes this user may store; None: as many as there is room for."""
    return settings.DEEPCAP_DEFAULT_QUOTA_BYTES if user.storage_quota_bytes is None else user.storage_quota_bytes


def stored_bytes(user: User) -> int:
    """Return the bytes that count: the blobs of settled datasets, each once, and the uploads that are still there.

    Beside images that is what rooms above keep of a person's: trained models, predictions, results of projects. What is
    being deleted does not count any more. Reads every image row of the user: for where there is a quota.
    """
    settled = Image.objects.filter(dataset__owner=user).exclude(
        dataset__status__in=[*UNDER_WAY, DatasetStatus.DELETING]
    )
    counted = [settled.values("blob"), *(ids for do in hooks.storing for ids in do(user))]
    blobs = Blob.objects.filter(Q(*(("pk__in", ids) for ids in counted), _connector=Q.OR)).aggregate(total=Sum("size"))
    uploads = Upload.objects.filter(dataset__owner=user).exclude(state=UploadState.INGESTED)
    uploads = uploads.exclude(dataset__status=DatasetStatus.DELETING)
    return (blobs["total"] or 0) + (uploads.aggregate(total=Sum("size"))["total"] or 0)


def require_room(*, user: User, size: int) -> None:
    """Pass if ``size`` more bytes fit. Raises QuotaExceeded.

    Call it in the transaction that takes the room: the user's row is locked until then, so that two uploads that start
    at the same time cannot both take the last of it.
    """
    user = User.objects.select_for_update().get(pk=user.pk)
    quota = quota_of(user)
    if quota is None:
        return
    stored = stored_bytes(user)
    if stored + size > quota:
        values = {"size": formatting.size(size), "stored": formatting.size(stored), "quota": formatting.size(quota)}
        raise QuotaExceeded(
            _("%(size)s more do not fit: %(stored)s of your %(quota)s are in use. Delete what is no longer needed.")
            % values
        )
