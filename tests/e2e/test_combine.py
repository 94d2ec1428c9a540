"""What people do with several datasets: combine them, make one of a selection, import one from the gallery."""

import io
import re
import zipfile
from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from annotations import tasks
from annotations.importing import work
from annotations.models import Annotation, Combination, LabelImport
from datasets.models import Dataset, DatasetStatus
from datasets.services.gallery import About, publish_dataset
from datasets.services.uploads import upload_file
from deepcap.common.leases import OPEN_STATES

from .conftest import do_the_work

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

ZIPS = Path(settings.BASE_DIR).parent / "shared/data/zips"
RENAMED = {"ChestCT": "chest ct", "Hand": "Hands", "HeadCT": "HaedCT", "AbdomenCT": "abdomenct"}
EACH = 4


def do_all_the_work() -> None:
    """Ingest, read labels and combine all that waits, as workers would."""
    do_the_work()
    for pk in LabelImport.objects.filter(state__in=OPEN_STATES).values_list("pk", flat=True):
        for further in work.run(pk):
            work.run(further)
    for pk in Combination.objects.filter(state__in=OPEN_STATES).values_list("pk", flat=True):
        tasks.run_combination(pk)


def uploaded(owner, name: str, members: dict[str, bytes]) -> Dataset:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, data in members.items():
            archive.writestr(path, data)
    size = buffer.tell()
    buffer.seek(0)
    dataset = upload_file(owner=owner, stream=buffer, filename=f"{name}.zip", size=size, name=name)
    do_all_the_work()
    dataset.refresh_from_db()
    assert dataset.status == DatasetStatus.AVAILABLE, dataset.status_detail
    return dataset


def members_of(name: str) -> dict[str, bytes]:
    path = ZIPS / name
    if not path.exists():
        pytest.skip(f"There is no {path.name} here.")
    with zipfile.ZipFile(path) as archive:
        return {member: archive.read(member) for member in archive.namelist() if not member.endswith("/")}


def class_folders() -> dict[str, bytes]:
    """Return a few images of each class of the zip with class folders."""
    members = members_of("class_folders_mednist.zip")
    by_class: dict[str, list[str]] = {}
    for path in sorted(members):
        if path.endswith(".jpeg"):
            by_class.setdefault(path.split("/")[-2], []).append(path)
    return {path: members[path] for paths in by_class.values() for path in paths[:EACH]}


def renamed(twins: dict[str, bytes]) -> dict[str, bytes]:
    """Return a few images of each class of the zip with a label file, its classes written another way.

    ``twins`` are images of the other zip, which are in this one too, all under the class CXR.
    """
    members = members_of("label_single_mednist.zip")
    [label_file] = [path for path in members if path.endswith(".csv")]
    by_class: dict[str, list[str]] = {}
    for line in members[label_file].decode().splitlines():
        file, label = line.split(",")
        by_class.setdefault(label, []).append(file)
    folder = label_file.rpartition("/")[0]
    chosen = {f"{folder}/{file}".lstrip("/"): label for label, files in by_class.items() for file in files[:EACH]}
    found = {path: next(data for name, data in members.items() if name.endswith(path)) for path in chosen}
    rows = [f"{path.rpartition('/')[2]},{RENAMED.get(label, label)}" for path, label in chosen.items()]
    for number, data in enumerate(twins.values()):
        found[f"{folder}/twin_{number}.jpeg".lstrip("/")] = data
        rows.append(f"twin_{number}.jpeg,CXR")
    return found | {label_file: "\n".join(rows).encode()}


def next_step(console: Page) -> None:
    console.locator(".step-foot").get_by_role("button", name="Next").click()


