"""``manage.py load_samples``: the datasets of ``samples/``, once, for the first operator; the gallery offers them."""

import json

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import transaction

from datasets.services.gallery import About, publish_dataset
from datasets.services.uploads import upload_file
from deepcap.accounts.models import AuditEvent, User
from deepcap.accounts.services import record

LOADED = "samples.loaded"


class Command(BaseCommand):
    help = "Upload the sample datasets for the first superuser, and publish them, unless that was done before."

    def handle(self, **options):
        owner = User.objects.filter(is_superuser=True).order_by("pk").first()
        if owner is None or AuditEvent.objects.filter(action=LOADED).exists():
            return
        samples = settings.BASE_DIR / "samples"
        about = {entry.pop("zip"): entry for entry in json.loads((samples / "gallery.json").read_text())}
        for path in sorted(samples.glob("*.zip")):
            with path.open("rb") as stream:
                dataset = upload_file(owner=owner, stream=stream, filename=path.name, size=path.stat().st_size)
            publish_dataset(dataset=dataset, by=owner, about=About(name=dataset.name, **about[path.name]))
        with transaction.atomic():
            record(actor=owner, action=LOADED, target=owner)
