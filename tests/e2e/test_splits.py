"""What people do to train: divide annotation data, see what leaks, save, download, train; and compare two datasets."""

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from annotations.combine.work import run as run_combination
from annotations.models import Split
from datasets.models import Dataset, Study
from tests.annotations.combine.world import dataset_of, single
from usage.models import TrainingTask

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture
def data(user):
    """Twenty studies of ten patients."""
    dataset = dataset_of(user, "Chest", range(20))
    for study in Study.objects.filter(dataset=dataset):
        Study.objects.filter(pk=study.pk).update(patient_key=f"patient {study.position // 2}")
    return single(dataset, *["normal", "normal", "Covid", "normal"] * 5)


def test_annotation_data_are_divided_and_trained_on(console: Page, live_server, data):
    console.goto(f"{live_server.url}{data.get_absolute_url()}")
    card = console.locator("#splits")
    expect(card).to_contain_text("There is no split yet.")
    card.get_by_role("link", name="New split").click()

    leaks = console.locator("#split-leaks")
    expect(leaks).to_have_text(re.compile("No patient"))
    expect(console.locator("#split-table tfoot")).to_have_text(re.compile("All studies\\s*14 70.0%\\s*"))
    console.get_by_label("Keep studies of a patient").uncheck()
    expect(leaks).to_contain_text("are in several parts.")
    expect(leaks.locator("li").first).to_contain_text("(")
    console.get_by_label("Validation").fill("0")
    console.get_by_label("Test", exact=True).fill("30")
    console.get_by_label("Test", exact=True).press("Tab")
    expect(console.locator("#split-table thead th")).to_have_count(4)
    console.get_by_label("Keep studies of a patient").check()
    expect(leaks).to_have_text(re.compile("No patient"))
    console.get_by_role("textbox", name="Name", exact=True).fill("For the paper")
    console.get_by_role("button", name="Save split").click()

    row = card.get_by_role("row", name="For the paper")
    expect(row).to_contain_text("train 14, test 6")
    split = Split.objects.get()
    assert split.members.count() == 20

    row.get_by_role("button", name="Options of For the paper").click()
    console.get_by_role("menuitem", name="Download…").click()
    dialog = console.get_by_role("dialog")
    dialog.get_by_label("Part").select_option("test")
    with console.expect_download() as download:
        dialog.get_by_role("button", name="Download").click()
    assert download.value.suggested_filename.endswith("-test.csv")
    rows = list(csv.reader(Path(download.value.path()).read_text().splitlines()))
    assert {name for name, _label in rows} == set(split.members.filter(part=1).values_list("study__name", flat=True))
    dialog.get_by_role("button", name="Close").first.click()

    row.get_by_role("button", name="Options of For the paper").click()
    console.get_by_role("menuitem", name="Start training…").click()
    expect(console.locator("#id_split")).to_have_value(str(split.pk))
    console.get_by_role("button", name="Start training").click()
    expect(console.get_by_role("link", name="For the paper")).to_be_visible()
    assert TrainingTask.objects.get().split == split

    console.get_by_role("link", name="For the paper").click()
    expect(console.locator("#split-report")).to_contain_text("20 studies")
    console.get_by_role("button", name="Options", exact=True).click()
    console.get_by_role("menuitem", name="Delete…").click()
    dialog = console.get_by_role("dialog")
    expect(dialog).to_contain_text("1 training task says that it used this split.")
    expect(dialog.get_by_role("button", name="Delete")).to_have_count(0)


def test_choosing_annotation_data_fetches_their_splits(console: Page, live_server, data):
    Split.objects.create(annotation_data=data, name="Paper", report={"parts": [{"name": "train", "studies": 20}]})
    console.goto(f"{live_server.url}/training-tasks/create/")
    expect(console.locator("#id_split")).to_have_count(0)
    console.get_by_label("Annotation data").select_option(str(data.pk))
    console.locator("#id_split").select_option(label="Paper (train 20)")


def test_two_datasets_are_compared(console: Page, live_server, user, data):
    other = dataset_of(user, "Winter", range(18, 24), folder="w/")
    console.goto(f"{live_server.url}{data.dataset.get_absolute_url()}")
    console.get_by_role("button", name="Options", exact=True).click()
    console.get_by_role("menuitem", name="Compare with…").click()
    console.get_by_label("B", exact=True).select_option("Winter")
    expect(console.get_by_role("row", name="Images in both 2 2")).to_be_visible()
    expect(console.locator(".compare-pair")).to_have_count(2)
    console.get_by_role("link", name="Only in Winter").click()
    expect(console.locator("#compare-studies .thumb")).to_have_count(4)
    first = other.studies.get(position=2).get_absolute_url()
    expect(console.locator("#compare-studies .thumb").first).to_have_attribute("href", first)


def test_a_dataset_is_divided_into_datasets(console: Page, live_server, data):
    console.goto(f"{live_server.url}{data.dataset.get_absolute_url()}")
    console.get_by_role("button", name="Options", exact=True).click()
    console.get_by_role("menuitem", name="Divide…").click()
    expect(console.get_by_label("Labels", exact=True)).to_have_value(str(data.pk))
    console.get_by_label("Validation").fill("0")
    console.get_by_label("Validation").press("Tab")
    parts = console.locator("#split-save li")
    expect(parts).to_have_count(2)
    console.get_by_label("Labels", exact=True).select_option("None: images only")
    expect(console.locator("#split-table tbody tr")).to_have_count(0)
    console.get_by_role("button", name="Make datasets").click()
    expect(console.get_by_role("row", name="Chest – train")).to_be_visible()
    made = Dataset.objects.filter(name__startswith="Chest – ").order_by("pk")
    assert [each.name for each in made] == ["Chest – train", "Chest – test"]
    assert all(run_combination(each.combination.pk) is False for each in made)
    console.reload()
    expect(console.get_by_role("row", name="Chest – train")).to_contain_text("16")
    assert [each.study_count for each in made.all()] == [16, 4]
    assert not any(each.annotation_data_count for each in made)
