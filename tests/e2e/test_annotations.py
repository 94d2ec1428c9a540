"""What people do with labels: upload them, look at them, filter, rename, mend, convert, delete."""

import io
import re

import pytest
from playwright.sync_api import Page, expect

from annotations.derive import run as derive
from annotations.importing import work
from annotations.models import AnnotationData, Derivation, LabelImport
from datasets.services.uploads import upload_file
from deepcap.common.leases import OPEN_STATES

from .conftest import do_the_work
from .pictures import pictures, zip_file

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

BOXES = b"".join(
    f"{number}.png,{label},{number},2,{size},{size}\n".encode()
    for number, (label, size) in enumerate([("heart", 8), ("lung", 9), ("heart", 2)])
)


def do_all_the_work() -> None:
    """Ingest, read labels, convert and erase all that waits, as workers would."""
    do_the_work()
    for pk in LabelImport.objects.filter(state__in=OPEN_STATES).values_list("pk", flat=True):
        for further in work.run(pk):
            work.run(further)
    for pk in Derivation.objects.filter(state__in=OPEN_STATES).values_list("pk", flat=True):
        while derive(pk):
            pass


def uploaded(user, labels: dict[str, bytes] | None = None, name="Chest"):
    """Return a dataset of four images whose zip held ``labels``."""
    members = [*pictures(4), *(labels or {}).items()]
    data = zip_file(name, members)["buffer"]
    dataset = upload_file(owner=user, stream=io.BytesIO(data), filename=f"{name}.zip", size=len(data), name=name)
    do_all_the_work()
    dataset.refresh_from_db()
    return dataset


def upload_labels(console: Page, name: str, content: bytes) -> None:
    console.get_by_role("button", name="Upload labels").click()
    dialog = console.get_by_role("dialog")
    dialog.get_by_label("Label file").set_input_files({"name": name, "mimeType": "text/csv", "buffer": content})
    dialog.get_by_role("button", name="Upload", exact=True).click()


def test_a_labelled_zip_is_seen_counted_filtered_renamed_and_deleted(console: Page, user, expected_faults):
    uploaded(user, {"boxes.csv": BOXES})
    console.reload()
    console.get_by_role("link", name="Chest", exact=True).click()
    card = console.locator("#annotation-data")
    expect(card).to_contain_text("Annotation (1)")
    expect(card).to_contain_text("Object Detection")
    card.get_by_role("link", name="Chest_boxes").click()

    expect(console.get_by_role("heading", name="Annotation Information")).to_be_visible()
    expect(console.get_by_role("heading", name="Annotation (3 Studies)")).to_be_visible()
    expect(console.locator(".thumb-boxes rect")).to_have_count(3)
    report = console.locator("#report")
    expect(report.locator(".chart-bar")).to_have_count(2)
    expect(report).to_contain_text("66.67%")
    report.get_by_label("How to view").select_option("View by table")
    expect(report.get_by_role("row", name="TOTAL 3 100%")).to_be_visible()
    report.get_by_role("link", name="Box-per-image").click()
    expect(report.get_by_role("row", name="1 3 100.00%")).to_be_visible()
    expect(console).to_have_url(re.compile("view=table"))

    grid = console.locator("#annotation-grid")
    grid.get_by_label("Label", exact=True).select_option("heart")
    expect(grid.locator(".thumb")).to_have_count(2)
    grid.get_by_role("link", name="Show all").click()
    expect(grid.locator(".thumb")).to_have_count(3)
    report.get_by_role("listitem").filter(has_text="side below 4 pixels").get_by_role("link").click()
    expect(grid.locator(".thumb")).to_have_count(1)
    expect(grid).to_contain_text("1–1 of 1")

    console.get_by_role("button", name="Options", exact=True).click()
    console.get_by_role("menuitem", name="Rename").click()
    console.get_by_role("dialog").get_by_label("Name").fill("Boxes of hearts")
    console.get_by_role("dialog").get_by_label("Name").press("Enter")
    expect(console.get_by_role("heading", name="Boxes of hearts", level=1)).to_be_visible()

    console.get_by_role("button", name="Options", exact=True).click()
    console.get_by_role("menuitem", name="Delete").click()
    dialog = console.get_by_role("dialog")
    expect(dialog).to_contain_text("3annotations")
    expect(dialog.get_by_role("button", name="Delete")).to_be_disabled()
    dialog.get_by_label("Type DELETE to confirm").fill("DELETE")
    dialog.get_by_role("button", name="Delete").click()
    expect(card).to_contain_text("Annotation (0)")
    do_all_the_work()
    assert not AnnotationData.objects.exists()


