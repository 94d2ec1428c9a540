"""The wizard's part of the console, below ``/datasets/combine/``."""

from django.urls import path

from .annotation_data import CombineAnnotationData
from .labels import CombineLabels
from .review import CombineConflicts, CombineOutcome, CombineReview
from .sources import CombineSources

urlpatterns = [
    path("", CombineSources.as_view(), name="dataset-combine"),
    path("annotation-data/", CombineAnnotationData.as_view(), name="combine-annotation-data"),
    path("labels/", CombineLabels.as_view(), name="combine-labels"),
    path("review/", CombineReview.as_view(), name="combine-review"),
    path("outcome/", CombineOutcome.as_view(), name="combine-outcome"),
    path("conflicts/", CombineConflicts.as_view(), name="combine-conflicts"),
]
