"""The datasets' part of the API, below ``/api/v1/``."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from .api.datasets import DatasetViewSet
from .api.deletions import DeletionDetail, DeletionImpact, DeletionRestore
from .api.images import ImageDetail, ImageFile, ImageRendering, ImageTags, ImageThumbnail
from .api.reports import DatasetReport, DatasetReportCsv
from .api.studies import DatasetStudies, StudyDetail, StudyImages
from .api.uploads import UploadPartView, UploadViewSet

router = SimpleRouter(use_regex_path=False)
router.register("datasets", DatasetViewSet, basename="dataset")
router.register("uploads", UploadViewSet, basename="upload")

urlpatterns = [
    path("", include(router.urls)),
    path("datasets/<int:pk>/report/", DatasetReport.as_view(), name="dataset-report"),
    path("datasets/<int:pk>/report.csv", DatasetReportCsv.as_view(), name="dataset-report-csv"),
    path("datasets/<int:pk>/studies/", DatasetStudies.as_view(), name="dataset-studies"),
    path("datasets/<int:pk>/deletion-impact/", DeletionImpact.as_view(), name="dataset-deletion-impact"),
    path("uploads/<int:pk>/parts/<int:number>/", UploadPartView.as_view(), name="upload-part"),
    path("studies/<int:pk>/", StudyDetail.as_view(), name="study-detail"),
    path("studies/<int:pk>/images/", StudyImages.as_view(), name="study-images"),
    path("images/<int:pk>/", ImageDetail.as_view(), name="image-detail"),
    path("images/<int:pk>/thumbnail/", ImageThumbnail.as_view(), name="image-thumbnail"),
    path("images/<int:pk>/file/", ImageFile.as_view(), name="image-file"),
    path("images/<int:pk>/rendered/", ImageRendering.as_view(), name="image-rendered"),
    path("images/<int:pk>/tags/", ImageTags.as_view(), name="image-tags"),
    path("deletions/<int:pk>/", DeletionDetail.as_view(), name="deletion-detail"),
    path("deletions/<int:pk>/restore/", DeletionRestore.as_view(), name="deletion-restore"),
]
