"""Pages whose keys are sorted first."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Group
from django.core.paginator import EmptyPage, Paginator
from django.db import connection
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Length
from django.test.utils import CaptureQueriesContext

from deepcap.common.paging import KeysFirstPaginator

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]


@pytest.fixture
def groups():
    Group.objects.bulk_create(Group(name="x" * (number % 4 + 1) + str(number)) for number in range(11))
    before = Group.objects.filter(pk__lt=OuterRef("pk")).order_by().values(one=Length("name") * 0)
    ahead = before.annotate(n=Count("pk")).values("n")
    return Group.objects.annotate(ahead=Subquery(ahead)).order_by(Length("name").desc(), "pk")


@pytest.mark.parametrize("per_page", [1, 3, 11, 20])
def test_pages_are_those_of_a_plain_paginator(groups, per_page):
    ours, plain = KeysFirstPaginator(groups, per_page), Paginator(groups, per_page)
    assert ours.num_pages == plain.num_pages
    for number in plain.page_range:
        found, expected = list(ours.page(number)), list(plain.page(number))
        assert [(row.pk, row.ahead) for row in found] == [(row.pk, row.ahead) for row in expected]


def test_what_a_row_is_annotated_with_is_worked_out_for_the_page_alone(groups):
    paginator = KeysFirstPaginator(groups, 3)
    assert paginator.count == 11
    with CaptureQueriesContext(connection) as captured:
        list(paginator.page(4))
    keys, rows = (query["sql"] for query in captured)
    assert "OFFSET" in keys
    assert "COUNT" not in keys
    assert "COUNT" in rows
    assert "OFFSET" not in rows


def test_a_page_that_is_not_there_is_none(groups):
    with pytest.raises(EmptyPage):
        KeysFirstPaginator(groups, 3).page(5)
    assert list(KeysFirstPaginator(Group.objects.none().order_by("pk"), 3).page(1)) == []
