"""The splits' part of the console, below ``/annotation-data/{id}/splits/``."""

from django.urls import path

from .actions import SplitDatasets, SplitDelete, SplitDownload, SplitRename
from .card import SplitCard
from .create import SplitCreate
from .detail import SplitDetail

urlpatterns = [
    path("", SplitCard.as_view(), name="split-card"),
    path("new/", SplitCreate.as_view(), name="split-create"),
    path("<int:split_id>/", SplitDetail.as_view(), name="split-detail"),
    path("<int:split_id>/rename/", SplitRename.as_view(), name="split-rename"),
    path("<int:split_id>/download/", SplitDownload.as_view(), name="split-download"),
    path("<int:split_id>/datasets/", SplitDatasets.as_view(), name="split-datasets"),
    path("<int:split_id>/delete/", SplitDelete.as_view(), name="split-delete"),
]
