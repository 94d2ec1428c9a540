"""Images of a dataset that are the same: found in memory, in numbers, and written where something changes (P7)."""

from __future__ import annotations

from array import array

import numpy as np

from datasets.models import Image
from datasets.models.image import Duplicate
from deepcap.common.chunks import in_chunks
from deepcap.common.groups import torn

from .walk import Beat, image_pages

ROWS_PER_UPDATE = 2_000
CODES = list(Duplicate)


def flag_duplicates(dataset_id: int, *, beat: Beat | None = None) -> None:
    """Images that share their bytes are flagged, and those that share a SOPInstanceUID with other bytes; no others.

    Holds 25 bytes an image in memory; UIDs are compared by a hash of 64 bits.
    """
    keys, blobs, instances, stored = array("q"), array("q"), array("q"), array("b")
    for page in image_pages(dataset_id, "pk", "blob", "sop_instance_uid", "duplicate", beat=beat):
        for _path, pk, blob, uid, duplicate in page:
            keys.append(pk)
            blobs.append(blob)
            instances.append(hash(uid) if uid else 0)
            stored.append(CODES.index(duplicate))
    if not keys:
        return
    by_place, of_blob, of_instance = (np.frombuffer(each, np.int64) for each in (keys, blobs, instances))
    wanted = np.full(len(keys), CODES.index(Duplicate.NO), np.int8)
    named = np.flatnonzero(of_instance)
    wanted[named[torn(of_instance[named], of_blob[named])]] = CODES.index(Duplicate.SOP_INSTANCE)
    del named
    wanted[torn(of_blob, by_place)] = CODES.index(Duplicate.BYTES)
    changed = wanted != np.frombuffer(stored, np.int8)
    for code, duplicate in enumerate(CODES):
        pks = (int(pk) for pk in by_place[changed & (wanted == code)])
        for some in in_chunks(pks, ROWS_PER_UPDATE):
            if beat is not None:
                beat()
            Image.objects.filter(pk__in=some).update(duplicate=duplicate)
