"""Requests as the product answers them, timed in its own process. Runs in ``child``."""

from __future__ import annotations

import time
from statistics import median
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from datasets.models import Dataset, Study
from deepcap.accounts.models import User

from .rows import make_datasets, make_large_dataset, person, prepare
from .tables import nearest

WARM_UPS = 3
FEW = 10


def build(datasets: int, images: int) -> None:
    """Make one person with ten datasets, and one with ``datasets`` of which the newest has ``images`` images."""
    prepare()
    call_command("collectstatic", verbosity=0, interactive=False)
    make_datasets(person("few"), FEW)
    make_datasets(person("many"), datasets - 1)
    make_large_dataset(person("many"), images=images)


def addresses() -> list[tuple[str, str, str]]:
    """Return (what it is, who looks, path) of everything that is measured."""
    large = Dataset.objects.get(name="large")
    study = Study.objects.filter(dataset=large).order_by("-position")[0]
    small = Dataset.objects.filter(owner=person("few")).order_by("pk")[0]
    pages = -(-large.study_count // 50)
    listed = reverse("dataset-list")
    detail, of_small = reverse("dataset-detail", args=[large.pk]), reverse("dataset-detail", args=[small.pk])
    api_list, api_studies = reverse("api:dataset-list"), reverse("api:dataset-studies", args=[large.pk])
    before_last = f"{large.study_count - 50}.0"
    return [
        ("list page, 10 datasets", "few", listed),
        ("list page", "many", listed),
        ("list page, its last page", "many", f"{listed}?page=1000000"),
        ("list page, most studies first", "many", f"{listed}?ordering=-study_count"),
        ("list page, by name", "many", f"{listed}?ordering=name"),
        ("list page, search", "many", f"{listed}?search=dataset+99"),
        ("detail page, small dataset", "few", of_small),
        ("detail page, large dataset", "many", detail),
        ("detail page, grid in the middle", "many", f"{detail}?page={pages // 2}"),
        ("detail page, last page of the grid", "many", f"{detail}?page={pages}"),
        ("viewer, last study", "many", study.get_absolute_url()),
        ("API: datasets", "many", api_list),
        ("API: datasets, last page", "many", f"{api_list}?page={-(-Dataset.objects.count() // 50) - 1}"),
        ("API: studies of the large dataset", "many", api_studies),
        ("API: its last studies", "many", f"{api_studies}?cursor={before_last}"),
        ("API: images of a study", "many", reverse("api:study-images", args=[study.pk])),
    ]


def measure(rounds: int) -> list[dict[str, Any]]:
    """Visit every address ``rounds`` times in turn; return milliseconds to the first byte, queries and bytes."""
    clients = {user.username: sign_in(user) for user in User.objects.all()}
    visits = addresses()
    for _ in range(WARM_UPS):
        for _, who, path in visits:
            visit(clients[who], path)
    taken: list[list[dict[str, float]]] = [[] for _ in visits]
    for _ in range(rounds):
        for number, (_, who, path) in enumerate(visits):
            taken[number].append(visit(clients[who], path))
    return [
        {
            "title": title,
            "median": median(each["milliseconds"] for each in times),
            "p95": nearest([each["milliseconds"] for each in times], 0.95),
            "cpu": median(each["cpu"] for each in times),
            "queries": max(each["queries"] for each in times),
            "bytes": times[-1]["bytes"],
        }
        for (title, _, _), times in zip(visits, taken, strict=True)
    ]


def visit_list(times: int) -> list[float]:
    """Look at the list page of the person with many datasets; return milliseconds to the first byte."""
    client, path = sign_in(person("many")), reverse("dataset-list")
    return [visit(client, path)["milliseconds"] for _ in range(times)]


def visit(client: Client, path: str) -> dict[str, float]:
    """Ask for a path; the first byte is there when the view has returned. What is streamed is timed to its end."""
    queries = []

    def count(execute: Any, sql: str, parameters: Any, many: bool, context: Any) -> Any:
        queries.append(sql)
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(count):
        start, cpu = time.perf_counter(), time.process_time()
        response = client.get(path, HTTP_HOST="localhost")
        size = sum(map(len, response))
        taken, cpu = time.perf_counter() - start, time.process_time() - cpu
    if response.status_code != 200:
        raise RuntimeError(f"{path}: {response.status_code}")
    return {"milliseconds": taken * 1e3, "cpu": cpu * 1e3, "queries": len(queries), "bytes": size}


def sign_in(user: User) -> Client:
    """Return a client through which this person looks at pages."""
    client = Client()
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[0])
    return client
