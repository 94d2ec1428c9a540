"""The gallery: what is on show, and publishing a dataset to it."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from datasets.models import Dataset, GalleryEntry
from datasets.services.gallery import About, publish_dataset, withdraw_dataset
from deepcap.accounts.models import User
from deepcap.common.admin import LookOnlyAdmin, Operation, page_of


def _text(name: str, label: Any, *, required: bool = False, help_text: Any = "") -> forms.CharField:
    length = GalleryEntry._meta.get_field(name).max_length
    return forms.CharField(
        label=label,
        max_length=length,
        required=required,
        help_text=help_text,
        widget=UnfoldAdminTextInputWidget,
    )


class PublishForm(forms.Form):
    """What the gallery says of a dataset."""

    name = _text("name", gettext_lazy("Name"), required=True, help_text=gettext_lazy("Imported datasets get it too."))
    description = forms.CharField(
        label=gettext_lazy("Description"), max_length=4000, required=False, widget=UnfoldAdminTextareaWidget
    )
    modality = _text("modality", gettext_lazy("Modality"))
    body_part = _text("body_part", gettext_lazy("Body part"))
    provider = _text("provider", gettext_lazy("Provider"))
    licence = _text("licence", gettext_lazy("Licence"))
    source_url = _text("source_url", gettext_lazy("Source"), help_text=gettext_lazy("The address of its home page."))


def publish(model_admin: ModelAdmin, request: HttpRequest, dataset: Dataset) -> HttpResponse:
    """Ask what the gallery is to say of the dataset; given that, publish it."""
    entry = GalleryEntry.objects.filter(dataset=dataset).first()
    said = {field: getattr(entry, field) for field in PublishForm.base_fields} if entry else {"name": dataset.name}
    form = PublishForm(request.POST or None, initial=said)
    if request.method == "POST" and form.is_valid():
        about = About(**form.cleaned_data)
        if model_admin.attempt(request, dataset, lambda row, by: _publish(row, by, about)):
            return redirect(page_of(dataset))
    context = {
        **model_admin.admin_site.each_context(request),
        "title": _("Publish %(name)s in the gallery") % {"name": dataset},
        "opts": model_admin.opts,
        "dataset": dataset,
        "form": form,
    }
    return render(request, "admin/datasets/publish.html", context)


def _publish(dataset: Dataset, by: User, about: About) -> str:
    publish_dataset(dataset=dataset, by=by, about=about)
    return _("It is in the gallery.")


def withdraw(entry: GalleryEntry, by: User) -> str:
    withdraw_dataset(entry=entry, by=by)
    return _("It is no longer in the gallery. What was imported stays.")


def change(model_admin: ModelAdmin, request: HttpRequest, entry: GalleryEntry) -> HttpResponse:
    return publish(model_admin, request, entry.dataset)


@admin.register(GalleryEntry)
class GalleryEntryAdmin(LookOnlyAdmin):
    list_display = ("name", "dataset", "modality", "body_part", "provider", "licence", "published_at")
    related = ("dataset", "published_by")
    search_fields = ("name", "dataset__name")
    fields = (
        *("dataset", "name", "description", "modality", "body_part", "provider", "licence", "source_url"),
        *("published_by", "published_at"),
    )
    readonly_fields = ("published_at",)
    operations = (
        Operation("change", gettext_lazy("Change what it says …"), page=change, icon="edit"),
        Operation("withdraw", gettext_lazy("Take out of the gallery"), withdraw, icon="visibility_off"),
    )