def test_datasets_are_combined_in_the_wizard(console: Page, user):
    folders = class_folders()
    hands = {path: data for path, data in folders.items() if "/Hand/" in path}
    uploaded(user, "With folders", folders)
    uploaded(user, "With a file", renamed(dict(list(hands.items())[:2])))
    console.reload()
    console.get_by_role("link", name="Combine", exact=True).click()

    console.get_by_role("checkbox", name="With folders").check()
    expect(console.locator("#combine-chosen")).to_contain_text("1 dataset selected")
    console.get_by_role("checkbox", name="With a file").check()
    expect(console.locator("#combine-chosen")).to_contain_text("2 datasets selected (50 studies")
    expect(console).to_have_url(re.compile(r"draft="))
    console.reload()
    expect(console.get_by_role("checkbox", name="With folders")).to_be_checked()
    next_step(console)

    expect(console.get_by_text("Unavailable")).to_have_count(3)
    expect(console.locator(".step-totals")).to_contain_text("50 studies, 50 annotated, 10 labels")
    next_step(console)

    totals = console.locator(".step-totals")
    expect(totals).to_contain_text("10 labels become 7")
    expect(console.get_by_label("Name of Hands in the new dataset")).to_have_value("Hand")
    console.get_by_role("button", name="Use “HeadCT”").click()
    expect(totals).to_contain_text("10 labels become 6")
    console.get_by_label("Name of BreastMRI in the new dataset").fill("Breast")
    console.get_by_label("Name of BreastMRI in the new dataset").press("Tab")
    expect(console.locator("#result-labels option[value=Breast]")).to_have_count(1)
    next_step(console)

    outcome = console.locator("#combine-outcome")
    expect(outcome).to_contain_text("The datasets say different things of 2 images.")
    expect(outcome).to_contain_text("2 images are in several of the datasets, byte for byte. All are kept.")
    expect(outcome.locator("tbody tr")).to_have_count(6)
    console.get_by_label("Keep once").check()
    expect(outcome).to_contain_text("Each is kept once.")
    outcome.get_by_role("link", name="Look at them").click()
    expect(console.locator(".conflicts > li")).to_have_count(2)
    expect(console.locator(".conflict-kept")).to_have_count(2)
    console.get_by_label("Leave unlabelled").check()
    expect(console.locator(".conflict-kept")).to_have_count(0)
    console.get_by_role("link", name="Back to the review").click()
    expect(console.get_by_label("Leave unlabelled")).to_be_checked()
    expect(console.get_by_label("Keep once")).to_be_checked()
    console.locator("#combine-name").fill("Both")
    console.locator("#combine-data-name").fill("Classes of both")
    console.get_by_role("link", name="Back", exact=True).click()
    expect(console.get_by_label("Name of BreastMRI in the new dataset")).to_have_value("Breast")
    next_step(console)
    console.locator("#combine-name").fill("Both")
    console.locator("#combine-data-name").fill("Classes of both")
    console.get_by_role("button", name="Start").click()

    expect(console.locator("#dataset-progress")).to_contain_text("0 of 50 images")
    do_all_the_work()
    expect(console.locator("#raw-data")).to_contain_text("Raw Data (48 Studies)")
    expect(console.locator(".source-list li")).to_have_text([re.compile("With folders"), re.compile("With a file")])
    expect(console.locator("#annotation-data")).to_contain_text("Classes of both")
    made = Dataset.objects.get(name="Both")
    labels = made.annotation_data.get().labels.values_list("name", "image_count")
    assert dict(labels) == {"AbdomenCT": 8, "Breast": 8, "ChestCT": 8, "CXR": 8, "Hand": 6, "HeadCT": 8}

    console.get_by_role("button", name="Options", exact=True).click()
    console.get_by_role("menuitem", name="Combine again…").click()
    expect(console.locator("#combine-chosen")).to_contain_text("2 datasets selected")
    next_step(console)
    expect(console.locator(".type-card")).to_have_count(4)
    next_step(console)
    expect(console.get_by_label("Name of BreastMRI in the new dataset")).to_have_value("Breast")


