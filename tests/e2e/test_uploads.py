"""Files find their way from a person's disk into the list."""

import math
import re

import pytest
from playwright.sync_api import Page, Request, Route, expect

from datasets.models import Dataset, DatasetStatus, Study, Upload

from .conftest import do_the_work
from .pictures import BROKEN, drop, pictures, zip_file

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

ROW = "#dataset-list tbody tr"
PART = re.compile(r"/parts/(\d+)/$")


def choose(page: Page, *files, folder=None) -> None:
    page.get_by_role("button", name="Upload dataset").click()
    if folder:
        page.locator("[data-upload-input=folder]").set_input_files(folder)
    else:
        page.locator("[data-upload-input=files]").set_input_files(list(files))
    page.locator("[data-upload-start]").click()


def panel(page: Page):
    return page.locator("[data-upload-panel]")


def prepare(page: Page) -> None:
    """Do what the workers would, once the files have arrived."""
    expect(panel(page)).to_contain_text("Upload complete")
    do_the_work()


class DeadLine:
    """The line to the server, which carries no parts from ``first`` on until it is mended."""

    def __init__(self, page: Page, *, first: int = 1) -> None:
        self.first: float = first
        self.held: list[Route] = []
        page.route(PART, self.carry)

    def carry(self, route: Route) -> None:
        if route.request.method == "PUT" and number_of(route.request) >= self.first:
            self.held.append(route)
        else:
            route.continue_()

    def mend(self) -> None:
        self.first = math.inf

    def carry_what_was_held(self) -> None:
        self.mend()
        for route in self.held:
            route.continue_()


def number_of(request: Request) -> int:
    return int(re.search(PART, request.url)[1])


def shades(page: Page, selector: str) -> list[int]:
    """Return the shade in the middle of every picture, once all are loaded."""
    page.wait_for_function(
        "selector => [...document.querySelectorAll(selector)].every(image => image.complete && image.naturalWidth)",
        arg=selector,
    )
    return page.eval_on_selector_all(
        selector,
        """images => images.map((image) => {
            const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
            const context = canvas.getContext("2d");
            context.drawImage(image, 0, 0, 1, 1);
            return context.getImageData(0, 0, 1, 1).data[0];
        })""",
    )


def test_who_signs_in_uploads_a_zip_and_sees_it_become_available(page: Page, live_server, user):
    page.goto(live_server.url)
    page.get_by_label("User name").fill("ada")
    page.locator("[name=password]").fill("correct horse battery")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Dataset List is empty")).to_be_visible()

    choose(page, zip_file("Chest X-rays.zip", pictures(4, folder="a/")))
    row = page.locator(ROW)
    expect(row).to_have_count(1)
    expect(row).to_contain_text("Chest X-rays")
    expect(row).to_contain_text("Queued")

    prepare(page)
    expect(row).to_contain_text("Available")
    expect(row).to_contain_text("New")
    expect(page.locator(".toast-item").filter(has_text="is ready")).to_be_visible()
    assert shades(page, f"{ROW} .thumb-triple img") == pytest.approx([0, 40, 80], abs=2)

    page.get_by_role("link", name="Chest X-rays").click()
    expect(page.get_by_role("heading", name="Raw Data (4 Studies)")).to_be_visible()
    assert shades(page, ".thumb img") == pytest.approx([0, 40, 80, 120], abs=2)
    page.get_by_role("link", name="Back to the list").click()
    expect(row).not_to_contain_text("New")


def test_a_zip_is_dropped_anywhere_on_the_list(console: Page):
    drop(console, zip_file("Dropped.zip", pictures(2)))
    console.locator("[data-upload-start]").click()
    expect(console.locator(ROW)).to_contain_text("Dropped")
    prepare(console)
    expect(console.locator(ROW)).to_contain_text("Available")


def test_a_folder_becomes_a_dataset_with_its_paths(console: Page, tmp_path):
    folder = tmp_path / "胸部 X-rays"
    for path, data in [*pictures(2, folder="left/"), *pictures(3, folder="right/")]:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    choose(console, folder=folder)
    expect(console.locator(ROW)).to_contain_text("胸部 X-rays")
    prepare(console)
    expect(console.locator(ROW)).to_contain_text("Available")
    names = list(Study.objects.order_by("position").values_list("name", flat=True))
    assert [name.split("/", 1)[1] if name.startswith("胸部") else name for name in names] == [
        "left/0.png",
        "left/1.png",
        "right/0.png",
        "right/1.png",
        "right/2.png",
    ]


def big_zip(name="Big.zip"):
    return zip_file(name, [("notes.txt", b"Nothing to see here. " * 500), *pictures(2)])


