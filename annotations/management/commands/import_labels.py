"""``manage.py import_labels DATASET_ID PATH [--name --type --format --wait]``: labels from a file of the server."""

import time
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from annotations.importing import work
from annotations.models import AnnotationData, AnnotationDataStatus, AnnotationType, LabelImport
from annotations.services.imports import import_labels
from datasets.models import Dataset, DatasetStatus
from deepcap.common.errors import DomainError

PROBLEMS_SHOWN = 1000


class Command(BaseCommand):
    help = "Make annotation data of a label file, or of a zip of label files, that lies on this machine."

    def add_arguments(self, parser):
        parser.add_argument("dataset", type=int, metavar="DATASET_ID")
        parser.add_argument("path", type=Path)
        parser.add_argument("--name", help="default: the dataset's name and the file's")
        parser.add_argument("--type", choices=AnnotationType.values, help="default: what the file says")
        parser.add_argument("--format", help="default: what the file looks like")
        parser.add_argument("--wait", action="store_true", help="end when they are ready; exit status 1 if not")
        parser.add_argument("--here", action="store_true", help="do the work in this process, without workers")

    def handle(self, *, dataset, path, name, wait, here, **options):
        into = Dataset.objects.exclude(status=DatasetStatus.DELETING).filter(pk=dataset).first()
        if into is None:
            raise CommandError(f"There is no dataset {dataset}.")
        if not path.is_file():
            raise CommandError(f"{path} is not a file.")
        try:
            with path.open("rb") as file:
                data = import_labels(
                    dataset=into,
                    by=into.owner,
                    file=file,
                    filename=path.name,
                    name=name,
                    annotation_type=options["type"],
                    file_format=options["format"],
                )
        except DomainError as error:
            raise CommandError(error.message) from error
        if here:
            import_here(data)
        while wait and data.status == AnnotationDataStatus.IMPORTING:
            time.sleep(0.2)
            data.refresh_from_db()
        if (wait or here) and data.status != AnnotationDataStatus.AVAILABLE:
            self._explain(data)
        self.stdout.write(f"Annotation data {data.pk}: {data.name} ({data.get_status_display()})")

    def _explain(self, data: AnnotationData) -> None:
        problems = data.label_import.problems.all()[:PROBLEMS_SHOWN]
        reasons = [f"{problem.path}:{problem.row or ''}: {problem.message} ({problem.code})" for problem in problems]
        raise CommandError("\n".join([f"{data.name}: {data.status_detail}", *reasons]))


def import_here(data: AnnotationData) -> None:
    """Run an import, and those of further sets in the same file, in this process."""
    waiting = [LabelImport.objects.get(annotation_data=data).pk]
    while waiting:
        waiting += work.run(waiting.pop(0))
    data.refresh_from_db()