def test_what_is_being_combined_is_cancelled(console: Page, user):
    pictures = class_folders()
    first = dict(list(pictures.items())[:3])
    uploaded(user, "One", first)
    uploaded(user, "Two", dict(list(pictures.items())[3:6]))
    console.goto(console.url.split("/datasets/")[0] + "/datasets/combine/")
    console.get_by_role("checkbox", name="One").check()
    console.get_by_role("checkbox", name="Two").check()
    expect(console.locator("#combine-chosen")).to_contain_text("2 datasets selected")
    next_step(console)
    console.get_by_label("Include annotation data").uncheck()
    expect(console.locator(".step-totals")).to_contain_text("images only")
    next_step(console)
    console.get_by_role("button", name="Start").click()
    console.get_by_role("button", name="Cancel", exact=True).click()
    console.get_by_role("dialog").get_by_role("button", name="Cancel preparation").click()
    expect(console.get_by_text("This dataset could not be made")).to_be_visible()
    expect(console.get_by_role("link", name="Combine again…")).to_be_visible()


def test_a_selection_and_a_filter_become_datasets(console: Page, user, live_server):
    dataset = uploaded(user, "Whole", class_folders())
    console.goto(f"{live_server.url}{dataset.get_absolute_url()}")
    console.locator("#pick-studies").click()
    boxes = console.locator(".thumb-pick input[type=checkbox]")
    boxes.nth(0).check()
    boxes.nth(9).check()
    expect(console.locator("#pick-bar")).to_contain_text("2 studies selected")
    console.reload()
    expect(console.locator("#pick-bar")).to_contain_text("2 studies selected")
    console.get_by_role("button", name="New dataset from selection…").click()
    dialog = console.get_by_role("dialog")
    dialog.get_by_label("Dataset name").fill("Two of them")
    dialog.get_by_role("button", name="Create").click()
    expect(console.get_by_role("heading", name="Two of them", level=1)).to_be_visible()
    do_all_the_work()
    expect(console.locator("#raw-data")).to_contain_text("Raw Data (2 Studies)")
    expect(console.locator("#annotation-data")).to_contain_text("Annotation (1)")

    console.goto(f"{live_server.url}{dataset.annotation_data.get().get_absolute_url()}")
    console.locator("#filter-label").select_option("CXR")
    console.get_by_role("button", name="New dataset from these…").click()
    dialog = console.get_by_role("dialog")
    expect(dialog).to_contain_text("4 studies")
    dialog.get_by_label("Dataset name").fill("Chests")
    dialog.get_by_role("button", name="Create").click()
    expect(console.get_by_role("heading", name="Chests", level=1)).to_be_visible()
    do_all_the_work()
    expect(console.locator("#raw-data")).to_contain_text("Raw Data (4 Studies)")
    made = Annotation.objects.filter(item__annotation_data__dataset__name="Chests")
    assert set(made.values_list("label__name", flat=True)) == {"CXR"}


def test_a_dataset_of_the_gallery_is_imported(console: Page, user, operator, live_server):
    source = uploaded(operator, "Source", class_folders())
    publish_dataset(dataset=source, by=operator, about=About(name="MedNIST", modality="Various"))
    console.get_by_role("button", name="Upload dataset").click()
    console.get_by_role("link", name="Or import from the dataset gallery").click()
    card = console.locator(".gallery-card")
    expect(card.locator("img")).to_have_count(5)
    for number in range(5):
        assert card.locator("img").nth(number).evaluate("image => image.decode().then(() => image.naturalWidth)")
    card.get_by_role("button", name="Import MedNIST").click()
    expect(card.get_by_role("link", name="Imported")).to_be_visible()
    console.locator(".toast-item").get_by_role("link", name="View").click()
    expect(console.locator("#dataset-progress")).to_be_visible()
    do_all_the_work()
    expect(console.locator("#raw-data")).to_contain_text("Raw Data (24 Studies)")
    expect(console.locator("#annotation-data")).to_contain_text("Annotation (1)")
    expect(console.get_by_text("From the gallery")).to_be_visible()
