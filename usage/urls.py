"""The usage's part of the API, below ``/api/v1/``."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from .api.annotation_jobs import AnnotationJobStudies, AnnotationJobViewSet
from .api.annotation_projects import AnnotationProjectViewSet
from .api.evaluations import InferenceReport, InferenceReportCsv
from .api.inference_jobs import InferenceJobViewSet
from .api.training_tasks import TrainingTaskViewSet

router = SimpleRouter(use_regex_path=False)
router.register("annotation-projects", AnnotationProjectViewSet, basename="annotation-project")
router.register("annotation-jobs", AnnotationJobViewSet, basename="annotation-job")
router.register("training-tasks", TrainingTaskViewSet, basename="training-task")
router.register("inference-jobs", InferenceJobViewSet, basename="inference-job")

urlpatterns = [
    path("", include(router.urls)),
    path("inference-jobs/<int:pk>/report/", InferenceReport.as_view(), name="inference-job-report"),
    path("inference-jobs/<int:pk>/report.csv", InferenceReportCsv.as_view(), name="inference-job-report-csv"),
    path("annotation-jobs/<int:pk>/studies/", AnnotationJobStudies.as_view(), name="annotation-job-studies"),
]