def test_bad_rows_are_shown_and_the_file_is_replaced(console: Page, user, live_server):
    dataset = uploaded(user)
    console.goto(f"{live_server.url}{dataset.get_absolute_url()}")
    upload_labels(console, "findings.csv", b"0.png,normal\n1.pngg,normal\n2.png\n")
    expect(console.locator("#annotation-data-progress")).to_be_visible()
    do_all_the_work()
    report = console.locator("#import-report")
    expect(report).to_contain_text("Import failed")
    expect(report).to_contain_text("row 2")
    expect(report).to_contain_text("1.png")
    report.get_by_role("button", name="Replace the file").click()
    better = {"name": "better.csv", "mimeType": "text/csv", "buffer": b"0.png,normal\n1.png,abnormal\n"}
    console.get_by_role("dialog").get_by_label("Label file").set_input_files(better)
    console.get_by_role("dialog").get_by_role("button", name="Replace").click()
    expect(console.locator("#annotation-data-progress")).to_be_visible()
    do_all_the_work()
    expect(console.get_by_role("heading", name="Annotation (2 Studies)")).to_be_visible()
    expect(console.locator(".thumb-badge")).to_have_text(["normal", "abnormal"])


def test_the_columns_of_a_csv_with_a_header_are_asked_for(console: Page, user, live_server):
    dataset = uploaded(user)
    console.goto(f"{live_server.url}{dataset.get_absolute_url()}")
    console.get_by_role("button", name="Upload labels").click()
    dialog = console.get_by_role("dialog")
    content = b"Image,What was seen,remark\n0.png,effusion,x\n1.png,nodule,y\n"
    dialog.get_by_label("Label file").set_input_files({"name": "reads.csv", "mimeType": "text/csv", "buffer": content})
    expect(dialog.get_by_label("Image", exact=True)).to_have_value("Image")
    dialog.get_by_label("Label", exact=True).select_option("What was seen")
    dialog.get_by_label("One column for each label").select_option([])
    dialog.get_by_role("button", name="Upload", exact=True).click()
    expect(console.locator("#annotation-data-progress")).to_be_visible()
    do_all_the_work()
    expect(console.locator(".thumb-badge")).to_have_text(["effusion", "nodule"])


def test_labels_are_merged_into_new_annotation_data(console: Page, user, live_server):
    uploaded(user, {"label.csv": b"0.png,mild\n1.png,severe\n2.png,normal\n"})
    console.goto(f"{live_server.url}{AnnotationData.objects.get().get_absolute_url()}")
    console.get_by_role("button", name="Options", exact=True).click()
    console.get_by_role("menuitem", name="Convert or merge").click()
    dialog = console.get_by_role("dialog")
    dialog.get_by_label("Name of the new annotation data").fill("Two classes")
    dialog.get_by_label("New name of mild").fill("abnormal")
    dialog.get_by_label("New name of severe").fill("abnormal")
    dialog.get_by_role("button", name="Create").click()
    expect(console.get_by_role("heading", name="Two classes", level=1)).to_be_visible()
    do_all_the_work()
    expect(console.locator(".label-list li")).to_have_text([re.compile("abnormal 2"), re.compile("normal 1")])


def test_labels_are_downloaded_in_the_format_chosen(console: Page, user, live_server):
    uploaded(user, {"label.csv": b"0.png,mild\n1.png,severe\n"})
    console.goto(f"{live_server.url}{AnnotationData.objects.get().get_absolute_url()}")
    console.get_by_role("button", name="Options", exact=True).click()
    console.get_by_role("menuitem", name="Download labels").click()
    console.get_by_role("dialog").get_by_label("Include the images").check()
    with console.expect_download() as download:
        console.get_by_role("dialog").get_by_role("button", name="Download").click()
    assert download.value.suggested_filename.endswith(".zip")


def test_the_card_is_used_with_the_keyboard(console: Page, user, live_server):
    dataset = uploaded(user, {"label.csv": b"0.png,mild\n"})
    console.goto(f"{live_server.url}{dataset.get_absolute_url()}")
    console.locator("#annotation-data").get_by_role("button", name="Options of Chest_label").press("Enter")
    expect(console.get_by_role("menuitem", name="Rename")).to_be_focused()
    console.keyboard.press("Enter")
    console.get_by_role("dialog").get_by_label("Name").fill("From the card")
    console.keyboard.press("Enter")
    expect(console.locator("#annotation-data")).to_contain_text("From the card")
    console.locator("#annotation-data-sort").press("Enter")
    expect(console.locator("#annotation-data th[aria-sort=ascending]")).to_be_visible()
