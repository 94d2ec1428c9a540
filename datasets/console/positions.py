"""Pages by number over rows that are numbered already."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet


class PositionPaginator(Paginator):
    """Pages of rows whose ``position`` counts from 0 without gaps.

    Any page is one look into the index on position, however many rows there are: nothing is counted or passed over.
    """

    def __init__(self, rows: QuerySet[Any], per_page: int, *, count: int) -> None:
        super().__init__(rows, per_page)
        self.count = count

    def page(self, number: Any) -> Page:
        number = self.validate_number(number)
        start = (number - 1) * self.per_page
        rows = self.object_list.filter(position__gte=start, position__lt=start + self.per_page)
        return self._get_page(rows.order_by("position", "pk"), number, self)
