from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AnnotationsConfig(AppConfig):
    name = "annotations"
    verbose_name = _("Annotation data")

    def ready(self) -> None:
        from datasets import hooks

        from .importing.cancel import cancel_under, resume_under
        from .importing.counting import annotations_of_dataset
        from .importing.pictures import find_picture
        from .importing.upload import read_labels
        from .services.combinations import stop_combination
        from .services.deletions import restore_annotation_data

        hooks.name_kind("annotations.AnnotationData", key="annotation_data")
        hooks.name_kind("annotations.Annotation", key="annotations", count=annotations_of_dataset)
        hooks.when_arranged(read_labels)
        hooks.within_label_files(find_picture)
        hooks.when_deletion_is_requested(cancel_under)
        hooks.when_deletion_is_undone(resume_under)
        hooks.when_stopped(stop_combination)
        hooks.restored_by("annotations.AnnotationData", restore_annotation_data)
