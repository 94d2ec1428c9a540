"""Fingers, narrow screens, keyboards and screen readers reach all of the viewer."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, Route, expect

from datasets.models import Study

from .conftest import FLAGS
from .test_viewer_annotations import SAMPLES, labelled
from .viewing import SOFTWARE_WEBGL, ct_slices, open_viewer, told, until, uploaded

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

Points = list[tuple[float, float]]

# Roles whose elements a screen reader announces by name (WAI-ARIA 1.2, 5.2.8.4).
NAMED = {
    "button", "checkbox", "combobox", "dialog", "image", "img", "link", "radio", "radiogroup", "region", "searchbox",
    "slider", "tab", "tabpanel", "textbox", "toolbar", "PopUpButton", "complementary",
}  # fmt: skip


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return {**browser_type_launch_args, "args": [*FLAGS, SOFTWARE_WEBGL]}


@pytest.fixture
def ct(user) -> Study:
    return uploaded(user, "CT", ct_slices()).studies.get()


def touch(fingers: CDPSession, *steps: Points) -> None:
    """Put fingers down, move them from place to place, lift them."""
    for number, points in enumerate(steps):
        kind = "touchMove" if number else "touchStart"
        where = [{"x": x, "y": y, "id": finger} for finger, (x, y) in enumerate(points)]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": where})
    fingers.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})


def choose(page: Page, tool: str) -> None:
    button = page.get_by_role("button", name=tool, exact=True)
    button.click()  # a tap that a busy machine draws out is a long press
    expect(button).to_have_attribute("aria-pressed", "true")


def corner(page: Page) -> tuple[float, float]:
    x, y = page.evaluate("deepcapViewer.toCanvas(0, 0)")
    return x, y


def line(start: Points, end: Points, steps: int = 8) -> list[Points]:
    """Return the places of fingers on straight ways."""
    return [
        [(x + (u - x) * step / steps, y + (v - y) * step / steps) for (x, y), (u, v) in zip(start, end, strict=True)]
        for step in range(steps + 1)
    ]


@pytest.mark.browser_context_args(
    viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True, device_scale_factor=2
)
def test_fingers_zoom_move_and_browse_on_a_narrow_screen(console: Page, ct):
    open_viewer(console, ct)
    fingers = console.context.new_cdp_session(console)
    scale, start, window = told(console)["scale"], corner(console), told(console)["window"]

    touch(fingers, *line([(155, 400), (235, 400)], [(115, 400), (275, 400)]))
    until(console, lambda: told(console)["scale"] == pytest.approx(2 * scale, rel=0.03))
    box = console.locator("#surface").bounding_box()
    assert box is not None
    middle = (195 - box["x"], 400 - box["y"])
    for now, before, around in zip(corner(console), start, middle, strict=True):
        assert now - around == pytest.approx(2 * (before - around), abs=6)
    expect(console.locator("#navigator")).to_be_visible()

    scale, start = told(console)["scale"], corner(console)
    touch(fingers, *line([(150, 400), (230, 400)], [(200, 430), (280, 430)]))
    until(console, lambda: corner(console)[0] == pytest.approx(start[0] + 50, abs=3))
    assert corner(console)[1] == pytest.approx(start[1] + 30, abs=3)
    assert told(console)["scale"] == pytest.approx(scale, rel=0.01)
    assert told(console)["window"] == window, "two fingers hold no tool"
    assert told(console)["stack"]["place"] == 0

    more = console.get_by_role("button", name="More tools")
    room, place = console.locator(".toolbar").bounding_box(), more.bounding_box()
    assert room is not None and place is not None
    assert place["x"] + place["width"] <= room["x"] + room["width"] + 0.5, "not behind the page's own controls"
    menu = console.locator("#more-menu")
    more.click()
    expect(menu).to_be_visible()
    menu.get_by_role("button", name="Browse images").click()
    expect(menu).to_be_hidden()
    touch(fingers, *line([(200, 350)], [(200, 450)]))
    until(console, lambda: told(console)["stack"]["place"] > 0)
    browsed = told(console)["stack"]["place"]
    touch(fingers, *line([(200, 450)], [(200, 350)]))
    until(console, lambda: told(console)["stack"]["place"] < browsed)

    choose(console, "Pan")
    start = corner(console)
    touch(fingers, *line([(200, 400)], [(150, 420)]))
    until(console, lambda: corner(console) == pytest.approx((start[0] - 50, start[1] + 20), abs=12))
    choose(console, "Window level")
    touch(fingers, *line([(150, 400)], [(250, 400)]))
    until(console, lambda: told(console)["window"]["reason"] == "Set by hand")


def controls(page: Page) -> set[str]:
    """Return what can be operated and is on screen, by its accessible name or id."""
    found: list[str] = page.evaluate(
        """() => [...document.querySelectorAll('button, input, select, a[href]')]
            .filter((one) => !one.disabled && one.tabIndex >= 0 && one.checkVisibility({ visibilityProperty: true }))
            .map((one) => one.id || one.ariaLabel || one.textContent)"""
    )
    return set(found)


def tabbed(page: Page, presses: int = 70) -> set[str]:
    """Return where the focus comes by with the tabulator key alone."""
    reached = set()
    for _ in range(presses):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("(({ activeElement: one }) => one.id || one.ariaLabel || one.textContent)(document)"))
    return reached


@pytest.mark.parametrize("width", [390, 1440])
def test_the_keyboard_reaches_every_control(console: Page, user, width):
    dataset = labelled(user, SAMPLES / "Blood cells.zip")
    data = dataset.annotation_data.get()
    console.set_viewport_size({"width": width, "height": 844})
    open_viewer(console, dataset.studies.order_by("position")[0], f"?annotation_data={data.pk}")
    if width == 390:
        console.keyboard.press("n")  # closed where there is little room
    expect(console.get_by_role("checkbox", name=data.name)).to_be_visible()
    wanted = controls(console)
    assert len(wanted) > 15
    assert wanted <= tabbed(console)
    if width == 390:
        console.get_by_role("button", name="More tools").focus()
        console.keyboard.press("Enter")
        expect(console.locator("#more-menu")).to_be_visible()
        wanted = controls(console)
        assert "tool-length" in wanted
        assert wanted <= tabbed(console)
    console.get_by_role("checkbox", name=data.name).focus()
    console.keyboard.press("i")  # a box that is ticked is not one to write in
    until(console, lambda: told(console)["window"]["inverted"])


def spoken(page: Page) -> dict[str, list[str]]:
    """Return the names by role that Chromium's accessibility tree has; fail where one is missing."""
    nodes: list[dict[str, Any]] = page.context.new_cdp_session(page).send("Accessibility.getFullAXTree")["nodes"]
    names: dict[str, list[str]] = {}
    for node in nodes:
        role = node.get("role", {}).get("value", "")
        if not node["ignored"] and role in NAMED:
            names.setdefault(role, []).append(str(node.get("name", {}).get("value", "")))
    assert {role: said for role, said in names.items() if not all(text.strip() for text in said)} == {}
    return names


