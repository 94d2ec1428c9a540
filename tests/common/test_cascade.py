# ruff: noqa: DJ008 - nobody prints these rows
"""Counting and erasing what hangs under a row, in tables of the tests' own that no room knows of."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import IntegrityError, connection, models, transaction
from django.test.utils import CaptureQueriesContext, isolate_apps
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepcap.common import cascade

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgres]


def make_tables() -> SimpleNamespace:
    """A library: every shape of reference that can occur, on tables nobody has thought of before."""

    class Base(models.Model):
        class Meta:
            abstract = True
            app_label = "common"

    class Topic(Base):
        name = models.CharField(max_length=10)

    class Library(Base):
        pass

    class Address(Base):
        library = models.OneToOneField(Library, models.CASCADE)

    class Shelf(Base):
        library = models.ForeignKey(Library, models.CASCADE)
        cover = models.ForeignKey("Book", models.SET_NULL, null=True, related_name="+")

    class Book(Base):
        library = models.ForeignKey(Library, models.CASCADE)
        shelf = models.ForeignKey(Shelf, models.CASCADE, null=True)
        topics = models.ManyToManyField(Topic)

    class Chapter(Base):
        book = models.ForeignKey(Book, models.CASCADE)
        parent = models.ForeignKey("self", models.CASCADE, null=True)
        see_also = models.ForeignKey("self", models.SET_NULL, null=True, related_name="+")

    class Footnote(Base):
        chapter = models.ForeignKey(Chapter, models.CASCADE)

    class Reader(Base):
        favourite = models.ForeignKey(Book, models.SET_NULL, null=True)

    class Loan(Base):
        book = models.ForeignKey(Book, models.PROTECT)
        library = models.ForeignKey(Library, models.CASCADE, null=True)

    return SimpleNamespace(**{name: value for name, value in locals().items() if name != "Base"})


@pytest.fixture(scope="module")
def _tables(django_db_setup, django_db_blocker) -> Iterator[SimpleNamespace]:
    with isolate_apps("deepcap.common"):
        tables = make_tables()
    with django_db_blocker.unblock():
        # Without constraints while it works: SQLite allows no other way to alter the schema.
        with connection.schema_editor() as schema:
            for table in vars(tables).values():
                schema.create_model(table)
        yield tables
        with connection.schema_editor() as schema:
            for table in reversed(vars(tables).values()):
                schema.delete_model(table)


@pytest.fixture
def tables(_tables, db) -> Iterator[SimpleNamespace]:
    yield _tables
    clear(_tables)


def clear(tables: SimpleNamespace) -> None:
    with transaction.atomic(), connection.constraint_checks_disabled():
        for table in all_tables(tables):
            table.objects.all()._raw_delete(connection.alias)


def all_tables(tables: SimpleNamespace) -> list[type[models.Model]]:
    return [*vars(tables).values(), tables.Book.topics.through]


def rows(tables: SimpleNamespace) -> dict[str, int]:
    counts = {table._meta.label: table.objects.count() for table in all_tables(tables)}
    return {label: count for label, count in counts.items() if count}


class Ledger(cascade.Witness):
    """Adds up what is gone, and remembers the largest batch."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.largest = 0

    def before(self, table: type[models.Model], pks: list[Any]) -> None:
        assert not connection.in_atomic_block
        self.largest = max(self.largest, len(pks))

    def going(self, table: type[models.Model], pks: list[Any]) -> None:
        assert connection.in_atomic_block

    def gone(self, table: type[models.Model], count: int) -> None:
        if count:
            self.counts[table._meta.label] = self.counts.get(table._meta.label, 0) + count


def furnish(tables: SimpleNamespace, *, books: int) -> models.Model:
    """A library with something in every table."""
    library = tables.Library.objects.create()
    topic = tables.Topic.objects.create(name="anatomy")
    tables.Address.objects.create(library=library)
    shelf = tables.Shelf.objects.create(library=library)
    made = tables.Book.objects.bulk_create(tables.Book(library=library, shelf=shelf) for _ in range(books))
    chapters = tables.Chapter.objects.bulk_create(tables.Chapter(book=book) for book in made for _ in range(2))
    tables.Footnote.objects.bulk_create(tables.Footnote(chapter=chapter) for chapter in chapters)
    tables.Chapter.objects.create(book=made[0], parent=chapters[-1], see_also=chapters[0])
    tables.Reader.objects.create(favourite=made[0])
    tables.Loan.objects.create(book=made[0], library=library)
    made[0].topics.add(topic)
    shelf.cover = made[-1]
    shelf.save()
    return library


