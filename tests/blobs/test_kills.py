"""A process that is killed at any line leaves nothing that the sweep does not clear up."""

import os
import subprocess
import sys
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

KILLS = 30
LINES = 5_000  # a round of the work below executes about half as many
WORKSHOP = f"""
import os, random, signal, sys
import django

django.setup()

from datasets.blobs.sweep import sweep
from datasets.models import Image, Study
from tests.blobs.vault import erase, ingest

WATCHED = ("/datasets/blobs/", "/tests/blobs/vault.py", "/django/db/transaction.py")


def work(study, choice):
    while True:
        for batch in range(2):
            contents = [b"content %d" % choice.randrange(40) for _ in range(8)]
            ingest(study, contents, path=f"{{choice.random()}}")
        pks = list(Image.objects.values_list("pk", flat=True))
        erase(Image.objects.filter(pk__in=choice.sample(pks, len(pks) // 2)))
        sweep()


def die_after(lines):
    '''Kill this process when it has executed so many lines of the vault and of transactions.'''

    def trace(frame, event, argument):
        nonlocal lines
        if not any(part in frame.f_code.co_filename for part in WATCHED):
            return None
        lines -= event == "line"
        if lines == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)


for seed in sys.stdin:
    if (pid := os.fork()) == 0:
        choice, study = random.Random(seed), Study.objects.get(pk=int(sys.argv[1]))
        die_after(choice.randint(1, {LINES}))
        work(study, choice)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)
"""


@pytest.fixture
def kill_a_worker(tmp_path, settings):
    """Give a function that lets a process ingest, delete and sweep in this test's database and vault, and die of it."""
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

        def kill(seed):
            print(seed, file=workshop.stdin, flush=True)
            assert workshop.stdout.readline() == "-9\n"

        yield kill
        workshop.stdin.close()


def test_killed_processes_leave_nothing_after_the_sweep(kill_a_worker):
    left_behind = set()
    for seed in range(KILLS):
        kill_a_worker(seed)
        assert list(reconcile()) == []  # what an open intent or an ordered removal covers is accounted for
        left_behind |= {model for model in (WriteIntent, VaultCandidate, StorageRemoval) if model.objects.exists()}

        WriteIntent.objects.update(expires_at=timezone.now() - timedelta(hours=1))
        while sweep():
            pass
        assert list(reconcile()) == []
        assert_sound()
        assert set(Image.objects.values_list("blob", flat=True)) == set(Blob.objects.values_list("pk", flat=True))
    assert left_behind == {WriteIntent, VaultCandidate, StorageRemoval}  # each was interrupted at some time
