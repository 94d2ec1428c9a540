"""What the compose file, the image and the settings say of each other."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
DOCKERFILE = (ROOT / "Dockerfile").read_text()
EXAMPLE = (ROOT / ".env.example").read_text()
SERVICES = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if "build" in service]
THEIRS = [name for name in SERVICES if name not in OURS]


def listed() -> set[str]:
    """Return the variables of .env.example, those that are commented out included."""
    return set(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", EXAMPLE, re.MULTILINE))


def read_by_the_settings() -> set[str]:
    """Return the variables that the settings read."""
    source = "".join(path.read_text() for path in (ROOT / "deepcap" / "settings").glob("*.py"))
    return set(re.findall(r'env(?:\.[a-z_]+)?\(\s*"([A-Z0-9_]+)"', source))


def test_it_is_a_compose_file():
    command = ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(ROOT / "docker-compose.yml")]
    checked = subprocess.run(
        [Path(sys.executable).with_name(command[0]), *command[1:]], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout


def test_every_variable_is_in_the_example():
    used = set(re.findall(r"(?<!\$)\$\{([A-Z0-9_]+)", (ROOT / "docker-compose.yml").read_text()))
    assert "POSTGRES_PASSWORD" in used
    assert used <= listed()


def test_the_example_lists_what_the_settings_read_and_nothing_that_nobody_reads():
    embedded = {"DEEPCAP_HOST", "DEEPCAP_DEBUG"}  # of the development settings and "manage.py up"
    compose = set(re.findall(r"\$\{([A-Z0-9_]+)", (ROOT / "docker-compose.yml").read_text()))
    assert read_by_the_settings() - embedded <= listed()
    assert listed() <= read_by_the_settings() | compose


def test_every_variable_is_explained_to_operators():
    guide = "".join(path.read_text() for path in (ROOT / "docs" / "operator").glob("*.md"))
    unexplained = [name for name in listed() | read_by_the_settings() if f"`{name}`" not in guide]
    assert unexplained == []


def test_the_example_holds_no_secret():
    for name in ("DEEPCAP_SECRET_KEY", "POSTGRES_PASSWORD", "AWS_SECRET_ACCESS_KEY", "DEEPCAP_METRICS_TOKEN"):
        assert re.search(rf"^#?{name}=$", EXAMPLE, re.MULTILINE), name


@pytest.mark.parametrize("name", SERVICES)
def test_what_a_service_depends_on_exists(name):
    service = SERVICES[name]
    assert set(service.get("depends_on", {})) <= set(SERVICES)
    named = {volume.split(":")[0] for volume in service.get("volumes", [])}
    assert named <= set(COMPOSE["volumes"])


@pytest.mark.parametrize("name", THEIRS)
def test_an_image_of_others_is_pinned(name):
    _repository, _colon, tag = SERVICES[name]["image"].partition(":")
    assert re.match(r"[0-9]", tag)


def test_the_images_ours_is_made_of_are_pinned():
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert set(bases) == {"python:3.11-slim-bookworm"}
    assert re.search(r"uv==[0-9.]+", DOCKERFILE)
    assert "--require-hashes" in DOCKERFILE


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_watched_given_time_to_stop_and_cannot_write_into_its_image(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert "no-new-privileges:true" in service["security_opt"]
    if name != "migrate":  # which ends by itself
        assert service["healthcheck"]["test"]
        assert service["stop_grace_period"]


@pytest.mark.parametrize("name", OURS)
def test_our_services_run_without_privileges(name):
    assert SERVICES[name]["cap_drop"] == ["ALL"]
    assert SERVICES[name]["env_file"] == ".env"
    user = re.findall(r"^USER (\S+)", DOCKERFILE, re.MULTILINE)
    assert user == ["deepcap"]


@pytest.mark.parametrize("name", OURS)
def test_the_command_of_our_service_is_installed_and_the_file_it_names_is_copied(name):
    first, *rest = SERVICES[name]["command"]
    assert Path(sys.executable).with_name(first).exists()
    copied = {line.lstrip("!") for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert all(word in copied for word in rest if word.endswith(".py"))
    assert all((ROOT / path).exists() for path in copied)


def test_a_worker_that_is_stopped_hands_its_work_back_within_its_time():
    worker = SERVICES["worker"]
    assert worker["environment"]["REMAP_SIGTERM"] == "SIGQUIT"
    assert worker["environment"]["DATABASE_URL"] == SERVICES["web"]["environment"]["DATABASE_URL"]
    from django.conf import settings

    assert int(worker["stop_grace_period"].rstrip("s")) > settings.CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT


def test_there_is_exactly_one_timer():
    timers = [name for name in OURS if "beat" in SERVICES[name]["command"]]
    assert timers == ["beat"]
    assert not any(word in ("-B", "--beat") for name in OURS for word in SERVICES[name]["command"])
    assert "deploy" not in SERVICES["beat"]


@pytest.mark.parametrize("name", ["web", "worker"])
def test_the_default_of_a_number_of_processes_is_one_that_starts(name):
    for word in SERVICES[name]["command"]:
        for default in re.findall(r"\$\{[A-Z_]+:-([^}]*)\}", word):
            assert int(default) > 0


def test_the_health_check_of_the_web_service_is_a_program():
    _cmd, python, _c, program = SERVICES["web"]["healthcheck"]["test"]
    assert python == "python"
    compile(program, "healthcheck", "exec")


@pytest.mark.parametrize("name", ["worker", "beat"])
def test_the_health_check_of_a_worker_is_a_command_line(name):
    kind, line = SERVICES[name]["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    assert shlex.split(line)
