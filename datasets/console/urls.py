"""The datasets' part of the console, below ``/datasets/``."""

from django.urls import path

from .actions import DatasetCancel, DatasetEdit, DatasetKeep
from .dataset_detail import DatasetDetail, DatasetFindings, DatasetProgress
from .dataset_list import DatasetList, RowsUnderWay
from .deletions import DatasetDelete, DeletionList, DeletionReceipt, DeletionRestore
from .picking import DatasetPick
from .reports import DatasetReport, FailureDialog

urlpatterns = [
    path("", DatasetList.as_view(), name="dataset-list"),
    path("rows/", RowsUnderWay.as_view(), name="dataset-rows"),
    path("<int:pk>/", DatasetDetail.as_view(), name="dataset-detail"),
    path("<int:pk>/progress/", DatasetProgress.as_view(), name="dataset-progress"),
    path("<int:pk>/findings/", DatasetFindings.as_view(), name="dataset-findings"),
    path("<int:pk>/report/", DatasetReport.as_view(), name="dataset-report"),
    path("<int:pk>/failure/", FailureDialog.as_view(), name="dataset-failure"),
    path("<int:pk>/edit/", DatasetEdit.as_view(), name="dataset-edit"),
    path("<int:pk>/keep/", DatasetKeep.as_view(), name="dataset-keep"),
    path("<int:pk>/cancel/", DatasetCancel.as_view(), name="dataset-cancel"),
    path("<int:pk>/pick/", DatasetPick.as_view(), name="dataset-pick"),
    path("<int:pk>/delete/", DatasetDelete.as_view(), name="dataset-delete"),
    path("deletions/", DeletionList.as_view(), name="deletion-list"),
    path("deletions/<int:pk>/", DeletionReceipt.as_view(), name="deletion-receipt"),
    path("deletions/<int:pk>/restore/", DeletionRestore.as_view(), name="deletion-restore"),
]
