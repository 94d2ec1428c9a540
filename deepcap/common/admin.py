"""What the operators' admin is made of: pages for looking, tables too large to count, buttons that call services.

Nobody edits rows here behind the services' back. A page shows; an :class:`Operation` calls a service and says what came
of it. History is the audit log, where the services have written down what was done and by whom.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import connection, models
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import display
from unfold.paginator import InfinitePaginator

from . import formatting
from .errors import DomainError
from .leases import LeasedWork, WorkState

ROWS = 50
MOST_AT_ONCE = 50

admin.site.index_title = _("Overview")


@dataclass(frozen=True)
class Operation:
    """Something an operator may have done to a row, by the service that ``do`` calls.

    ``do`` returns the sentence that says what happened and raises DomainError where the service refuses. ``applies``
    decides whether the button is shown; the service has the last word. With ``page``, the button leads to a page that
    asks first: it answers GET and POST itself, and the operation cannot be done to several rows at once.
    """

    name: str
    label: str | Promise
    do: Callable[[Any, Any], str] | None = None
    applies: Callable[[Any], bool] = lambda row: True
    icon: str = "play_arrow"
    page: Callable[[ModelAdmin, HttpRequest, Any], HttpResponse] | None = None


class LookOnly:
    """Nothing is added, changed or deleted here."""

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False


class HistoryInAuditLog:
    """The "History" of a row is what the audit log says of it."""

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Mapping[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        return redirect(audit_log_of(self.model._meta.label_lower, unquote(object_id)))


class LookOnlyAdmin(LookOnly, HistoryInAuditLog, ModelAdmin):
    """A table to look at. Superusers find buttons for its ``operations``, on a row's page and for selected rows."""

    list_per_page = ROWS
    list_max_show_all = ROWS
    show_full_result_count = False
    list_disable_select_all = True
    show_facets = admin.ShowFacets.NEVER
    ordering = ("-pk",)
    related: ClassVar[tuple[str, ...]] = ()
    """What is read along with a row, for lists and for its page."""
    operations: ClassVar[tuple[Operation, ...]] = ()
    change_form_outer_before_template = "admin/operations.html"

    def get_queryset(self, request: HttpRequest) -> models.QuerySet:
        rows = super().get_queryset(request)
        return rows.select_related(*self.related) if self.related else rows

    def has_operate_permission(self, request: HttpRequest) -> bool:
        return request.user.is_active and request.user.is_superuser

    def get_actions(self, request: HttpRequest) -> dict[str, tuple[Callable[..., None], str, str]]:
        """Offer the operations that need no page of their own for the selected rows."""
        if not self.has_operate_permission(request):
            return {}
        return {
            operation.name: (partial(_operate_on_selected, operation=operation), operation.name, operation.label)
            for operation in self.operations
            if operation.do is not None
        }

    def get_urls(self) -> list[URLPattern]:
        name = f"{self.opts.app_label}_{self.opts.model_name}_operate"
        view = self.admin_site.admin_view(self.operate_view)
        return [path("<path:object_id>/operate/<slug:name>/", view, name=name), *super().get_urls()]

    def operate_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Do an operation to one row, on POST; one with a page shows that first."""
        operation = next((one for one in self.operations if one.name == name), None)
        row = self.get_object(request, unquote(object_id)) if operation else None
        if row is None:
            raise Http404
        if not self.has_operate_permission(request):
            raise PermissionDenied
        if operation.page is not None:
            return operation.page(self, request, row)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        self.carry_out(request, operation, [row])
        return self.redirect_after(row)

    def carry_out(self, request: HttpRequest, operation: Operation, rows: Iterable[models.Model]) -> None:
        """Do ``operation`` to each of ``rows`` and tell the operator what came of it."""
        for row in rows:
            self.attempt(request, row, operation.do)

    def attempt(self, request: HttpRequest, row: models.Model, do: Callable[[Any, Any], str]) -> bool:
        """Call ``do`` and show its sentence, or the sentence of its refusal; return whether it was done."""
        name = str(row)
        try:
            sentence = do(row, request.user)
        except DomainError as refusal:
            self.message_user(request, f"{name}: {refusal.message}", messages.ERROR)
            return False
        self.message_user(request, f"{name}: {sentence}", messages.SUCCESS)
        return True

    def redirect_after(self, row: models.Model) -> HttpResponse:
        """Return to the row's page, or to the list when the row is gone."""
        if self.model._base_manager.filter(pk=row.pk).exists():
            return redirect(page_of(row))
        return redirect(list_of(self.model))

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Mapping[str, Any] | None = None,
    ) -> HttpResponse:
        offered = self._offered(request, object_id) if object_id and self.operations else []
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), "operations": offered})

    def _offered(self, request: HttpRequest, object_id: str) -> list[dict[str, object]]:
        row = self.get_object(request, unquote(object_id))
        if row is None or not self.has_operate_permission(request):
            return []
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_operate"
        return [
            {
                "label": operation.label,
                "icon": operation.icon,
                "url": reverse(name, args=[row.pk, operation.name]),
                "asks_first": operation.page is not None,
            }
            for operation in self.operations
            if operation.applies(row)
        ]


