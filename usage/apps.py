from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

KINDS = {
    "usage.AnnotationProject": "annotation_projects",
    "usage.AnnotationJob": "annotation_jobs",
    "usage.TrainingTask": "training_tasks",
    "usage.InferenceJob": "inference_jobs",
}


class UsageConfig(AppConfig):
    name = "usage"
    verbose_name = _("Usage")

    def ready(self) -> None:
        from datasets import hooks

        from .owned import files_of, studies_given_to
        from .services.deletions import end_work_under, restore_usage, resume_work_under

        for label, key in KINDS.items():
            hooks.name_kind(label, key=key)
            hooks.restored_by(label, restore_usage)
        hooks.when_deletion_is_requested(end_work_under)
        hooks.when_deletion_is_undone(resume_work_under)
        hooks.stored_for(files_of)
        hooks.shown_through(studies_given_to)