def test_everything_under_a_row_goes_and_nothing_else(tables):
    kept = furnish(tables, books=3)
    before = rows(tables)
    library = furnish(tables, books=5)
    counted = cascade.count(library)
    ledger = Ledger()

    cascade.erase(library, witness=ledger)

    assert ledger.counts == counted
    assert counted == {
        "common.Library": 1,
        "common.Address": 1,
        "common.Shelf": 1,
        "common.Book": 5,
        "common.Chapter": 11,
        "common.Footnote": 10,
        "common.Loan": 1,
        "common.Book_topics": 1,
    }
    assert rows(tables) == {**before, "common.Reader": 2, "common.Topic": 2}
    assert tables.Reader.objects.filter(favourite=None).count() == 1
    assert tables.Shelf.objects.get(library=kept).cover_id is not None


def test_counting_can_be_restricted_to_tables_of_interest(tables):
    library = furnish(tables, books=2)

    assert cascade.count(library, only=[tables.Footnote]) == {"common.Footnote": 4}
    assert cascade.count(library, only=[]) == {}


def test_all_tables_are_counted_by_one_statement(tables):
    library = furnish(tables, books=2)

    with CaptureQueriesContext(connection) as queries:
        cascade.count(library)

    assert len(queries) == 1


def test_a_row_reached_by_one_of_two_paths_goes_once(tables):
    library, other = tables.Library.objects.create(), tables.Library.objects.create()
    shelf = tables.Shelf.objects.create(library=library)
    tables.Book.objects.create(library=other, shelf=shelf)  # by its shelf only
    tables.Book.objects.create(library=library)  # by its library only
    tables.Book.objects.create(library=library, shelf=shelf)  # by both
    staying = tables.Book.objects.create(library=other)
    ledger = Ledger()

    assert cascade.count(library)["common.Book"] == 3
    cascade.erase(library, witness=ledger)

    assert ledger.counts["common.Book"] == 3
    assert list(tables.Book.objects.all()) == [staying]


def test_rows_that_point_at_each_other_in_a_circle_go_together(tables):
    library = tables.Library.objects.create()
    book = tables.Book.objects.create(library=library)
    first = tables.Chapter.objects.create(book=book)
    second = tables.Chapter.objects.create(book=book, parent=first)
    tables.Chapter.objects.filter(pk=first.pk).update(parent=second, see_also=first)
    ledger = Ledger()

    assert cascade.count(first) == {"common.Chapter": 2}
    cascade.erase(first, witness=ledger)

    assert ledger.counts == {"common.Chapter": 2}


def test_a_row_that_must_not_go_along_forbids_it_and_is_named(tables):
    library = furnish(tables, books=2)
    book = tables.Book.objects.filter(library=library).first()
    assert cascade.protected(library) == {}

    tables.Loan.objects.create(book=book)

    assert cascade.protected(library) == {"common.Loan": 1}
    assert cascade.protected(book) == {"common.Loan": 2}
    with pytest.raises(cascade.Protected):
        cascade.erase(library, witness=cascade.Witness())
    assert tables.Book.objects.filter(pk=book.pk).exists()


def test_no_transaction_holds_more_than_a_batch(tables, monkeypatch):
    monkeypatch.setattr(cascade, "ROWS_PER_TRANSACTION", 10)
    monkeypatch.setattr(cascade, "IDS_PER_QUERY", 25)
    library = furnish(tables, books=73)
    counted = cascade.count(library)
    ledger = Ledger()

    cascade.erase(library, witness=ledger)

    assert ledger.largest == 10
    assert ledger.counts == counted


@pytest.mark.parametrize("fail_at", range(0, 40, 3))
def test_what_was_interrupted_anywhere_is_finished_by_calling_it_again(tables, monkeypatch, fail_at):
    class Interrupted(Exception):
        pass

    class Saboteur(Ledger):
        calls = 0

        def gone(self, table: type[models.Model], count: int) -> None:
            self.calls += 1
            if self.calls == fail_at + 1:
                raise Interrupted
            super().gone(table, count)

    monkeypatch.setattr(cascade, "ROWS_PER_TRANSACTION", 4)
    furnish(tables, books=2)
    others = rows(tables)
    library = furnish(tables, books=9)
    counted = cascade.count(library)
    saboteur = Saboteur()

    try:
        cascade.erase(library, witness=saboteur)
    except Interrupted:
        cascade.erase(library, witness=saboteur)

    assert saboteur.counts == counted
    assert rows(tables) == {**others, "common.Reader": 2, "common.Topic": 2}


