"""The viewer, below ``/viewer/``: one page, and what it asks for."""

from django.urls import path

from .api.annotations import StudyAnnotations
from .api.images import ImageFrame, ImageTagList, ImageVoiLuts
from .api.scenes import StudyScene
from .console.page import ViewerPage

urlpatterns = [
    path("studies/<int:pk>/", ViewerPage.as_view(), name="viewer-study"),
    path("studies/<int:pk>/scene/", StudyScene.as_view(), name="viewer-scene"),
    path("studies/<int:pk>/annotations/", StudyAnnotations.as_view(), name="viewer-annotations"),
    path("images/<int:pk>/frames/<int:number>/", ImageFrame.as_view(), name="viewer-frame"),
    path("images/<int:pk>/voi-lut/", ImageVoiLuts.as_view(), name="viewer-voi-lut"),
    path("images/<int:pk>/tags/", ImageTagList.as_view(), name="viewer-tags"),
]
