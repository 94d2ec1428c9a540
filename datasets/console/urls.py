"""The datasets' part of the console, below ``/datasets/``."""

from django.urls import path

from .dataset_detail import DatasetDetail
from .dataset_list import DatasetList
from .studies import StudyPage

urlpatterns = [
    path("", DatasetList.as_view(), name="dataset-list"),
    path("<int:pk>/", DatasetDetail.as_view(), name="dataset-detail"),
    path("studies/<int:pk>/", StudyPage.as_view(), name="study-page"),
]