def test_erasing_what_is_gone_does_nothing(tables):
    library = furnish(tables, books=2)
    cascade.erase(library, witness=cascade.Witness())
    ledger = Ledger()

    cascade.erase(library, witness=ledger)

    assert ledger.counts == {}


def test_a_row_added_under_the_feet_of_the_erasure_is_found_by_the_next_one(tables):
    class Latecomer(Ledger):
        def before(self, table: type[models.Model], pks: list[Any]) -> None:
            if table is tables.Library and not self.counts.get("common.Late"):
                self.counts["common.Late"] = 1
                tables.Book.objects.create(library=library)

    library = furnish(tables, books=1)
    latecomer = Latecomer()

    with pytest.raises(IntegrityError):
        cascade.erase(library, witness=latecomer)
    cascade.erase(library, witness=latecomer)

    assert not tables.Library.objects.exists()


def test_statements_do_not_grow_with_rows_beyond_the_batches(tables, monkeypatch):
    monkeypatch.setattr(cascade, "ROWS_PER_TRANSACTION", 50)

    def queries_for(books: int) -> int:
        library = tables.Library.objects.create()
        tables.Book.objects.bulk_create(tables.Book(library=library) for _ in range(books))
        with CaptureQueriesContext(connection) as queries:
            cascade.erase(library, witness=cascade.Witness())
        return len(queries)

    one, two, five = queries_for(50), queries_for(100), queries_for(250)

    assert two - one == (five - two) / 3
    assert queries_for(3) == one


@isolate_apps("deepcap.common")
def test_tables_that_hang_under_each_other_are_a_mistake_that_is_named():
    class Hen(models.Model):
        egg = models.ForeignKey("Egg", models.CASCADE)

        class Meta:
            app_label = "common"

    class Egg(models.Model):
        hen = models.ForeignKey(Hen, models.CASCADE)

        class Meta:
            app_label = "common"

    with pytest.raises(ImproperlyConfigured, match=r"common\.Egg, common\.Hen"):
        cascade.Graph(Hen)


@isolate_apps("deepcap.common")
def test_a_reference_whose_end_is_not_defined_is_a_mistake_that_is_named():
    class Hen(models.Model):
        class Meta:
            app_label = "common"

    class Egg(models.Model):
        hen = models.ForeignKey(Hen, models.SET_DEFAULT, default=1)

        class Meta:
            app_label = "common"

    with pytest.raises(ImproperlyConfigured, match=r"common\.Egg\.hen"):
        cascade.Graph(Hen)
    assert cascade.Graph(Egg).tables == [Egg]


small = st.integers(0, 3)
library_plans = st.fixed_dictionaries(
    {
        "shelves": st.lists(small, max_size=4),  # of which library
        "books": st.lists(st.tuples(small, st.none() | small), max_size=12),  # in which library, on which shelf
        "chapters": st.lists(st.tuples(small, st.none() | small, st.none() | small), max_size=12),
        "covers": st.lists(small, max_size=4),
    }
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=library_plans, batch=st.integers(1, 5))
def test_what_was_counted_is_what_goes_whatever_points_where(tables, plan, batch):
    """References at random, across libraries too: one path or several, circles, shelves whose cover is elsewhere."""
    clear(tables)
    libraries = [tables.Library.objects.create() for _ in range(4)]
    shelves = [tables.Shelf.objects.create(library=libraries[n]) for n in plan["shelves"]]
    books = [tables.Book.objects.create(library=libraries[n], shelf=pick(shelves, shelf)) for n, shelf in plan["books"]]
    chapters: list[models.Model] = []
    for number, parent, see_also in plan["chapters"] if books else ():
        chapters.append(
            tables.Chapter.objects.create(
                book=pick(books, number), parent=pick(chapters, parent), see_also=pick(chapters, see_also)
            )
        )
    for shelf, cover in zip(shelves, plan["covers"], strict=False):
        tables.Shelf.objects.filter(pk=shelf.pk).update(cover=pick(books, cover))
    before, counted = rows(tables), cascade.count(libraries[0])
    ledger = Ledger()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cascade, "ROWS_PER_TRANSACTION", batch)
        patch.setattr(cascade, "IDS_PER_QUERY", batch + 1)
        cascade.erase(libraries[0], witness=ledger)

    assert ledger.counts == counted
    left = {label: count - counted.get(label, 0) for label, count in before.items()}
    assert rows(tables) == {label: count for label, count in left.items() if count}


def pick(made: list[models.Model], number: int | None) -> models.Model | None:
    return made[number % len(made)] if made and number is not None else None
