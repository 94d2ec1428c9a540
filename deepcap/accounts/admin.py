"""People, groups, service tokens, notifications, the audit log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from deepcap.common.admin import (
    HistoryInAuditLog,
    HugeTableAdmin,
    IndexedValuesFilter,
    LookOnlyAdmin,
    Operation,
    link,
    list_of,
)

from .models import AuditEvent, Notification, Scope, ServiceToken, User
from .services import issue_token, record, revoke_token

admin.site.unregister(Group)


class AuditedEdits(HistoryInAuditLog):
    """What is edited here as Django does it is written to our audit log, in the same transaction."""

    def log_addition(self, request: HttpRequest, object: models.Model, message: Any) -> None:
        record(actor=request.user, action=f"{self.opts.model_name}.added", target=object)

    def log_change(self, request: HttpRequest, object: models.Model, message: Any) -> None:
        changed = sorted({field for change in message for field in change.get("changed", {}).get("fields", ())})
        record(actor=request.user, action=f"{self.opts.model_name}.changed", target=object, changed=changed)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet) -> None:
        for row in queryset:
            record(actor=request.user, action=f"{self.opts.model_name}.deleted", target=row)


@admin.register(User)
class UserAdmin(AuditedEdits, DjangoUserAdmin, ModelAdmin):
    """Users are made, given a password and switched off; never deleted, for what they did refers to them.

    Who may edit users may not thereby make themselves, or anybody, an operator: that is for superusers.
    """

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display: Sequence[str] = (
        "username",
        "email",
        "first_name",
        "last_name",
        "is_active",
        "is_staff",
        "last_login",
    )
    list_filter = ("is_active", "is_staff", "is_superuser")
    list_per_page = 50
    show_full_result_count = False
    search_fields = ("username", "first_name", "last_name", "email")
    readonly_fields: Sequence[str] = ("last_login", "date_joined")
    storage_fields: Sequence[str] = ("storage_quota_bytes",)
    POWERS = ("is_staff", "is_superuser", "groups", "user_permissions")

    def get_fieldsets(self, request: HttpRequest, obj: User | None = None) -> Sequence[tuple[Any, dict[str, Any]]]:
        if obj is None:
            return self.add_fieldsets
        return (
            (None, {"fields": ("username", "password")}),
            (gettext_lazy("Person"), {"fields": ("first_name", "last_name", "email")}),
            (gettext_lazy("Storage"), {"fields": self.storage_fields}),
            (gettext_lazy("May"), {"fields": ("is_active", *self.POWERS)}),
            (gettext_lazy("When"), {"fields": ("last_login", "date_joined")}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Sequence[str]:
        return self.readonly_fields if request.user.is_superuser else (*self.readonly_fields, *self.POWERS)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False


@admin.register(Group)
class GroupAdmin(AuditedEdits, DjangoGroupAdmin, ModelAdmin):
    """Groups give powers, so only superusers edit them."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return request.user.is_superuser

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return request.user.is_superuser


class IssueTokenForm(forms.Form):
    """Whom a new key acts for, and what it is for."""

    user = forms.ModelChoiceField(
        User.objects.filter(is_active=True).order_by("username"),
        to_field_name="username",
        widget=UnfoldAdminTextInputWidget,
        label=gettext_lazy("Username"),
        help_text=gettext_lazy("The service sees and does what this user may."),
    )
    name = forms.CharField(
        max_length=100,
        widget=UnfoldAdminTextInputWidget,
        label=gettext_lazy("Name"),
        help_text=gettext_lazy("What the key is for."),
    )
    scopes = forms.MultipleChoiceField(
        choices=Scope.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label=gettext_lazy("Scopes"),
        help_text=gettext_lazy(
            "A service with scopes reads what the user sees and writes only there. None: everything."
        ),
    )
    days = forms.TypedChoiceField(
        choices=[(30, gettext_lazy("30 days")), (365, gettext_lazy("a year")), ("", gettext_lazy("until revoked"))],
        coerce=int,
        empty_value=None,
        required=False,
        initial=365,
        widget=UnfoldAdminSelectWidget,
        label=gettext_lazy("Valid"),
    )


def revoke(token: ServiceToken, by: User) -> str:
    revoke_token(token=token, by=by)
    return _("The key does not work any more.")


@admin.register(ServiceToken)
class ServiceTokenAdmin(LookOnlyAdmin):
    list_display = ("name", "user", "hint", "scopes", "created_at", "last_used_at", "expires_at", "revoked_at")
    related = ("user",)
    search_fields = ("name", "=user__username")
    fields = ("name", "user", "hint", "scopes", "created_at", "last_used_at", "expires_at", "revoked_at")
    readonly_fields = ("hint", "created_at", "last_used_at")
    operations = (
        Operation(
            "revoke",
            gettext_lazy("Revoke"),
            revoke,
            applies=lambda token: token.revoked_at is None,
            icon="key_off",
        ),
    )

    def has_add_permission(self, request: HttpRequest, obj: ServiceToken | None = None) -> bool:
        return self.has_operate_permission(request)

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Issue a key and show it: in this one answer, which is not stored anywhere."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = IssueTokenForm(request.POST if request.method == "POST" else None)
        context = {**self.admin_site.each_context(request), "title": _("Issue a service token"), "opts": self.opts}
        if request.method == "POST" and form.is_valid():
            key = issue_token(**form.cleaned_data, by=request.user)
            return render(request, "admin/token_issued.html", {**context, "key": key, "back": list_of(ServiceToken)})
        return render(request, "admin/issue_token.html", {**context, "form": form})


@admin.register(Notification)
class NotificationAdmin(HugeTableAdmin):
    list_display = ("text", "user", "kind", "created_at", "read_at")
    related = ("user",)
    exact_searches = {r".+": "user__username"}
    search_help_text = gettext_lazy("A whole user name.")
    readonly_fields = ("created_at",)


class ActionFilter(IndexedValuesFilter):
    title = gettext_lazy("action")
    parameter_name = column = "action"


@admin.register(AuditEvent)
class AuditEventAdmin(HugeTableAdmin):
    list_display = ("at", "actor_name", "shown_action", "target", "target_type", "target_id", "shown_details")
    list_display_links = ("at",)
    related = ("actor",)
    list_filter = (ActionFilter,)
    exact_searches = {r".+": "actor__username"}
    search_help_text = gettext_lazy("A whole user name, or a target by type and id: datasets.dataset 12.")
    fields = ("at", "actor", "actor_name", "action", "target_type", "target_id", "target_name", "details")
    readonly_fields = ("at",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEvent], search_term: str
    ) -> tuple[QuerySet[AuditEvent], bool]:
        target_type, _separator, target_id = search_term.strip().replace("#", " ").partition(" ")
        if "." in target_type and target_id:
            return queryset.filter(target_type=target_type.lower(), target_id=target_id.strip()), False
        return super().get_search_results(request, queryset, search_term)

    @display(description=gettext_lazy("action"), label=True)
    def shown_action(self, event: AuditEvent) -> str:
        return event.action

    @display(description=gettext_lazy("target"))
    def target(self, event: AuditEvent) -> str:
        url = list_of(AuditEvent, target_type=event.target_type, target_id=event.target_id)
        return link(url, event.target_name or event.target_id)

    @display(description=gettext_lazy("details"))
    def shown_details(self, event: AuditEvent) -> str:
        return ", ".join(f"{name}: {value}" for name, value in event.details.items())[:100]
