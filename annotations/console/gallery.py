"""``/datasets/gallery/``: what operators offer to everybody, and importing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.db.models.functions import Lower
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from annotations.models import AnnotationData, AnnotationDataStatus, AnnotationType
from annotations.services.gallery import import_from_gallery, imported_by
from datasets.api.streams import picture, unchanged
from datasets.blobs.store import get_store
from datasets.console.access import ConsolePage, ConsoleView, size_of_page
from datasets.models import GalleryEntry, Study

PAGE_SIZES = (10, 20, 50)
PICTURES = 5
ORDERINGS = {
    "name": gettext_lazy("Sort by name (ascending)"),
    "-name": gettext_lazy("Sort by name (descending)"),
    "-published_at": gettext_lazy("Newest first"),
    "-study_count": gettext_lazy("Most images first"),
}


@dataclass
class GalleryCard:
    """An entry; ``pictures`` are positions of studies that have one; ``mine`` is this person's dataset of it."""

    entry: GalleryEntry
    types: list[str] = field(default_factory=list)
    annotation_data: int = 0
    pictures: list[int] = field(default_factory=list)
    mine: int | None = None


class Gallery(ConsolePage):
    template_name = "annotations/gallery.html"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        query = self.request.GET
        search = query.get("search", "").replace("\x00", "").strip()
        modality, kind = query.get("modality", ""), query.get("annotation_type", "")
        on_show = GalleryEntry.objects.on_show()
        entries = on_show.select_related("dataset")
        if search:
            entries = entries.filter(Q(name__icontains=search) | Q(description__icontains=search))
        if modality:
            entries = entries.filter(modality=modality)
        if kind in AnnotationType.values:
            having = AnnotationData.objects.filter(annotation_type=kind, status=AnnotationDataStatus.AVAILABLE)
            entries = entries.filter(dataset__in=having.values("dataset"))
        ordering = query.get("ordering", "name")
        ordering = ordering if ordering in ORDERINGS else "name"
        size = size_of_page(self.request, PAGE_SIZES, default=10)
        page = Paginator(_in_order(entries, ordering), size).get_page(query.get("page"))
        modalities = on_show.exclude(modality="").order_by("modality").values_list("modality", flat=True).distinct()
        return {
            "page_obj": page,
            "page_sizes": PAGE_SIZES,
            "cards": cards_of(self.request, list(page.object_list)),
            "ordering": ordering,
            "orderings": ORDERINGS.items(),
            "modality": modality,
            "modalities": list(modalities),
            "annotation_type": kind,
            "annotation_types": AnnotationType.choices,
            "is_filtered": bool(search or modality or kind),
        }


class GalleryImport(ConsoleView):
    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        entry = get_object_or_404(GalleryEntry.objects.on_show().select_related("dataset"), pk=pk)
        dataset = import_from_gallery(entry=entry, by=request.user)
        text = _("Dataset “%(name)s” is being imported.") % {"name": dataset.name}
        link = format_html('<a href="{}">{}</a>', dataset.get_absolute_url(), _("View"))
        messages.success(request, format_html("{} {}", text, link))
        here = request.htmx.current_url_abs_path if request.htmx else None
        ours = here and here.split("?")[0] == reverse("dataset-gallery")
        return redirect(here if ours else "dataset-gallery")


class GalleryPicture(ConsoleView):
    """The thumbnail of one of the first studies of an entry: everybody who is signed in may see it."""

    def get(self, request: HttpRequest, pk: int, position: int) -> HttpResponse:
        entry = get_object_or_404(GalleryEntry.objects.on_show(), pk=pk)
        study = Study.objects.filter(dataset=entry.dataset_id, position=position).select_related("cover__blob").first()
        if position >= PICTURES or study is None or study.cover is None or not study.cover.blob.has_thumbnail:
            raise Http404
        blob = study.cover.blob
        etag = f'"{blob.digest}-thumbnail"'
        if response := unchanged(request, etag):
            return response
        return picture(get_store().read(blob.thumbnail_key), content_type="image/jpeg", etag=etag)


def cards_of(request: HttpRequest, entries: Sequence[GalleryEntry]) -> list[GalleryCard]:
    """Return the cards of a page of entries: three queries for all of them."""
    cards = {entry.dataset_id: GalleryCard(entry) for entry in entries}
    ready = AnnotationData.objects.filter(dataset__in=cards, status=AnnotationDataStatus.AVAILABLE)
    for dataset, kind in ready.order_by("annotation_type").values_list("dataset", "annotation_type"):
        card = cards[dataset]
        card.annotation_data += 1
        title = str(AnnotationType(kind).label)
        if title not in card.types:
            card.types.append(title)
    first = Study.objects.filter(dataset__in=cards, position__lt=PICTURES, cover__blob__has_thumbnail=True)
    for dataset, position in first.order_by("dataset", "position").values_list("dataset", "position"):
        cards[dataset].pictures.append(position)
    mine = imported_by(request.user, entries)
    for card in cards.values():
        card.mine = mine.get(card.entry.pk)
    return list(cards.values())


def _in_order(entries: QuerySet[GalleryEntry], ordering: str) -> QuerySet[GalleryEntry]:
    if ordering == "-published_at":
        return entries.order_by("-published_at", "-pk")
    if ordering == "-study_count":
        return entries.order_by("-dataset__study_count", "pk")
    name = Lower("name")
    return entries.order_by(name.desc(), "-pk") if ordering == "-name" else entries.order_by(name.asc(), "pk")
