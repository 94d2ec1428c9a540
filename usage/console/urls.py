"""The usage's part of the console: four lists, their records, and what people do with these."""

from django.urls import URLPattern, include, path

from .actions import UsageDelete, UsageProgress, UsageRename, UsageStop
from .inference_jobs import InferenceJobCreate, InferenceJobDetail, InferenceJobExport, InferenceJobList
from .kinds import INFERENCES, TRAININGS, Kind
from .listing import RowsUnderWay
from .made import SourceLink
from .training_tasks import TrainingTaskCreate, TrainingTaskDetail, TrainingTaskList


def of_all(kind: Kind) -> list[URLPattern]:
    """Return what is the same for every kind."""
    return [
        path("rows/", RowsUnderWay.as_view(kind=kind), name=f"{kind.slug}-rows"),
        path("<int:pk>/progress/", UsageProgress.as_view(kind=kind), name=f"{kind.slug}-progress"),
        path("<int:pk>/stop/", UsageStop.as_view(kind=kind), name=f"{kind.slug}-stop"),
        path("<int:pk>/delete/", UsageDelete.as_view(kind=kind), name=f"{kind.slug}-delete"),
    ]


training_tasks = [
    path("", TrainingTaskList.as_view(), name="training-task-list"),
    path("create/", TrainingTaskCreate.as_view(), name="training-task-create"),
    path("<int:pk>/", TrainingTaskDetail.as_view(), name="training-task-detail"),
    path("<int:pk>/rename/", UsageRename.as_view(kind=TRAININGS), name="training-task-rename"),
    *of_all(TRAININGS),
]
inference_jobs = [
    path("", InferenceJobList.as_view(), name="inference-job-list"),
    path("create/", InferenceJobCreate.as_view(), name="inference-job-create"),
    path("<int:pk>/", InferenceJobDetail.as_view(), name="inference-job-detail"),
    path("<int:pk>/rename/", UsageRename.as_view(kind=INFERENCES), name="inference-job-rename"),
    path("<int:pk>/export/", InferenceJobExport.as_view(), name="inference-job-export"),
    *of_all(INFERENCES),
]

urlpatterns = [
    path("training-tasks/", include(training_tasks)),
    path("inference-jobs/", include(inference_jobs)),
    path("annotation-data/<int:pk>/source/", SourceLink.as_view(), name="annotation-data-source"),
]
