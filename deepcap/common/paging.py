"""Pages of lists whose rows are wide, or cost something to put together."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Page, Paginator


class KeysFirstPaginator(Paginator):
    """Sorts keys alone, and reads the rows of the page by them.

    A database that sorts works out every column first, annotations included, of all the rows that the page leaves out.
    Calls for a QuerySet in a total order. A page is a list; rows deleted between the two queries are missing from it.
    """

    def page(self, number: int | str) -> Page:
        number = self.validate_number(number)
        first = (number - 1) * self.per_page
        last = min(first + self.per_page, self.count)
        keys = list(self.object_list.values_list("pk", flat=True)[first:last])
        rows: dict[Any, Any] = {row.pk: row for row in self.object_list.order_by().filter(pk__in=keys)}
        return self._get_page([rows[key] for key in keys if key in rows], number, self)
