"""An owner uses a name once; whoever comes second gets a number."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from datasets.models import Dataset, DatasetStatus
from datasets.services.datasets import NAME_LENGTH, clean_name, create_dataset, name_from_file, unique_name
from tests.builders import make_dataset

pytestmark = pytest.mark.django_db


def test_the_lowest_free_number_is_taken(user):
    for name in ("a", "a (2)", "a (4)", "ab"):
        make_dataset(user, name)
    assert create_dataset(owner=user, name="a").name == "a (3)"
    assert create_dataset(owner=user, name="a").name == "a (5)"
    assert create_dataset(owner=user, name="A").name == "A"


def test_the_name_of_a_dataset_that_is_being_deleted_is_free(user):
    make_dataset(user, "a", status=DatasetStatus.DELETING)
    assert create_dataset(owner=user, name="a").name == "a"


def test_a_long_name_makes_room_for_its_number(user):
    name = "x" * NAME_LENGTH
    made = [create_dataset(owner=user, name=name).name for _ in range(12)]
    assert made[1] == "x" * (NAME_LENGTH - 4) + " (2)"
    assert len(set(made)) == 12
    assert max(map(len, made)) == NAME_LENGTH


@pytest.mark.django_db(transaction=True)
@pytest.mark.postgres
def test_many_at_the_same_time_all_get_a_name_of_their_own(user):
    def make(_):
        try:
            return create_dataset(owner=user, name="a").name
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        made = set(pool.map(make, range(8)))
    assert made == {"a", *(f"a ({number})" for number in range(2, 9))}


@hypothesis_settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(filename=st.text(max_size=400))
def test_every_file_name_makes_a_name_that_the_database_takes(user, filename):
    name = name_from_file(filename)
    assert clean_name(name) == name
    assert unique_name(owner=user, name=name) == name
    dataset = create_dataset(owner=user, name=name)
    dataset.refresh_from_db()
    assert dataset.name == name
    Dataset.objects.all().delete()


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("C:\\Users\\me\\Brain MR.ZIP", "Brain MR"),
        ("a/b/c.dcm", "c"),
        ("no extension", "no extension"),
        ("tab\there.zip", "tab here"),
        ("/", "Dataset"),
        ("  .png", "Dataset"),
    ],
)
def test_a_name_is_the_files_without_folders_and_known_extension(filename, name):
    assert name_from_file(filename) == name