def test_screen_readers_hear_a_name_for_every_control_in_every_state(console: Page, user, expected_faults):
    dataset = labelled(user, SAMPLES / "Liver CT.zip")
    data = dataset.annotation_data.get()
    image = dataset.images.order_by("position")[0]
    open_viewer(console, image.study, f"?image={image.pk}&annotation_data={data.pk}")
    expect(console.get_by_role("checkbox", name=data.name)).to_be_visible()
    names = spoken(console)
    assert image.path in names.get("img", []) + names.get("image", [])
    assert {"Window level", "Zoom in", "Next image", "Play", "Captions", "Close"} <= set(names["button"])
    assert {"Image of the stack", "Opacity of masks"} <= set(names["slider"])
    console.keyboard.press("w")
    assert {"Preset", "CT Bone"} <= {name.split("Shift")[0].strip() for name in spoken(console)["radio"]}
    console.keyboard.press("Escape")
    console.keyboard.press("?")
    assert spoken(console)["tab"] == ["HOTKEY", "GESTURE"]
    console.keyboard.press("Escape")
    console.keyboard.press("t")
    expect(console.get_by_role("searchbox")).to_be_visible()
    assert "Search tags" in spoken(console)["searchbox"]
    console.keyboard.press("Escape")

    expected_faults.append(r"\b503\b")
    refusal = {"code": "storage_away", "detail": "The store of the images does not answer."}
    console.route(re.compile(r"/(frames|rendered)/"), lambda route: route.fulfill(status=503, json=refusal))
    open_viewer(console, image.study, state="error")
    assert "Try again" in spoken(console)["button"]


def test_a_study_without_images_says_so(console: Page, ct):
    def emptied(route: Route) -> None:
        response = route.fetch()

        def without(found: re.Match[str]) -> str:
            scene = json.loads(found[2])
            scene["series"], scene["selected"]["image"] = [], None
            return found[1] + json.dumps(scene).replace("<", "\\u003C") + found[3]

        body = re.sub(r'(<script id="viewer-scene"[^>]*>)(.*?)(</script>)', without, response.text(), flags=re.S)
        route.fulfill(response=response, body=body)

    console.route(f"**/viewer/studies/{ct.pk}/", emptied)
    open_viewer(console, ct, state="error")
    expect(console.get_by_role("alert")).to_contain_text("This study has no images.")
    console.keyboard.press("n")
    expect(console.get_by_role("complementary", name="Annotations")).to_contain_text("no annotation data")
