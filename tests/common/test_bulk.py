# ruff: noqa: DJ008 - nobody prints these rows
"""Rows written past the ORM are the rows that the ORM would have written, on both databases."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.test.utils import CaptureQueriesContext, isolate_apps
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepcap.common.bulk import insert_rows, update_rows

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


class Colour(models.TextChoices):
    RED = "r", "red"
    GREEN = "g", "green"


class Size(models.IntegerChoices):
    SMALL = 1
    LARGE = 2


def make_table() -> type[models.Model]:
    class Leaf(models.Model):
        name = models.CharField(max_length=200)
        number = models.BigIntegerField(null=True)
        ratio = models.FloatField(null=True)
        document = models.JSONField(null=True)
        seen_at = models.DateTimeField(null=True)
        colour = models.CharField(max_length=1, choices=Colour.choices, default=Colour.GREEN)
        size = models.PositiveSmallIntegerField(choices=Size.choices, default=Size.SMALL)
        fallen = models.BooleanField(default=False)
        branch = models.ForeignKey("self", models.CASCADE, null=True)
        tags = models.JSONField(default=list)
        weight = models.FloatField(db_default=1.5)
        created_at = models.DateTimeField(auto_now_add=True)

        class Meta:
            app_label = "common"
            constraints = [models.UniqueConstraint(fields=["number"], name="leaf_numbers_are_unique")]

    return Leaf


@pytest.fixture(scope="module")
def _leaf(django_db_setup, django_db_blocker) -> Iterator[type[models.Model]]:
    with isolate_apps("deepcap.common"):
        table = make_table()
    with django_db_blocker.unblock():
        with connection.schema_editor() as schema:
            schema.create_model(table)
        yield table
        with connection.schema_editor() as schema:
            schema.delete_model(table)


@pytest.fixture
def leaf(_leaf, db) -> Iterator[type[models.Model]]:
    yield _leaf
    _leaf.objects.all()._raw_delete(connection.alias)


TEXT = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=50)
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
DOCUMENTS = st.recursive(
    st.booleans() | st.integers(-(2**53), 2**53) | st.floats(-1e9, 1e9).filter(math.isfinite) | TEXT,
    lambda inner: st.lists(inner | st.none(), max_size=3) | st.dictionaries(TEXT, inner | st.none(), max_size=3),
    max_leaves=8,
)
FIELDS = ("name", "ratio", "document", "seen_at", "colour", "size", "fallen", "tags")
ROWS = st.lists(
    st.tuples(
        TEXT,
        st.none() | NUMBERS,
        st.none() | DOCUMENTS,
        st.none() | st.datetimes(timezones=st.just(UTC), allow_imaginary=False),
        st.sampled_from(Colour) | st.sampled_from(Colour.values),
        st.sampled_from(Size) | st.sampled_from(Size.values),
        st.booleans(),
        st.lists(TEXT, max_size=3),
    ),
    max_size=8,
)


def stored(leaf: type[models.Model]) -> list[tuple[Any, ...]]:
    return list(leaf.objects.order_by("pk").values_list(*FIELDS))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(rows=ROWS)
def test_rows_are_those_that_the_orm_writes(leaf, rows):
    leaf.objects.all()._raw_delete(connection.alias)
    leaf.objects.bulk_create(leaf(**dict(zip(FIELDS, row, strict=True))) for row in rows)
    expected = stored(leaf)
    leaf.objects.all()._raw_delete(connection.alias)

    insert_rows(leaf, FIELDS, iter(rows))

    assert stored(leaf) == expected == [tuple(row) for row in rows]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(rows=ROWS)
def test_columns_are_set_as_the_orm_sets_them(leaf, rows):
    leaf.objects.all()._raw_delete(connection.alias)
    insert_rows(leaf, ["name", "document"], [("as it was", {"as": "it was"})] * len(rows))
    keys = list(leaf.objects.order_by("pk").values_list("pk", flat=True))

    update_rows(leaf, ((pk, dict(zip(FIELDS, row, strict=True))) for pk, row in zip(keys, rows, strict=True)))

    assert stored(leaf) == [tuple(row) for row in rows]


def test_no_value_in_a_json_column_is_null_and_not_the_json_null(leaf):
    insert_rows(leaf, ["name", "document"], [("nothing", None), ("empty", []), ("text", "null")])

    assert list(leaf.objects.filter(document__isnull=True).values_list("name", flat=True)) == ["nothing"]
    assert leaf.objects.get(name="text").document == "null"


def test_fields_that_are_not_named_have_their_defaults(leaf):
    before = timezone.now()

    insert_rows(leaf, ["name", "branch_id"], [["one", None], ["two", None]])

    first, second = leaf.objects.order_by("pk")
    assert (first.colour, first.size, first.fallen, first.tags, first.weight) == ("g", 1, False, [], 1.5)
    assert (first.number, first.document, first.seen_at) == (None, None, None)
    assert before <= first.created_at <= timezone.now() < before + timedelta(minutes=5)
    assert second.created_at == first.created_at


def test_keys_are_given_by_either_name_and_are_checked(leaf):
    root = leaf.objects.create(name="root")
    insert_rows(leaf, ["name", "branch"], [("one", root.pk)])
    insert_rows(leaf, ["name", "branch_id"], [("two", root.pk)])

    assert leaf.objects.filter(branch=root).count() == 2
    with pytest.raises(IntegrityError), transaction.atomic():
        insert_rows(leaf, ["name", "branch"], [("three", root.pk + 100)])
        connection.check_constraints()
    assert leaf.objects.count() == 3


@pytest.mark.parametrize("within", [False, True])
def test_of_rows_of_which_one_is_refused_none_is_there(leaf, within):
    insert_rows(leaf, ["name", "number"], [("old", 7)])

    with pytest.raises(IntegrityError):
        if within:
            with transaction.atomic():
                insert_rows(leaf, ["name", "number"], [("new", 1), ("refused", 7), ("new", 2)])
        else:
            insert_rows(leaf, ["name", "number"], [("new", 1), ("refused", 7), ("new", 2)])

    assert list(leaf.objects.values_list("name", "number")) == [("old", 7)]


def test_conflicts_can_be_left_out(leaf):
    insert_rows(leaf, ["name", "number"], [("old", 7)])

    insert_rows(leaf, ["name", "number"], [("new", 1), ("refused", 7), ("new", 2)], ignore_conflicts=True)

    assert set(leaf.objects.values_list("name", "number")) == {("old", 7), ("new", 1), ("new", 2)}


def test_what_a_text_column_cannot_hold_is_an_error_and_no_row(leaf):
    class Name(str):
        pass

    insert_rows(leaf, ["name", "number"], [(Name("kept"), 2**40)])
    with pytest.raises(IntegrityError):
        insert_rows(leaf, ["name", "number"], [(None, 1)])

    assert list(leaf.objects.values_list("name", "number")) == [("kept", 2**40)]


@pytest.mark.parametrize("count", [0, 1, 3_000])
def test_many_rows_are_one_statement(leaf, count):
    with CaptureQueriesContext(connection) as statements:
        insert_rows(leaf, ["name", "number"], ((str(number), number) for number in range(count)))

    told = [each["sql"] for each in statements if not each["sql"].startswith(("BEGIN", "COMMIT"))]
    assert len(told) <= 1
    assert leaf.objects.count() == count
