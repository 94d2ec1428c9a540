"""What people do with datasets that are there: look, rename, delete; with the mouse and with the keyboard."""

import io
import re

import pytest
from playwright.sync_api import Page, expect

from datasets.models import Dataset, DatasetStatus, Deletion, Outcome, Problem
from datasets.services.uploads import upload_file
from deepcap.accounts.services import notify
from tests.builders import make_dataset, make_ingest

from .conftest import do_the_work
from .pictures import BROKEN, pictures, zip_file

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

HOSTILE = "<script>throw new Error(1)</script><img src=x onerror=alert(2)>"


def uploaded(user, name="Chest X-rays", members=None, *, is_ready=True) -> Dataset:
    """Return a dataset that came in as people's datasets do."""
    data = zip_file(name, members or pictures(3))["buffer"]
    dataset = upload_file(owner=user, stream=io.BytesIO(data), filename=f"{name}.zip", size=len(data), name=name)
    if is_ready:
        do_the_work()
        dataset.refresh_from_db()
    return dataset


def open_list(page: Page) -> None:
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Dataset").click()


def test_a_dataset_is_renamed_from_its_row(console: Page, user, expected_faults):
    expected_faults.append(r"\b400\b")
    uploaded(user, "Taken")
    uploaded(user, "Old name")
    console.reload()
    console.get_by_role("button", name="Options of Old name").click()
    console.get_by_role("menuitem", name="Rename").click()
    dialog = console.get_by_role("dialog")
    expect(dialog.get_by_label("Name")).to_be_focused()
    dialog.get_by_label("Name").fill("Taken")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_contain_text("You already have a dataset with this name.")
    dialog.get_by_label("Name").fill("New name 新")
    dialog.get_by_label("Name").press("Enter")
    expect(console.get_by_role("link", name="New name 新")).to_be_visible()
    expect(dialog).to_have_count(0)


def test_a_dataset_is_deleted_by_typing_the_word(console: Page, user):
    dataset = uploaded(user)
    console.reload()
    console.get_by_role("link", name="Chest X-rays").click()
    console.get_by_role("button", name="Options", exact=True).click()
    console.get_by_role("menuitem", name="Delete").click()
    dialog = console.get_by_role("dialog")
    expect(dialog).to_contain_text("3studies")
    button = dialog.get_by_role("button", name="Delete")
    field = dialog.get_by_label("Type DELETE to confirm")
    expect(button).to_be_disabled()
    for wrong in ("delete", "DELETE ", "DELET"):
        field.fill(wrong)
        expect(button).to_be_disabled()
    field.fill("DELETE")
    button.click()
    expect(console.get_by_text("Dataset List is empty")).to_be_visible()
    console.locator(".toast-item").get_by_role("link", name="Receipt").click()
    expect(console.get_by_role("heading", name="Deletion of Chest X-rays")).to_be_visible()
    expect(console.locator("#receipt")).to_contain_text("Erasing rows")
    do_the_work()
    expect(console.locator("#receipt")).not_to_contain_text("Erasing rows")
    assert not Dataset.objects.filter(pk=dataset.pk).exists()
    assert Deletion.objects.get().counts["images"] == 3


def test_a_deleted_dataset_is_restored(console: Page, user, settings):
    settings.DEEPCAP_TRASH_DAYS = 3
    uploaded(user)
    console.reload()
    console.get_by_role("button", name="Options of Chest X-rays").click()
    console.get_by_role("menuitem", name="Delete").click()
    console.get_by_label("Type DELETE to confirm").fill("DELETE")
    console.get_by_label("Type DELETE to confirm").press("Enter")
    console.get_by_role("link", name="Recently deleted").click()
    console.get_by_role("button", name="Restore").click()
    expect(console.get_by_role("heading", name="Raw Data (3 Studies)")).to_be_visible()


def test_search_sort_and_pages_keep_to_each_other(console: Page, user):
    for number in range(23):
        make_dataset(user, f"{'MR' if number % 2 else 'CT'} {number:02}", studies=1, annotation_data_count=number % 3)
    console.reload()
    rows = console.locator("#dataset-list tbody tr")
    expect(rows).to_have_count(10)
    console.get_by_role("link", name="Next page").click()
    expect(console.locator(".pager")).to_contain_text("11–20 of 23")
    console.get_by_label("Rows per page").select_option("25")
    expect(rows).to_have_count(23)
    console.get_by_role("searchbox").fill("mr ")
    expect(rows).to_have_count(11)
    console.get_by_role("link", name="Dataset", exact=True).last.click()
    expect(console.locator("th[aria-sort=descending]")).to_contain_text("Dataset")
    expect(rows.first).to_contain_text("MR 21")
    console.get_by_label("Hide dataset without annotation data").check()
    expect(rows).to_have_count(7)
    expect(console).to_have_url(re.compile("search=mr"))
    expect(console).to_have_url(re.compile("ordering=-name"))
    console.go_back()
    expect(rows).to_have_count(11)
    console.get_by_role("searchbox").fill("nothing of the kind")
    expect(console.get_by_text("Nothing found")).to_be_visible()
    console.get_by_role("link", name="Show all datasets").click()
    expect(rows).to_have_count(10)


