"""One machine, nothing installed: what ``make run`` and a bare ``manage.py`` use."""

import secrets

from .base import *

# Served from where they lie: a first start that compresses two thousand files is not a start on one machine.
STORAGES = {**STORAGES, "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}}
WHITENOISE_USE_FINDERS = True

DEBUG = env.bool("DEEPCAP_DEBUG", default=False)

for _folder in (DATA_DIR, DATA_DIR / "queue", DATA_DIR / "queue-control", DATA_DIR / "tmp", STATIC_ROOT):
    _folder.mkdir(parents=True, exist_ok=True)

if not SECRET_KEY:
    _key_file = DATA_DIR / "secret-key"
    if not _key_file.exists():
        _key_file.touch(mode=0o600)
        _key_file.write_text(secrets.token_urlsafe(50))
    SECRET_KEY = _key_file.read_text()

if env("DEEPCAP_HOST", default="127.0.0.1") not in ("127.0.0.1", "localhost"):
    ALLOWED_HOSTS = env.list("DEEPCAP_ALLOWED_HOSTS", default=[*ALLOWED_HOSTS, env("DEEPCAP_HOST")])
