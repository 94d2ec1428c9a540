"""Where pixels and their windows come from: links that expire, a file's several tables and windows, no WebGL."""

from __future__ import annotations

import io
import re
from itertools import count

import numpy as np
import pydicom
import pytest
from playwright.sync_api import Page, expect
from pydicom.dataset import Dataset as Elements

from datasets.blobs.store import get_store
from tests.imaging import samples

from .conftest import FLAGS
from .pictures import pictures
from .viewing import SOFTWARE_WEBGL, on_screen, open_viewer, told, until, uploaded

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

TWO_WINDOWS = "dicom/derived_windows/window_two_values.dcm"


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return {**browser_type_launch_args, "args": [*FLAGS, SOFTWARE_WEBGL]}


@pytest.mark.urls("tests.e2e.storage_urls")
def test_a_link_that_has_expired_is_signed_anew_without_a_word(console: Page, user, monkeypatch, expected_faults):
    expected_faults.append(r"\b403\b.*/storage/1/")
    links = count(1)
    monkeypatch.setattr(type(get_store()), "signed_url", lambda self, key, **_: f"/storage/{next(links)}/{key}")
    study = uploaded(user, "Photos", pictures(1)).studies.get()
    answers: list[tuple[int, str]] = []
    console.on("response", lambda answer: answers.append((answer.status, answer.url.split("/storage/")[-1][:2])))
    open_viewer(console, study)
    assert told(console)["image"]["source"] == "browser"
    expect(console.get_by_role("alert")).to_be_hidden()
    assert (403, "1/") in answers
    assert (200, "2/") in answers


def with_tables() -> bytes:
    """Return a CT slice with two windows and two VOI LUTs, the second of which is the first turned round."""
    dataset = pydicom.dcmread(io.BytesIO(samples.local(TWO_WINDOWS)))
    rising = np.linspace(0, 65535, 4096).astype("<u2")
    items = []
    for name, entries in (("RISING", rising), ("FALLING", rising[::-1])):
        item = Elements()
        item.add_new("LUTDescriptor", "SS", [4096, -1024, 16])
        item.LUTExplanation = name
        item.add_new("LUTData", "OW", entries.tobytes())
        items.append(item)
    dataset.VOILUTSequence = items
    written = io.BytesIO()
    dataset.save_as(written)
    return written.getvalue()


def test_all_tables_and_windows_of_a_file_are_offered(console: Page, user):
    dataset = uploaded(user, "Tables", [("two.dcm", with_tables()), ("windows.dcm", samples.local(TWO_WINDOWS))])
    tables, windows = dataset.images.get(path="two.dcm"), dataset.images.get(path="windows.dcm")
    open_viewer(console, tables.study, f"?image={tables.pk}")
    console.keyboard.press("1")
    until(console, lambda: round(told(console)["scale"], 6) == 1)
    assert told(console)["window"]["reason"] == "The file's VOI lookup table"
    rising, _ = on_screen(console)
    console.keyboard.press("w")
    menu = console.get_by_role("dialog", name="Window level")
    rows = menu.get_by_role("radio")
    expect(rows.filter(has_text="FALLING")).to_be_visible()
    names = rows.locator(".menu-name").all_text_contents()
    assert names[:4] == ["Preset", "SOFT", "LUNG", "FALLING"]
    expect(rows.first).to_be_focused()
    for name in names[1:4]:
        console.keyboard.press("ArrowDown")
        expect(rows.filter(has=console.locator(".menu-name", has_text=re.compile(f"^{name}$")))).to_be_checked()
        until(console, lambda name=name: told(console)["window"]["reason"] == f"From the file: {name}")
    until(console, lambda: bool(np.abs(255 - rising.astype(int) - on_screen(console)[0]).max() <= 1))
    console.keyboard.press("Escape")
    expect(menu).to_be_hidden()

    open_viewer(console, windows.study, f"?image={windows.pk}")
    console.keyboard.press("w")
    assert rows.locator(".menu-name").all_text_contents()[:3] == ["Preset", "LUNG", "CT Abdomen"]
    rows.nth(1).click()
    until(console, lambda: told(console)["window"]["reason"] == "From the file: LUNG")
    assert told(console)["window"]["center"] == -600.5  # LINEAR (PS3.3 C.11.2.1.2.1)


def test_pictures_are_drawn_where_there_is_no_webgl(console: Page, user):
    dataset = uploaded(user, "CT", [("windows.dcm", samples.local(TWO_WINDOWS))])
    console.add_init_script(
        """const getContext = HTMLCanvasElement.prototype.getContext;
           HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
               return kind.includes('webgl') ? null : getContext.call(this, kind, ...rest);
           };"""
    )
    open_viewer(console, dataset.studies.get())
    assert told(console)["backend"] == "cpu"
    assert on_screen(console)[0].std() > 10
    console.set_viewport_size({"width": 1000, "height": 700})
    until(console, lambda: console.locator("#surface canvas").last.evaluate("one => one.clientWidth") == 1000)
    until(console, lambda: bool(on_screen(console)[0].std() > 10))
    assert told(console)["state"] == "ready"