def test_an_upload_is_paused_and_goes_on(console: Page, small_parts):
    line = DeadLine(console)
    choose(console, big_zip())
    expect(console.locator(ROW)).to_contain_text("Uploading")
    panel(console).get_by_role("button", name="Pause").click()
    expect(panel(console)).to_contain_text("Paused at")
    assert Dataset.objects.get().status == DatasetStatus.UPLOADING
    line.mend()
    panel(console).get_by_role("button", name="Resume").click()
    prepare(console)
    expect(console.locator(ROW)).to_contain_text("Available")


def test_pausing_while_an_upload_begins_leaves_no_second_one(console: Page, small_parts):
    beginning: list[Route] = []
    console.route("**/api/v1/uploads/", lambda route: beginning.append(route))
    choose(console, big_zip())
    panel(console).get_by_role("button", name="Pause").click()
    beginning[0].continue_()
    expect(console.locator(ROW)).to_contain_text("Uploading")
    panel(console).get_by_role("button", name="Resume").click()
    prepare(console)
    expect(console.locator(ROW)).to_contain_text("Available")
    assert len(beginning) == Dataset.objects.count() == 1


def test_after_a_reload_the_same_file_sends_only_what_is_missing(console: Page, small_parts, tmp_path):
    path = tmp_path / "Big.zip"
    path.write_bytes(big_zip()["buffer"])
    line = DeadLine(console, first=4)
    choose(console, path)
    expect(console.locator(ROW)).to_contain_text("Uploading")
    upload = Upload.objects.get()
    while upload.parts.count() < 3:
        console.wait_for_timeout(100)

    console.on("dialog", lambda dialog: dialog.accept())
    console.reload()
    expect(panel(console)).to_contain_text("unfinished upload")
    line.mend()
    sent: list[int] = []
    console.on("request", lambda request: sent.append(number_of(request)) if request.method == "PUT" else None)
    with console.expect_file_chooser() as chooser:
        panel(console).get_by_role("button", name="Choose again").click()
    chooser.value.set_files(path)
    prepare(console)
    assert sorted(sent) == list(range(4, upload.part_count + 1))
    expect(console.locator(ROW)).to_contain_text("Available")


def test_going_to_another_page_does_not_end_an_upload(console: Page, small_parts):
    line = DeadLine(console)
    choose(console, big_zip())
    console.locator(ROW).get_by_role("link").click()
    expect(console.get_by_role("heading", name="Big")).to_be_visible()
    expect(panel(console)).to_contain_text("Uploading 1 item")
    line.carry_what_was_held()
    prepare(console)
    expect(console.get_by_role("heading", name="Raw Data (2 Studies)")).to_be_visible()


def test_an_upload_is_cancelled_from_its_row(console: Page, small_parts):
    DeadLine(console)
    choose(console, big_zip())
    expect(console.locator(ROW)).to_contain_text("Uploading")
    panel(console).get_by_role("button", name="Pause").click()
    console.locator(ROW).get_by_role("button", name="Options").click()
    console.get_by_role("menuitem", name="Cancel upload").click()
    console.get_by_role("dialog").get_by_role("button", name="Cancel upload").click()
    expect(console.get_by_text("Dataset List is empty")).to_be_visible()
    assert not Dataset.objects.exists()


def test_a_partly_broken_zip_says_why_and_what_is_good_is_kept(console: Page):
    choose(console, zip_file("Partly.zip", [*pictures(3), ("broken/a.png", BROKEN)]))
    expect(console.locator(ROW)).to_contain_text("Partly")
    prepare(console)
    failed = console.get_by_role("link", name="Partly (preparation failed)")
    failed.click()
    dialog = console.get_by_role("dialog")
    expect(dialog).to_contain_text("Keep the 3 images")
    expect(dialog).to_contain_text("broken/a.png")
    dialog.get_by_role("button", name="Keep 3 images").click()
    expect(console.locator(ROW)).to_contain_text("Available")
    expect(console.locator(".toast-item").filter(has_text="Partly")).not_to_have_count(0)
    assert Dataset.objects.get().study_count == 3


def test_a_file_that_is_no_zip_is_told_so(console: Page):
    choose(console, {"name": "Letter.zip", "mimeType": "application/zip", "buffer": b"Dear colleague, " * 40})
    expect(console.locator(ROW)).to_contain_text("Letter")
    prepare(console)
    console.get_by_role("link", name="Letter (preparation failed)").click()
    dialog = console.get_by_role("dialog")
    expect(dialog).to_contain_text("No image could be read")
    expect(dialog.get_by_role("button", name="Keep")).to_have_count(0)
    dialog.get_by_role("button", name="Cancel").click()
    expect(dialog).to_have_count(0)
