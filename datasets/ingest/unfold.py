"""Images that lie within label files: they come out while the upload is read, unless it holds them as files too."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from datasets import hooks
from datasets.archives import Refused, read_index
from datasets.blobs.store import get_store
from datasets.models import Container, Upload

from .examine import is_side_file
from .source import archive_limits


def unfold(path: str, data: bytes, *, upload: Upload, container: str) -> Iterator[tuple[str, bytes | Refused]]:
    """Yield a file and, after it, the image inside it; or the refusal of a file whose image cannot be got out."""
    if not hooks.picture_finders or not is_side_file(path):
        yield path, data
        return
    try:
        pictures = [picture for find in hooks.picture_finders if (picture := find(path, data)) is not None]
    except hooks.PictureUnreadable as error:
        yield path, Refused(path, "rejected", "embedded_image_unreadable", str(error))
        return
    yield path, data
    for picture in pictures:
        beside = paths_of(upload.storage_key) if container == Container.ZIP else frozenset()
        if beside.isdisjoint(picture.paths):
            yield picture.paths[-1], picture.data


@lru_cache(maxsize=1)
def paths_of(storage_key: str) -> frozenset[str]:
    """Return the paths of an upload's members; kept for the next batch of the same upload, keys being used once."""
    return frozenset(member.path for member in read_index(get_store().source(storage_key), archive_limits()).members)
