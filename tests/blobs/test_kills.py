"""A process that is killed at any moment leaves nothing that the sweep does not clear up."""

import os
import random
import signal
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone

from datasets.blobs.reconcile import reconcile
from datasets.blobs.sweep import sweep
from datasets.models import Blob, Image, StorageRemoval, VaultCandidate, WriteIntent
from tests.blobs.vault import assert_sound, make_study

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]

KILLS = 40
WORKSHOP = """
import os, random, sys
import django

django.setup()

from datasets.blobs.sweep import sweep
from datasets.models import Image, Study
from tests.blobs.vault import erase, ingest


def work(study, choice, seed):
    for batch in range(10_000):
        contents = [b"content %d" % choice.randrange(40) for _ in range(8)]
        ingest(study, contents, path=f"{seed}/{batch}")
        if batch % 2:
            pks = list(Image.objects.values_list("pk", flat=True))
            erase(Image.objects.filter(pk__in=choice.sample(pks, len(pks) // 2)))
            sweep()


for line in sys.stdin:
    if (pid := os.fork()) == 0:
        work(Study.objects.get(pk=int(sys.argv[1])), random.Random(line), line.strip())
    print(pid, flush=True)
    os.waitpid(pid, 0)
    print("ended", flush=True)
"""


@pytest.fixture
def kill_a_worker(tmp_path, settings):
    """Give a function that lets a process ingest, delete and sweep in this test's database and vault, then kills it."""
    settings_module = tmp_path / "settings_of_this_test.py"
    settings_module.write_text(
        "from deepcap.settings.testing import *\n"
        f"DATABASES['default']['NAME'] = {str(connection.settings_dict['NAME'])!r}\n"
        f"STORAGES = {settings.STORAGES!r}\n"
    )
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": settings_module.stem,
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(django_settings.BASE_DIR)]),
        "TMPDIR": str(tmp_path),
    }
    command = [sys.executable, "-c", WORKSHOP, str(make_study().pk)]
    with subprocess.Popen(
        command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as workshop:

        def kill(seed, seconds):
            print(seed, file=workshop.stdin, flush=True)
            pid = int(workshop.stdout.readline())
            time.sleep(seconds)
            os.kill(pid, signal.SIGKILL)
            assert workshop.stdout.readline() == "ended\n"

        yield kill
        workshop.stdin.close()


def test_killed_processes_leave_nothing_after_the_sweep(kill_a_worker):
    choice, left_behind = random.Random(0), 0
    for seed in range(KILLS):
        kill_a_worker(seed, seconds=choice.uniform(0, 0.3))
        assert list(reconcile()) == []  # what an open intent or an ordered removal covers is accounted for
        left_behind += (
            WriteIntent.objects.exists() or VaultCandidate.objects.exists() or StorageRemoval.objects.exists()
        )

        WriteIntent.objects.update(expires_at=timezone.now() - timedelta(hours=1))
        while sweep():
            pass
        assert list(reconcile()) == []
        assert_sound()
    assert left_behind  # or nothing was interrupted
    assert Image.objects.exists()
    assert set(Image.objects.values_list("blob", flat=True)) == set(Blob.objects.values_list("pk", flat=True))