def test_the_keyboard_is_enough(console: Page, user):
    uploaded(user, members=pictures(4))
    console.reload()
    console.keyboard.press("/")
    expect(console.get_by_role("searchbox")).to_be_focused()
    console.evaluate("window.isTheSamePage = true")
    console.keyboard.type("chest")
    console.keyboard.press("Enter")
    expect(console).to_have_url(re.compile("search=chest"))
    assert console.evaluate("window.isTheSamePage"), "Enter in the search field must not end what the page is doing."
    console.get_by_role("searchbox").blur()
    console.keyboard.press("u")
    expect(console.get_by_role("dialog", name="Upload dataset")).to_be_visible()
    console.keyboard.press("Escape")
    expect(console.get_by_role("dialog", name="Upload dataset")).to_be_hidden()
    console.get_by_role("link", name="Chest X-rays").focus()
    console.keyboard.press("Tab")
    expect(console.get_by_role("button", name="Options of Chest X-rays")).to_be_focused()
    console.keyboard.press("Enter")
    expect(console.get_by_role("menuitem", name="Rename")).to_be_focused()
    console.keyboard.press("End")
    expect(console.get_by_role("menuitem", name="Delete")).to_be_focused()
    console.keyboard.press("Escape")
    console.get_by_role("link", name="Chest X-rays").press("Enter")
    console.locator(".thumb").nth(1).press("Enter")
    expect(console.locator("#viewer")).to_be_attached()
    expect(console).to_have_url(re.compile(r"/viewer/studies/\d+/"))
    console.go_back()
    expect(console.get_by_role("heading", name="Raw Data (4 Studies)")).to_be_visible()


def test_a_page_far_back_in_a_large_dataset_is_reached_by_its_number(console: Page, user):
    dataset = make_dataset(user, studies=105, images=0)
    Dataset.objects.filter(pk=dataset.pk).update(image_count=105, status=DatasetStatus.AVAILABLE)
    console.goto(console.url.replace("/datasets/", dataset.get_absolute_url()))
    expect(console.locator(".thumb")).to_have_count(50)
    console.get_by_role("spinbutton", name="Page").fill("3")
    console.get_by_role("spinbutton", name="Page").press("Enter")
    expect(console.locator(".thumb")).to_have_count(5)
    expect(console.locator(".pager")).to_contain_text("101–105 of 105")


def test_the_bell_tells_what_ended_meanwhile(console: Page, user):
    notify(user=user, kind="dataset.available", text="Dataset “CT” is ready.", url="/datasets/")
    console.reload()
    bell = console.get_by_role("button", name="Notifications")
    expect(console.locator("#bell-state[data-unread]")).to_be_attached()
    bell.click()
    expect(console.get_by_role("menuitem", name="is ready")).to_be_visible()
    expect(console.locator("#bell-state[data-unread]")).not_to_be_attached()
    console.get_by_role("menuitem", name="is ready").click()
    expect(console.locator("#notifications-menu")).to_be_hidden()


def test_an_expired_session_leads_to_signing_in(console: Page):
    console.context.clear_cookies()
    open_list(console)
    expect(console.get_by_role("heading", name="Sign in")).to_be_visible()


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 390)])
def test_no_page_has_script_errors_or_breaks_the_policy(console: Page, user, settings, scheme, width):
    settings.DEEPCAP_TRASH_DAYS = 3
    console.emulate_media(color_scheme=scheme)
    console.set_viewport_size({"width": width, "height": 844})
    dataset = uploaded(user, HOSTILE, [*pictures(3, folder=f"{HOSTILE}/"), ("broken.png", BROKEN)])
    preparing = make_dataset(user, status=DatasetStatus.PREPARING)
    make_ingest(preparing, stage="reading", state="running", member_count=10, done_members=3)
    problem = Problem(dataset=dataset, path=HOSTILE, outcome=Outcome.SKIPPED, code="x", message=HOSTILE)
    problem.save()
    gone = uploaded(user, "Gone")
    root = console.url.removesuffix("/datasets/")
    for path in (
        "/datasets/",
        "/datasets/?search=zzz",
        dataset.get_absolute_url(),
        f"{dataset.get_absolute_url()}report/",
        preparing.get_absolute_url(),
        "/datasets/deletions/",
    ):
        console.goto(root + path)
        console.wait_for_load_state("networkidle")
        overflow = console.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert overflow <= 0, f"{path} is {overflow} pixels wider than the window"
    console.goto(f"{root}/datasets/")
    for item in ("Rename", "Delete"):
        console.get_by_role("button", name="Options of Gone").click()
        console.get_by_role("menuitem", name=item).click()
        expect(console.get_by_role("dialog")).to_be_visible()
        console.keyboard.press("Escape")
    assert gone.pk
