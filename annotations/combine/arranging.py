"""Studies of the result that are not as they were in one source are brought into order again."""

from __future__ import annotations

from collections.abc import Callable

from django.db.models import Max

from datasets.ingest.arrange import arrange_studies, cover_studies
from datasets.ingest.duplicates import flag_duplicates
from datasets.models import Study

STUDIES_PER_PAGE = 10_000


def arrange_copies(dataset_id: int, *, beat: Callable[[], None]) -> None:
    """Order and describe the studies without a cover, and flag duplicates; ``beat`` may raise between the pieces.

    Studies were copied in their order, with images in theirs and with their covers: all but those to which a second
    source added, and those whose cover was left out.
    """
    studies = Study.objects.filter(dataset=dataset_id).order_by()
    highest = studies.aggregate(to=Max("position"))["to"]
    for first in range(0, -1 if highest is None else highest + 1, STUDIES_PER_PAGE):
        beat()
        bare = studies.filter(position__range=(first, first + STUDIES_PER_PAGE - 1), cover=None)
        found = list(bare.values_list("pk", "study_instance_uid"))
        arrange_studies([pk for pk, uid in found if uid], beat=beat)
        cover_studies([pk for pk, uid in found if not uid], beat=beat)
    flag_duplicates(dataset_id, beat=beat)
