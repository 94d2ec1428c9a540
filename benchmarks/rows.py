"""Many rows, fast: one row made by the ORM and multiplied by the database itself. Runs in ``child``."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from django.core.management import call_command
from django.db import connection, models, transaction
from django.utils import timezone

from datasets.models import Blob, Dataset, DatasetStatus, Image, Series, Study
from deepcap.accounts.models import User

ROWS_AT_ONCE = 100_000
LONG_AGO = timedelta(days=30)
PER_STUDY = 20
PIXELS = {"format": "DICOM", "width": 512, "height": 512, "bits_stored": 12}


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
    blob = _first_blob(dataset)
    study = Study.objects.create(dataset=dataset, key=path_of(0), name=path_of(0))
    image = Image.objects.create(dataset=dataset, study=study, blob=blob, path=path_of(0), **PIXELS)
    Study.objects.filter(pk=study.pk).update(cover=image)
    rest = images - 1
    multiply_blobs(blob, rest, dataset)
    path = {"path": numbered_path()}
    with transaction.atomic():  # studies come before their covers: keys are checked at the end
        multiply(
            study, rest, {"key": path["path"], "name": path["path"], "position": "n", "cover_id": f"{image.pk} + n"}
        )
        multiply(image, rest, {"study_id": f"{study.pk} + n", "blob_id": f"{blob.pk} + n", **path})
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return dataset


def make_dicom_dataset(owner: User, *, images: int, like: Dataset, shared: int) -> Dataset:
    """Make an available dataset "second" of DICOM studies of 20 images in one series each, with the paths of ``like``.

    One image in ``shared`` has the bytes of the image of ``like`` that has the same path.
    """
    studies = images // PER_STUDY
    dataset = Dataset.objects.get(pk=like.pk)
    dataset.pk, dataset.name, dataset.study_count = None, "second", studies
    dataset.save(force_insert=True)
    blob = _first_blob(dataset)
    multiply_blobs(blob, images - 1, dataset)
    study = Study.objects.create(
        dataset=dataset, key="1.2.0", name="1.2.0", study_instance_uid="1.2.0", modality="CT", image_count=PER_STUDY
    )
    series = Series.objects.create(study=study, series_instance_uid="1.2.0.1", series_number=1, modality="CT")
    values = {"series": series, "blob": blob, "path": path_of(0), "instance_number": 0, **PIXELS}
    image = Image.objects.create(dataset=dataset, study=study, **values)
    Study.objects.filter(pk=study.pk).update(cover=image)
    study.cover = image
    uid = _joined("'1.2.'", "n")
    changes = {"key": uid, "name": uid, "study_instance_uid": uid, "position": "n"}
    first_shared = Blob.objects.filter(images__dataset=like).order_by("pk")[0].pk
    number = f"n / {PER_STUDY}"
    with transaction.atomic():
        multiply(study, studies - 1, changes | {"cover_id": f"{image.pk} + n * {PER_STUDY}"})
        multiply(series, studies - 1, {"study_id": f"{study.pk} + n"})
        changes = {
            "study_id": f"{study.pk} + {number}",
            "series_id": f"{series.pk} + {number}",
            "position": f"n % {PER_STUDY}",
            "instance_number": f"n % {PER_STUDY}",
            "path": numbered_path(),
            "blob_id": f"CASE WHEN n % {shared} = 0 THEN {first_shared} + n ELSE {blob.pk} + n END",
        }
        multiply(image, images - 1, changes)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return dataset


def _first_blob(dataset: Dataset) -> Blob:
    return Blob.objects.create(
        digest=f"{dataset.pk:032d}{0:032d}",
        size=1000,
        stem=f"blobs/{dataset.pk:08d}/{0:012d}",
        has_thumbnail=True,
        touched_at=timezone.now() - LONG_AGO,
    )


def multiply_blobs(blob: Blob, count: int, dataset: Dataset) -> None:
    digest = _joined(f"'{dataset.pk:032d}'", _padded(32))
    multiply(blob, count, {"digest": digest, "stem": _joined(f"'blobs/{dataset.pk:08d}/'", _padded(12))})


def numbered_path() -> str:
    """Return SQL for :func:`path_of` of n."""
    return _joined("'series/'", _padded(7), "'.dcm'")


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
    if connection.vendor == "postgresql":  # what the copies refer to is there; asking for each of them takes as long
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
    for start in range(1, count + 1, ROWS_AT_ONCE):
        end = min(start + ROWS_AT_ONCE - 1, count)
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {table} ({names}) SELECT {select} FROM {table}, {_numbers(start, end)}"
                f" WHERE {table}.{quote(key)} = {row.pk} ORDER BY n"
            )
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("RESET session_replication_role")
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
