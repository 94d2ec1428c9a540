"""``manage.py load_samples``: the datasets of ``samples/``, once, for the first operator."""

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import transaction

from datasets.services.uploads import upload_file
from deepcap.accounts.models import AuditEvent, User
from deepcap.accounts.services import record

LOADED = "samples.loaded"


class Command(BaseCommand):
    help = "Upload the sample datasets for the first superuser, unless that was done before."

    def handle(self, **options):
        owner = User.objects.filter(is_superuser=True).order_by("pk").first()
        if owner is None or AuditEvent.objects.filter(action=LOADED).exists():
            return
        for path in sorted((settings.BASE_DIR / "samples").glob("*.zip")):
            with path.open("rb") as stream:
                upload_file(owner=owner, stream=stream, filename=path.name, size=path.stat().st_size)
        with transaction.atomic():
            record(actor=owner, action=LOADED, target=owner)
