"""Several series in a study, and the glass that enlarges a part of the picture."""

from __future__ import annotations

import base64
import io

import numpy as np
import pydicom
import pytest
from playwright.sync_api import FloatRect, Page, expect

from datasets.models import Study

from .conftest import FLAGS
from .viewing import SOFTWARE_WEBGL, ct_slices, open_viewer, settled, until, uploaded

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return {**browser_type_launch_args, "args": [*FLAGS, SOFTWARE_WEBGL]}


@pytest.fixture
def study(user) -> Study:
    """Five slices of a CT, and three of them again as a second series."""
    slices = sorted(ct_slices())[:5]
    return uploaded(user, "CT", [*slices, *(_in_second_series(*one) for one in slices[:3])]).studies.get()


def _in_second_series(path: str, data: bytes) -> tuple[str, bytes]:
    dataset = pydicom.dcmread(io.BytesIO(data))
    dataset.SeriesInstanceUID += ".2"
    dataset.SOPInstanceUID += ".2"
    dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
    dataset.SeriesNumber, dataset.SeriesDescription = 902, "Again"
    written = io.BytesIO()
    dataset.save_as(written)
    return f"again/{path}", written.getvalue()


def test_the_series_is_chosen_from_a_list_and_by_keys(console: Page, study):
    first, second = (list(one.images.order_by("position")) for one in study.series.order_by("series_number"))
    assert (len(first), len(second)) == (5, 3)
    open_viewer(console, study)
    settled(console, first[0], 1)
    expect(console.locator("#stack-position")).to_have_text("1 / 5 images")
    choice = console.get_by_role("combobox", name="Series")
    expect(choice.locator("option")).to_have_count(2)
    choice.select_option("1")
    settled(console, second[0], 1)
    expect(console.locator("#stack-position")).to_have_text("1 / 3 images")
    expect(choice.locator("option:checked")).to_contain_text("#902 · CT · Again (3)")
    console.locator("#view").focus()
    console.keyboard.press("[")
    settled(console, first[0], 1)
    console.keyboard.press("]")
    settled(console, second[0], 1)
    console.keyboard.press("End")
    settled(console, second[-1], 1)
    expect(console).to_have_url(f"{console.url.split('?')[0]}?image={second[-1].pk}")
    open_viewer(console, study, f"?image={second[1].pk}")
    settled(console, second[1], 1)
    expect(console.locator("#stack-position")).to_have_text("2 / 3 images")


def test_the_glass_shows_what_is_below_it_three_times_as_large(console: Page, study):
    open_viewer(console, study)
    console.keyboard.press("1")
    console.keyboard.press("g")
    box = console.locator("#surface").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    glass = console.locator("#magnifier")
    console.mouse.move(x, y)
    expect(glass).to_be_hidden()
    console.mouse.down()
    expect(glass).to_be_visible()
    until(console, lambda: _levels(console, 240).std() > 1)
    seen = _levels(console, 240)
    assert abs(float(seen.mean()) - float(_below(console, box, 80).mean())) <= 2
    console.mouse.move(x + 40, y)
    until(console, lambda: abs(float(_levels(console, 240).mean()) - float(seen.mean())) > 0.01)
    console.mouse.up()
    expect(glass).to_be_hidden()


def _levels(page: Page, side: int) -> np.ndarray:
    """Return the green levels in the glass, shape (side, side)."""
    script = "side => [...document.querySelector('#magnifier').getContext('2d').getImageData(0, 0, side, side).data]"
    values = page.evaluate(script, side)
    return np.array(values, np.uint8).reshape(side, side, 4)[..., 1]


def _below(page: Page, box: FloatRect, side: int) -> np.ndarray:
    """Return the green levels of the picture, at one to one, in a square about the middle of the screen."""
    left, top = page.evaluate("deepcapViewer.toCanvas(0, 0)")
    x, y = round(box["width"] / 2 - left - side / 2), round(box["height"] / 2 - top - side / 2)
    text = page.evaluate(f"deepcapViewer.pixelsOnScreen({x}, {y}, {side}, {side})")
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(side, side, 4)[..., 1]
