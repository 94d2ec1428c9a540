"""The page of the viewer. What it shows first is drawn by the server, before any script has run."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.mixins import LoginRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.gzip import gzip_page
from django.views.generic import TemplateView
from django_htmx.http import HttpResponseClientRedirect

from datasets.models import Image
from viewer.scene.study import chosen_image, frame_of, scene_of, within

from ..api.studies import study_or_404

INLINED = 500  # images whose scene comes with the page; larger ones are fetched by the viewer


@method_decorator(gzip_page, "dispatch")
class ViewerPage(LoginRequiredMixin, TemplateView):
    """``?image=``, ``?frame=`` and ``?annotation_data=`` (repeatable) choose what is shown first."""

    template_name = "viewer/viewer.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Answer with the page; to htmx, which would put it into the console's, with the request to go there."""
        if getattr(request, "htmx", False):
            return HttpResponseClientRedirect(request.get_full_path())
        return super().get(request, *args, **kwargs)

    def get_context_data(self, pk: int, **kwargs: Any) -> dict[str, Any]:
        study = study_or_404(self.request.user, pk)
        frame = frame_of(study, user=self.request.user)
        asked = self.request.GET
        image = chosen_image(study, asked.get("image", ""))
        number = within(asked.get("frame", ""), image.frames) if image else 1
        wanted = {"image": str(image.pk) if image else "", "number": str(number)}
        scene = None
        if study.image_count <= INLINED:
            scene = scene_of(frame, **wanted, annotation_data=asked.getlist("annotation_data"))
        return {
            "study": study,
            "image": image,
            "frame": number,
            "scene": scene,
            "preview_url": preview_url(image, number) if image else "",
            "scene_url": frame.told["study"]["scene_url"],
            "dataset_url": frame.told["dataset"]["url"],
        }


def preview_url(image: Image, frame: int) -> str:
    """Return the address of the server's rendering; "" where the image cannot be drawn."""
    return "" if image.undrawable else f"{reverse('api:image-rendered', args=[image.pk])}?frame={frame}"
