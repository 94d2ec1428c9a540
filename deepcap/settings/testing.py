"""Tests: real database and storage in a throw-away folder; tasks run when the test says so."""

import tempfile
from pathlib import Path

from .base import *

DATA_DIR = Path(tempfile.mkdtemp(prefix="deepcap-test-"))
for _folder in ("queue", "queue-control", "tmp", "objects"):
    (DATA_DIR / _folder).mkdir()

SECRET_KEY = "tests-only-" + "x" * 40
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
FILE_UPLOAD_TEMP_DIR = DATA_DIR / "tmp"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["NAME"] = DATA_DIR / "db.sqlite3"
    DATABASES["default"]["TEST"] = {"NAME": DATA_DIR / "test.sqlite3"}  # a file: threads and child processes share it
VAULT = vault_from(env, DATA_DIR)
STORAGES = {
    "default": VAULT,
    "vault": VAULT,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = True
WHITENOISE_USE_FINDERS = True

CELERY_BROKER_URL = "memory://"
CELERY_BROKER_TRANSPORT_OPTIONS = {}
CELERY_TASK_ALWAYS_EAGER = False
DEEPCAP_BLOB_GRACE = timedelta(0)
