"""The production settings refuse to start on a value that would put patients' images at risk."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

SAFE = {
    "DEEPCAP_SECRET_KEY": "abcdefghijklmnopqrstuvwxyz-0123456789-abcdefghijklmnop",
    "DEEPCAP_ALLOWED_HOSTS": "deepcap.example.org",
    "DATABASE_URL": "postgres://deepcap:secret@database.invalid:5432/deepcap",
    "CELERY_BROKER_URL": "redis://redis.invalid:6379/0",
}

SHOW = """
import json, django
from django.conf import settings
django.setup()
names = ("DEBUG", "ALLOWED_HOSTS", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_SSL_REDIRECT",
         "SECURE_HSTS_SECONDS", "SESSION_COOKIE_HTTPONLY", "SECURE_CONTENT_TYPE_NOSNIFF")
print(json.dumps({name: getattr(settings, name) for name in names}))
"""


def start(tmp_path, code: str = SHOW, **changes: str | None) -> subprocess.CompletedProcess[str]:
    """Start Python under the production settings with the safe values, changed."""
    ours = ("DEEPCAP_", "DJANGO_", "AWS_", "DATABASE_URL")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    given = {name: value for name, value in {**SAFE, **changes}.items() if value is not None}
    environment = {
        **inherited,
        "DEEPCAP_DATA_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "deepcap.settings.production",
        **given,
    }
    for name in changes.keys() - given.keys():
        environment.pop(name, None)
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("DEEPCAP_SECRET_KEY", None),
        ("DEEPCAP_SECRET_KEY", ""),
        ("DEEPCAP_SECRET_KEY", "too short"),
        ("DEEPCAP_SECRET_KEY", "change-me" * 6),
        ("DEEPCAP_ALLOWED_HOSTS", None),
        ("DEEPCAP_ALLOWED_HOSTS", ""),
        ("DEEPCAP_ALLOWED_HOSTS", "*"),
        ("DEEPCAP_ALLOWED_HOSTS", "deepcap.example.org,*"),
        ("DATABASE_URL", None),
        ("DATABASE_URL", "sqlite:////srv/deepcap.sqlite3"),
        ("CELERY_BROKER_URL", None),
        ("CELERY_BROKER_URL", "filesystem://"),
        ("CELERY_BROKER_URL", "memory://"),
    ],
)
def test_an_unsafe_value_is_refused_by_name(tmp_path, variable, value):
    started = start(tmp_path, **{variable: value})
    assert started.returncode != 0
    assert f"ImproperlyConfigured: {variable} must" in started.stderr


def test_safe_values_start_with_what_browsers_are_told_to_keep_safe(tmp_path):
    started = start(tmp_path)
    assert started.returncode == 0, started.stderr
    assert '"DEBUG": false' in started.stdout
    assert '"ALLOWED_HOSTS": ["deepcap.example.org"]' in started.stdout
    for name in (
        "SESSION_COOKIE_SECURE",
        "CSRF_COOKIE_SECURE",
        "SECURE_SSL_REDIRECT",
        "SESSION_COOKIE_HTTPONLY",
        "SECURE_CONTENT_TYPE_NOSNIFF",
    ):
        assert f'"{name}": true' in started.stdout
    assert '"SECURE_HSTS_SECONDS": 31536000' in started.stdout


def test_debugging_cannot_be_switched_on(tmp_path):
    assert '"DEBUG": false' in start(tmp_path, DEEPCAP_DEBUG="True").stdout


def test_djangos_own_check_of_a_deployment_finds_nothing_but_what_is_meant(tmp_path):
    """W019: our viewer may be framed by our own pages. W021: preload lists are for the owner of the domain to join."""
    code = (
        "import django; django.setup(); from django.core.checks import run_checks\n"
        "print(sorted(message.id for message in run_checks(include_deployment_checks=True)))"
    )
    started = start(tmp_path, code)
    assert started.stdout.strip() == "['security.W019', 'security.W021']", started.stderr
