"""Many rows, fast: one row made by the ORM and multiplied by the database itself. Runs in ``child``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from django.core.management import call_command
from django.db import connection, models
from django.utils import timezone

from datasets.models import Blob, Dataset, DatasetStatus, Image, Study
from deepcap.accounts.models import User

ROWS_AT_ONCE = 100_000
LONG_AGO = timedelta(days=30)


def prepare() -> None:
    """Make the tables."""
    call_command("migrate", verbosity=0)


def person(name: str) -> User:
    return User.objects.get_or_create(username=name)[0]


def make_datasets(owner: User, count: int) -> None:
    """Make ``count`` datasets with a study each in the counters, none of them under way."""
    template = Dataset.objects.create(
        owner=owner,
        name="dataset 0",
        status=DatasetStatus.AVAILABLE,
        image_format="DICOM",
        study_count=1,
        image_count=1,
        published_at=timezone.now(),
    )
    multiply(template, count - 1, {"name": _joined("'dataset '", "n"), "study_count": "n % 100 + 1"})


def make_large_dataset(owner: User, *, images: int, name: str = "large") -> Dataset:
    """Make an available dataset of ``images`` studies of one image each, over as many blobs without objects."""
    now = timezone.now()
    dataset = Dataset.objects.create(
        owner=owner,
        name=name,
        status=DatasetStatus.AVAILABLE,
        image_format="DICOM",
        study_count=images,
        image_count=images,
        size_bytes=1000 * images,
        published_at=now,
    )
    blob = Blob.objects.create(
        digest=f"{dataset.pk:032d}{0:032d}",
        size=1000,
        stem=f"blobs/{dataset.pk:08d}/{0:012d}",
        has_thumbnail=True,
        touched_at=now - LONG_AGO,
    )
    study = Study.objects.create(dataset=dataset, key=path_of(0), name=path_of(0))
    pixels = {"format": "DICOM", "width": 512, "height": 512, "bits_stored": 12}
    image = Image.objects.create(dataset=dataset, study=study, blob=blob, path=path_of(0), **pixels)
    Study.objects.filter(pk=study.pk).update(cover=image)
    study.cover = image
    rest = images - 1
    digest = _joined(f"'{dataset.pk:032d}'", _padded(32))
    multiply(blob, rest, {"digest": digest, "stem": _joined(f"'blobs/{dataset.pk:08d}/'", _padded(12))})
    path = _joined("'series/'", _padded(7), "'.dcm'")
    multiply(study, rest, {"key": path, "name": path, "position": "n", "cover_id": "NULL"})
    multiply(image, rest, {"study_id": f"{study.pk} + n", "blob_id": f"{blob.pk} + n", "path": path})
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE datasets_study SET cover_id = id - %s + %s WHERE dataset_id = %s AND cover_id IS NULL",
            [study.pk, image.pk, dataset.pk],
        )
        cursor.execute("ANALYZE")
    return dataset


def multiply(row: models.Model, count: int, changes: Mapping[str, str]) -> None:
    """Insert ``count`` copies of a row, numbered n = 1, 2, …; ``changes`` gives columns as SQL that may speak of n.

    Nobody else may write to the table: the copies' keys are those that follow the row's own, in order.
    """
    quote = connection.ops.quote_name
    key = row._meta.pk.column
    columns = [field.column for field in row._meta.local_concrete_fields if field.column != key]
    select = ", ".join(changes.get(column, quote(column)) for column in columns)
    names = ", ".join(map(quote, columns))
    table = quote(row._meta.db_table)
    for start in range(1, count + 1, ROWS_AT_ONCE):
        end = min(start + ROWS_AT_ONCE - 1, count)
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} ({names}) SELECT {select} FROM {table}, {_numbers(start, end)}"
                f" WHERE {table}.{quote(key)} = {row.pk} ORDER BY n"
            )
    if type(row)._base_manager.order_by("pk").last().pk != row.pk + count:
        raise RuntimeError(f"The keys of {table} have gaps.")


def _numbers(start: int, end: int) -> str:
    if connection.vendor == "postgresql":
        return f"generate_series({start}, {end}) AS numbers(n)"
    return (
        f"(WITH RECURSIVE numbers(n) AS (SELECT {start} UNION ALL SELECT n + 1 FROM numbers WHERE n < {end})"
        " SELECT n FROM numbers) AS numbers"
    )


def path_of(number: int) -> str:
    """Return the path of an image of a large dataset."""
    return f"series/{number:07d}.dcm"


def _padded(width: int) -> str:
    """Return SQL for n with leading zeros."""
    if connection.vendor == "postgresql":
        return f"lpad(n::text, {width}, '0')"
    return f"printf('%0{width}d', n)"


def _joined(*parts: str) -> str:
    return f"({' || '.join(parts)})"
