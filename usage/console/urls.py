"""The usage's part of the console: four lists, their records, and what people do with these."""

from django.urls import URLPattern, include, path

from .actions import UsageDelete, UsageProgress, UsageRename, UsageStop
from .annotation_jobs import AnnotationJobDetail, AnnotationJobList, JobResume, JobStudies
from .annotation_projects import AnnotationProjectCreate, AnnotationProjectDetail, AnnotationProjectList
from .export import UsageExport
from .inference_jobs import InferenceJobCreate, InferenceJobDetail, InferenceJobEvaluate, InferenceJobList
from .kinds import INFERENCES, JOBS, PROJECTS, TRAININGS, Kind
from .listing import RowsUnderWay
from .made import SourceLink
from .predictions import PredictionOverlay
from .project_actions import (
    MemberAdd,
    MemberChange,
    ProjectEdit,
    ProjectFinish,
    ProjectPublish,
)
from .training_tasks import TrainingTaskCreate, TrainingTaskDetail, TrainingTaskList


def of_all(kind: Kind) -> list[URLPattern]:
    """Return what is the same for every kind."""
    return [
        path("rows/", RowsUnderWay.as_view(kind=kind), name=f"{kind.slug}-rows"),
        path("<int:pk>/progress/", UsageProgress.as_view(kind=kind), name=f"{kind.slug}-progress"),
        path("<int:pk>/stop/", UsageStop.as_view(kind=kind), name=f"{kind.slug}-stop"),
        path("<int:pk>/delete/", UsageDelete.as_view(kind=kind), name=f"{kind.slug}-delete"),
    ]


annotation_projects = [
    path("", AnnotationProjectList.as_view(), name="annotation-project-list"),
    path("create/", AnnotationProjectCreate.as_view(), name="annotation-project-create"),
    path("<int:pk>/", AnnotationProjectDetail.as_view(), name="annotation-project-detail"),
    path("<int:pk>/publish/", ProjectPublish.as_view(), name="annotation-project-publish"),
    path("<int:pk>/edit/", ProjectEdit.as_view(), name="annotation-project-edit"),
    path("<int:pk>/finish/", ProjectFinish.as_view(), name="annotation-project-finish"),
    path("<int:pk>/export/", UsageExport.as_view(kind=PROJECTS), name="annotation-project-export"),
    path("<int:pk>/members/", MemberAdd.as_view(), name="annotation-project-add-member"),
    path("<int:pk>/members/<int:member_pk>/", MemberChange.as_view(), name="annotation-project-member"),
    *of_all(PROJECTS),
]
annotation_jobs = [
    path("", AnnotationJobList.as_view(), name="annotation-job-list"),
    path("<int:pk>/", AnnotationJobDetail.as_view(), name="annotation-job-detail"),
    path("<int:pk>/studies/", JobStudies.as_view(), name="annotation-job-studies"),
    path("<int:pk>/resume/", JobResume.as_view(), name="annotation-job-resume"),
    *of_all(JOBS),
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
    path("<int:pk>/export/", UsageExport.as_view(kind=INFERENCES), name="inference-job-export"),
    path("<int:pk>/evaluate/", InferenceJobEvaluate.as_view(), name="inference-job-evaluate"),
    path("<int:pk>/overlay/<int:image_pk>/", PredictionOverlay.as_view(), name="inference-job-overlay"),
    *of_all(INFERENCES),
]

urlpatterns = [
    path("annotation-projects/", include(annotation_projects)),
    path("annotation-jobs/", include(annotation_jobs)),
    path("training-tasks/", include(training_tasks)),
    path("inference-jobs/", include(inference_jobs)),
    path("annotation-data/<int:pk>/source/", SourceLink.as_view(), name="annotation-data-source"),
]
