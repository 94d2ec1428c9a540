"""Ingests and deletions of the same few digests at the same time: no image loses its bytes, no bytes are left over."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from datasets.blobs.sweep import drain_removals, settle_candidates, sweep
from datasets.models import Blob, Image, StorageRemoval, VaultCandidate, WriteIntent
from tests.blobs.vault import assert_sound, digest, erase, ingest, make_study

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]

CONTENTS = [b"content %d" % number for number in range(6)]
BATCHES_OF_A_WRITER = 25


@pytest.mark.parametrize("seed", range(3))
def test_ingests_and_deletions_of_the_same_bytes_lose_nothing_and_leave_nothing(seed):
    writers, studies = 3, [make_study() for _ in range(3)]
    ingested = [0] * writers

    def write(number):
        choice = random.Random(f"{seed} {number}")
        for batch in range(BATCHES_OF_A_WRITER):
            contents = choice.sample(CONTENTS, choice.randint(1, 4))
            ingested[number] += len(ingest(studies[number], contents, path=f"{batch}"))

    def remove(number):
        choice = random.Random(f"{seed} remover {number}")
        while not all_written.is_set():
            pks = list(Image.objects.values_list("pk", flat=True))
            erase(Image.objects.filter(pk__in=choice.sample(pks, len(pks) * 3 // 4)))
            settle_candidates(limit=choice.choice([1, 3, 2000]))
            drain_removals(limit=choice.choice([1, 1000]))

    def closing(job, number):
        try:
            job(number)
        finally:
            connection.close()

    all_written = threading.Event()
    with ThreadPoolExecutor(writers + 2) as pool:
        removers = [pool.submit(closing, remove, number) for number in range(2)]
        jobs = [pool.submit(closing, write, number) for number in range(writers)]
        try:
            for job in jobs:
                job.result()
        finally:
            all_written.set()
        for remover in removers:
            remover.result()

    while sweep():
        pass
    assert min(ingested) >= BATCHES_OF_A_WRITER
    assert {digest(data) for data in CONTENTS} >= set(Blob.objects.values_list("digest", flat=True))
    assert set(Image.objects.values_list("blob", flat=True)) == set(Blob.objects.values_list("pk", flat=True))
    assert not WriteIntent.objects.exists()
    assert not VaultCandidate.objects.exists()
    assert not StorageRemoval.objects.exists()
    assert_sound()