class HugeTableAdmin(LookOnlyAdmin):
    """A table of millions of rows: never counted, in one order, newest first, searched only by what an index answers.

    ``exact_searches`` maps patterns of search terms to the lookup that finds such a term; the first that matches is
    used, alone, because no index answers an OR over several tables.
    """

    paginator = InfinitePaginator
    sortable_by = ()
    exact_searches: ClassVar[Mapping[str, str]] = {}

    def get_search_fields(self, request: HttpRequest) -> tuple[str, ...]:
        return tuple(self.exact_searches.values())

    def get_search_results(
        self, request: HttpRequest, queryset: models.QuerySet, search_term: str
    ) -> tuple[models.QuerySet, bool]:
        term = search_term.strip()
        if not term:
            return queryset, False
        for pattern, lookup in self.exact_searches.items():
            if re.fullmatch(pattern, term, re.IGNORECASE):
                return queryset.filter(**{lookup: term}), False
        return queryset.none(), False


class ShowsWorkState:
    """A column for the state of leased work, as a coloured label."""

    @display(
        description=_("state"),
        ordering="state",
        label={
            WorkState.PENDING.label: "info",
            WorkState.RUNNING.label: "info",
            WorkState.DONE.label: "success",
            WorkState.FAILED.label: "danger",
            WorkState.CANCELLED.label: "warning",
        },
    )
    def shown_state(self, work: LeasedWork) -> str:
        return work.get_state_display()


class CappedInline(LookOnly, TabularInline):
    """Rows under a row, a page of them at a time."""

    extra = 0
    per_page = 20
    can_delete = False
    show_change_link = False


class IndexedValuesFilter(admin.SimpleListFilter):
    """A filter by the values an indexed column has, found by skipping from value to value in the index."""

    column: ClassVar[str]

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, str]]:
        table = connection.ops.quote_name(model_admin.model._meta.db_table)
        column = connection.ops.quote_name(self.column)
        with connection.cursor() as cursor:
            cursor.execute(
                f"WITH RECURSIVE found(value) AS (SELECT MIN({column}) FROM {table} UNION ALL"  # noqa: S608
                f" SELECT (SELECT MIN({column}) FROM {table} WHERE {column} > found.value)"
                " FROM found WHERE found.value IS NOT NULL) SELECT value FROM found WHERE value IS NOT NULL"
            )
            return [(value, value) for (value,) in cursor.fetchall()]

    def queryset(self, request: HttpRequest, queryset: models.QuerySet) -> models.QuerySet:
        return queryset.filter(**{self.column: self.value()}) if self.value() else queryset


def page_of(row: models.Model) -> str:
    """Return the address of a row's page."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def list_of(model: type[models.Model], **filters: object) -> str:
    """Return the address of a table's list, filtered."""
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{url}?{urlencode(filters)}" if filters else url


def audit_log_of(target_type: str, target_id: object) -> str:
    """Return the address of what the audit log says of a row, which may be gone."""
    query = urlencode({"target_type": target_type, "target_id": target_id})
    return f"{reverse('admin:accounts_auditevent_changelist')}?{query}"


def link(url: str, text: object) -> str:
    return format_html('<a href="{}" class="text-primary-600 dark:text-primary-500">{}</a>', url, text)


def as_size(count: int | None) -> str:
    """Bytes as people read them; "–" where there are none to tell."""
    return "–" if count is None else formatting.size(count)


def _operate_on_selected(
    model_admin: LookOnlyAdmin, request: HttpRequest, queryset: models.QuerySet, *, operation: Operation
) -> None:
    rows = list(queryset[: MOST_AT_ONCE + 1])
    if len(rows) > MOST_AT_ONCE:
        message = _("Select at most %(most)d rows at once.") % {"most": MOST_AT_ONCE}
        model_admin.message_user(request, message, messages.ERROR)
        return
    model_admin.carry_out(request, operation, rows)
