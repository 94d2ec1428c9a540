"""``manage.py import_dataset PATH --owner USERNAME [--name NAME] [--wait]``: ingest a file of the server's disk."""

import time
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from datasets.ingest import pipeline
from datasets.models import Dataset, DatasetStatus, Ingest
from datasets.services.uploads import upload_file
from deepcap.accounts.models import User
from deepcap.common.errors import DomainError


class Command(BaseCommand):
    help = "Make a dataset of a zip, or of a single DICOM, JPEG or PNG file, that lies on this machine."

    def add_arguments(self, parser):
        parser.add_argument("path", type=Path)
        parser.add_argument("--owner", required=True, metavar="USERNAME")
        parser.add_argument("--name", help="default: the file's name without its extension")
        parser.add_argument("--wait", action="store_true", help="end when it is ready; exit status 1 if it is not")
        parser.add_argument("--here", action="store_true", help="do the work in this process, without workers")

    def handle(self, *, path, owner, name, wait, here, **options):
        user = User.objects.filter(username=owner).first()
        if user is None:
            raise CommandError(f"There is no user named {owner}.")
        if not path.is_file():
            raise CommandError(f"{path} is not a file.")
        try:
            with path.open("rb") as stream:
                dataset = upload_file(
                    owner=user, stream=stream, filename=path.name, size=path.stat().st_size, name=name
                )
        except DomainError as error:
            raise CommandError(error.message) from error
        if here:
            ingest_here(dataset)
        while wait and dataset.is_under_way:
            time.sleep(0.2)
            dataset.refresh_from_db()
        if (wait or here) and dataset.status != DatasetStatus.AVAILABLE:
            self._explain(dataset)
        self.stdout.write(f"Dataset {dataset.pk}: {dataset.name} ({dataset.get_status_display()})")

    def _explain(self, dataset: Dataset) -> None:
        rejected = dataset.problems.filter(outcome="rejected")
        reasons = [f"{problem.path}: {problem.message} ({problem.code})" for problem in rejected[:1000]]
        raise CommandError("\n".join([f"{dataset.name}: {dataset.status_detail}", *reasons]))


def ingest_here(dataset: Dataset) -> None:
    """Run all stages of a dataset's ingest in this process."""
    ingest = Ingest.objects.get(dataset=dataset)
    while announcement := pipeline.waiting(ingest.pk):
        if announcement.advance:
            pipeline.advance(ingest.pk)
        else:
            pipeline.read_next(ingest.pk)
    dataset.refresh_from_db()
