"""The Celery app. Messages are hints: what is to be done, and by whom it is claimed, stands in the database."""

import os

from celery import Celery

from . import file_broker

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "deepcap.settings.development")

file_broker.install()
app = Celery("deepcap")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
