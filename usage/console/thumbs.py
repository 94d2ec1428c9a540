"""The three small pictures of rows about a dataset."""

from __future__ import annotations

from typing import Any

from datasets.models import Image
from deepcap.accounts.models import User

COVERS = 3


def with_covers(rows: list[Any], *, user: User) -> list[Any]:
    """Give each row ``covers``: ids of images that have a thumbnail this person may see, else None; one query."""
    wanted = {cover for row in rows for cover in row.dataset.covers[:COVERS]}
    seen = Image.objects.visible_to(user).filter(pk__in=wanted, blob__has_thumbnail=True)
    drawn = set(seen.values_list("pk", flat=True)) if wanted else set()
    for row in rows:
        row.covers = [cover if cover in drawn else None for cover in row.dataset.covers[:COVERS]]
    return rows
