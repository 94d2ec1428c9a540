"""The console's part about annotation data, below ``/annotation-data/``."""

from django.urls import path

from .actions import (
    AnnotationDataDelete,
    AnnotationDataDownload,
    AnnotationDataKeep,
    AnnotationDataRename,
    LabelReplacement,
    LabelUpload,
)
from .card import AnnotationDataCard
from .conversion import AnnotationDataConvert
from .detail import AnnotationDataDetail, AnnotationDataProgress
from .overlays import AnnotationDataOverlay
from .problems import AnnotationDataProblems
from .splits.divide import DatasetDivide
from .subset import DatasetSubset

urlpatterns = [
    path("<int:pk>/", AnnotationDataDetail.as_view(), name="annotation-data-detail"),
    path("<int:pk>/progress/", AnnotationDataProgress.as_view(), name="annotation-data-progress"),
    path("<int:pk>/problems/", AnnotationDataProblems.as_view(), name="annotation-data-problems"),
    path("<int:pk>/keep/", AnnotationDataKeep.as_view(), name="annotation-data-keep"),
    path("<int:pk>/replace/", LabelReplacement.as_view(), name="annotation-data-replace"),
    path("<int:pk>/rename/", AnnotationDataRename.as_view(), name="annotation-data-rename"),
    path("<int:pk>/download/", AnnotationDataDownload.as_view(), name="annotation-data-download"),
    path("<int:pk>/convert/", AnnotationDataConvert.as_view(), name="annotation-data-convert"),
    path("<int:pk>/delete/", AnnotationDataDelete.as_view(), name="annotation-data-delete"),
    path("<int:pk>/images/<int:image_id>/overlay.png", AnnotationDataOverlay.as_view(), name="annotation-data-overlay"),
    path("datasets/<int:pk>/", AnnotationDataCard.as_view(), name="annotation-data-card"),
    path("datasets/<int:pk>/subset/", DatasetSubset.as_view(), name="dataset-subset"),
    path("datasets/<int:pk>/divide/", DatasetDivide.as_view(), name="dataset-divide"),
    path("datasets/<int:pk>/upload/", LabelUpload.as_view(), name="annotation-data-upload"),
]
