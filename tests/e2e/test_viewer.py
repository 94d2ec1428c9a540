"""What people do in the viewer: browse, window, measure, look at annotations; and what a fault looks like."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, Route, expect

from datasets.models import Study
from tests.imaging import samples

from .conftest import FLAGS
from .pictures import pictures
from .viewing import SOFTWARE_WEBGL, ct_slices, on_screen, open_viewer, settled, told, until, uploaded

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

MULTI_FRAME = "dicom/pydicom-data/emri_small.dcm"


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    """WebGL in software, which the viewer must see through: it then draws without."""
    return {**browser_type_launch_args, "args": [*FLAGS, SOFTWARE_WEBGL]}


@pytest.fixture
def ct(user) -> Study:
    """A series of 20 slices of 512 x 512."""
    return uploaded(user, "CT", ct_slices()).studies.get()


@pytest.fixture
def photos(user) -> list[Study]:
    """Three studies of one picture each."""
    return list(uploaded(user, "Photos", pictures(3)).studies.order_by("position"))


def value_of(page: Page, name: str):
    return told(page)[name]


def test_a_link_opens_the_image_it_names_and_the_address_follows(console: Page, ct):
    image = ct.images.order_by("position")[6]
    open_viewer(console, ct, f"?image={image.pk}")
    assert value_of(console, "image")["id"] == image.pk
    expect(console.locator("#stack-position")).to_have_text("7 / 20 images")
    expect(console.locator("#image-path")).to_have_text(image.path)
    console.keyboard.press("ArrowRight")
    following = ct.images.order_by("position")[7]
    settled(console, following, 1)
    expect(console).to_have_url(re.compile(rf"\?image={following.pk}$"))


def test_the_stack_is_browsed_with_wheel_keys_and_slider(console: Page, ct):
    open_viewer(console, ct)
    images = list(ct.images.order_by("position"))
    settled(console, images[0], 1)
    console.mouse.move(600, 400)
    console.mouse.wheel(0, 100)
    until(console, lambda: value_of(console, "stack")["place"] > 0)
    console.keyboard.press("End")
    settled(console, images[-1], 1)
    expect(console.get_by_role("button", name="Next image")).to_be_disabled()
    console.locator("#stack").fill("5")
    settled(console, images[4], 1)
    console.keyboard.press("Home")
    settled(console, images[0], 1)


def test_memory_does_not_grow_when_the_stack_is_gone_through_again(console: Page, ct):
    open_viewer(console, ct)
    held = []
    for _ in range(2):
        for place, image in enumerate(ct.images.order_by("position")):
            settled(console, image, 1)
            if place < ct.image_count - 1:
                console.keyboard.press("ArrowRight")
        held.append(value_of(console, "cacheBytes"))
        console.keyboard.press("Home")
    assert held[0] == held[1] == ct.image_count * 512 * 512 * 2


def test_studies_are_browsed_inside_the_page_and_back_goes_back(console: Page, photos):
    open_viewer(console, photos[0])
    console.evaluate("globalThis.sameDocument = true")
    expect(console.locator("#study-position")).to_have_text("All Studies: 1 / 3")
    expect(console.get_by_role("button", name="Previous study")).to_be_hidden()
    console.get_by_role("button", name="Next study").click()
    settled(console, photos[1].images.get(), 1)
    expect(console.locator("#study-position")).to_have_text("All Studies: 2 / 3")
    console.keyboard.press("Alt+ArrowRight")
    settled(console, photos[2].images.get(), 1)
    expect(console.get_by_role("button", name="Next study")).to_be_hidden()
    expect(console).to_have_url(re.compile(rf"/viewer/studies/{photos[2].pk}/"))
    console.go_back()
    settled(console, photos[1].images.get(), 1)
    assert console.evaluate("globalThis.sameDocument")
    console.reload()
    console.wait_for_selector("#viewer[data-viewer-state=ready]")
    assert value_of(console, "study") == photos[1].pk


def test_back_keeps_the_address_of_the_study_it_goes_to_while_that_is_awaited(console: Page, photos):
    open_viewer(console, photos[0])
    console.get_by_role("button", name="Next study").click()
    settled(console, photos[1].images.get(), 1)
    before = history_entry(console, photos[1])
    console.get_by_role("button", name="Next study").click()
    settled(console, photos[2].images.get(), 1)
    held: list[Route] = []
    console.route(f"**/viewer/studies/{photos[1].pk}/scene/**", lambda route: held.append(route))
    console.keyboard.press("c")  # the page is about to write down the address of the third study
    console.go_back()
    until(console, lambda: bool(held))
    console.wait_for_timeout(600)  # and would have done so three times over
    assert console.url == before
    held[0].continue_()
    settled(console, photos[1].images.get(), 1)
    assert history_entry(console, photos[1]) == before
    console.unroute_all()
    console.reload()
    console.wait_for_selector("#viewer[data-viewer-state=ready]")
    assert value_of(console, "study") == photos[1].pk


def history_entry(page: Page, study: Study) -> str:
    """Wait until the page has written down the image of a study as its address; return that."""
    expect(page).to_have_url(re.compile(rf"/viewer/studies/{study.pk}/\?image={study.images.get().pk}$"))
    return page.url


def test_frames_of_one_file_play(console: Page, user):
    dataset = uploaded(user, "Frames", [("us.dcm", samples.local(MULTI_FRAME))])
    image = dataset.images.get()
    assert image.frames > 1
    open_viewer(console, image.study, f"?frame={image.frames}")
    settled(console, image, image.frames)
    console.keyboard.press("Home")
    settled(console, image, 1)
    console.locator("#cine-speed").select_option("30")
    console.get_by_role("button", name="Play").click()
    seen: set[int] = set()
    until(console, lambda: seen.add(value_of(console, "stack")["place"]) or len(seen) > 3)
    console.get_by_role("button", name="Pause").click()
    expect(console.get_by_role("button", name="Play")).to_be_visible()


def test_windows_come_from_the_file_from_presets_and_from_the_hand(console: Page, ct):
    open_viewer(console, ct)
    console.keyboard.press("1")  # at other scales the lightest pixel is smoothed into its neighbours
    own = value_of(console, "window")
    assert own["reason"] == "The file's own window"
    console.keyboard.press("Shift+Digit4")
    until(console, lambda: value_of(console, "window")["reason"] == "Preset: CT Bone")
    expect(console.locator("#window-text")).to_contain_text("WL: 300 / WW: 1500")
    console.get_by_role("button", name="Window level menu").click()
    menu = console.get_by_role("dialog", name="Window level")
    expect(menu.get_by_role("radio", name="CT Bone")).to_be_checked()
    menu.get_by_role("radio", name="Full range").click()
    until(console, lambda: "Lowest to highest" in value_of(console, "window")["reason"])
    until(console, lambda: (on_screen(console)[0].min(), on_screen(console)[0].max()) == (0, 255))
    console.keyboard.press("Escape")
    console.mouse.move(500, 400)
    console.mouse.down()
    console.mouse.move(600, 450, steps=4)
    console.mouse.up()
    until(console, lambda: value_of(console, "window")["reason"] == "Set by hand")
    console.keyboard.press("Shift+Digit1")
    until(console, lambda: value_of(console, "window") == own)


def test_turning_and_inverting_change_the_screen_as_they_say(console: Page, ct):
    open_viewer(console, ct, f"?image={ct.images.order_by('position')[9].pk}")
    console.keyboard.press("1")
    before, part = on_screen(console)
    console.keyboard.press("i")
    until(console, lambda: bool(np.abs(255 - before.astype(int) - on_screen(console)[0]).max() <= 1))
    console.keyboard.press("i")
    corner = console.evaluate("deepcapViewer.toCanvas(0, 0)")
    console.keyboard.press("h")
    until(console, lambda: console.evaluate("deepcapViewer.toCanvas(0, 0)") != corner)
    flipped = console.evaluate("deepcapViewer.toCanvas(0, 0)")
    assert flipped[0] - corner[0] == pytest.approx(512, abs=1)
    console.keyboard.press("r")
    console.keyboard.press("0")
    until(console, lambda: console.evaluate("deepcapViewer.toCanvas(0, 0)")[0] < flipped[0])
    assert part[0].stop == 512


def test_the_value_under_the_pointer_and_a_length_are_in_units_of_the_file(console: Page, ct):
    open_viewer(console, ct)
    console.keyboard.press("1")
    at = console.evaluate("deepcapViewer.toCanvas(256.5, 256.5)")
    box = console.locator("#surface").bounding_box()
    console.mouse.move(box["x"] + at[0], box["y"] + at[1])
    value = console.evaluate("deepcapViewer.valueAt(256, 256)")
    expect(console.locator("#pixel-value")).to_have_text(re.compile(rf"256, 256\s+{value:g} HU"))
    console.keyboard.press("l")
    console.mouse.down()
    console.mouse.move(box["x"] + at[0] + 100, box["y"] + at[1], steps=5)
    console.mouse.up()
    spacing = json.loads(console.locator("#viewer-scene").inner_text())["series"][0]["images"][0]["spacing"]
    expect(console.locator("#surface svg text").first).to_contain_text(f"{100 * spacing['column']:.1f} mm")
    console.keyboard.press("Delete")
    expect(console.locator("#surface svg text")).to_have_count(0)


def annotated(page: Page, study: Study, annotations: dict[str, list[dict]], role: str) -> None:
    """Let the server say that a study has annotation data; what it says is the contract's JSON."""
    told_by_server = page.request.get(f"{page.url.split('/datasets')[0]}/viewer/studies/{study.pk}/scene/").json()
    labels = [{"id": 1, "name": "Lesion", "color": "#ef5350"}, {"id": 2, "name": "Organ", "color": "#26c6da"}]
    info = {
        "id": 77, "name": "Reading", "annotation_type": "object_detection", "source_kind": "local_upload",
        "role": role, "labels": labels, "annotations_url": "/viewer/annotations-of-this-test/",
    }  # fmt: skip
    told_by_server["annotation_data"] = [info]
    told_by_server["selected"]["annotation_data"] = [77]
    answer = {"annotation_data": info, "images": annotations}
    page.route("**/viewer/annotations-of-this-test/", lambda route: route.fulfill(json=answer))

    def with_scene(route: Route) -> None:
        response = route.fetch()
        inline = json.dumps(told_by_server).replace("<", "\\u003C")
        body = re.sub(
            r'(<script id="viewer-scene"[^>]*>).*?(</script>)',
            lambda m: m[1] + inline + m[2],
            response.text(),
            flags=re.S,
        )
        route.fulfill(response=response, body=body)

    page.route(f"**/viewer/studies/{study.pk}/", with_scene)


@pytest.mark.parametrize(("role", "dashed"), [("ground_truth", "none"), ("prediction", "7px, 5px")])
def test_annotations_lie_on_the_picture_and_each_eye_hides_its_own(console: Page, photos, role, dashed):
    image = photos[0].images.get()
    mask = {"size": [image.height, image.width], "counts": [0, image.height * image.width]}
    annotated(
        console,
        photos[0],
        {
            str(image.pk): [
                {"label": "Lesion", "bbox": [2, 3, 8, 6], "score": 0.875},
                {"label": "Organ", "segmentation": mask},
                {"label": "Organ", "value": 1, "score": 0.995},
            ]
        },
        role,
    )
    open_viewer(console, photos[0])
    panel = console.get_by_role("complementary", name="Annotations")
    expect(panel.get_by_text("0.995")).to_be_visible()
    box = console.locator("path.shape.detection")
    expect(box).to_have_count(1)
    expect(box).to_have_css("stroke-dasharray", dashed)
    corner = console.evaluate("deepcapViewer.toCanvas(2, 3)")
    drawn = [float(part) for part in re.findall(r"[\d.]+", box.get_attribute("d"))[:2]]
    assert drawn == pytest.approx(corner, abs=0.1)
    expect(console.locator(".shape-tag")).to_have_text("Lesion 0.875")

    def covered() -> bool:
        return console.evaluate(
            """() => { const c = document.querySelector('canvas.masks');
                       return c.getContext('2d').getImageData(0, 0, c.width, c.height).data.some((v) => v) }"""
        )

    assert covered()
    panel.get_by_role("button", name="Show Segmentation").click()
    assert not covered()
    panel.get_by_role("button", name="Show Lesion").click()
    expect(box).to_have_count(0)
    console.keyboard.press("m")
    assert covered()
    panel.get_by_role("button", name="Show Lesion").click()
    console.keyboard.press("c")
    expect(console.locator(".shape-tag")).to_have_count(0)
    expect(box).to_have_count(1)


def test_the_servers_picture_is_seen_until_the_windowed_one_is_there(console: Page, ct):
    held: list[Route] = []
    hold = True
    console.route(re.compile(r"/frames/"), lambda route: held.append(route) if hold else route.continue_())
    open_viewer(console, ct, state="loading")
    expect(console.get_by_role("toolbar", name="Tools")).to_be_visible()
    expect(console.get_by_role("status", name="Loading")).to_be_visible()
    expect(console.locator("#surface")).to_have_css("visibility", "hidden")
    expect(console.locator("#viewer-preview")).to_be_visible()
    until(console, lambda: bool(held))
    hold = False
    for route in held:
        route.continue_()
    settled(console, ct.images.order_by("position")[0], 1)
    expect(console.locator("#surface")).to_have_css("visibility", "visible")
    expect(console.locator("#viewer-preview")).to_have_count(0)


def test_what_the_browser_cannot_decode_the_server_decodes(console: Page, ct):
    console.route(re.compile(r"/frames/\d+/$"), lambda route: route.fulfill(body=b"not a code stream"))
    open_viewer(console, ct)
    assert value_of(console, "image")["source"] == "server"
    assert value_of(console, "window")["reason"] == "The file's own window"


def test_what_nobody_decodes_is_shown_as_the_server_rendered_it_and_says_so(console: Page, ct, expected_faults):
    expected_faults.append(r"\b500\b")
    console.route(re.compile(r"/frames/"), lambda route: route.fulfill(status=500, body=""))
    open_viewer(console, ct)
    assert value_of(console, "image")["source"] == "rendering"
    expect(console.locator("#note")).to_contain_text("the server's rendering is shown")


def test_a_fault_is_a_sentence_on_the_canvas_and_can_be_tried_again(console: Page, ct, expected_faults):
    expected_faults.append(r"\b50[03]\b")
    refusal = {"code": "storage_away", "detail": "The store of the images does not answer."}
    console.route(re.compile(r"/(frames|rendered)/"), lambda route: route.fulfill(status=503, json=refusal))
    open_viewer(console, ct, state="error")
    expect(console.get_by_role("alert")).to_contain_text("The store of the images does not answer.")
    console.unroute_all()
    console.get_by_role("button", name="Try again").click()
    settled(console, ct.images.order_by("position")[0], 1)
    expect(console.get_by_role("alert")).to_be_hidden()


def test_help_information_and_tags_open_with_keys(console: Page, ct):
    open_viewer(console, ct)
    console.keyboard.press("?")
    dialog = console.get_by_role("dialog", name="Command")
    expect(dialog.get_by_text("Autoplay")).to_be_visible()
    dialog.get_by_role("tab", name="GESTURE").click()
    expect(dialog.get_by_text("Pinch")).to_be_visible()
    dialog.get_by_role("button", name="CLOSE").click()
    console.keyboard.press("t")
    dialog = console.get_by_role("dialog", name="Information")
    expect(dialog.get_by_text("512 × 512")).to_be_visible()
    dialog.get_by_role("searchbox").fill("window center")
    expect(dialog.locator("tbody tr")).to_have_count(1)
    with console.expect_download() as download:
        dialog.get_by_role("link", name="Download the original").click()
    assert Path(download.value.path()).read_bytes()[128:132] == b"DICM"


@pytest.mark.parametrize("width", [390, 768, 2560])
def test_every_control_has_a_name_and_nothing_is_outside_the_window(console: Page, ct, width):
    console.set_viewport_size({"width": width, "height": 800})
    open_viewer(console, ct)
    unnamed = console.evaluate(
        """() => [...document.querySelectorAll('button, input, select, a')].filter((one) => !(one.ariaLabel ||
             one.textContent.trim() || one.labels?.length)).map((one) => one.outerHTML)"""
    )
    assert unnamed == []
    assert console.evaluate("document.documentElement.scrollWidth") <= width
    assert console.locator("#surface").bounding_box()["width"] >= 0.5 * width


def test_the_chosen_tool_is_remembered(console: Page, photos):
    open_viewer(console, photos[0])
    console.get_by_role("button", name="Pan").click()
    console.reload()
    console.wait_for_selector("#viewer[data-viewer-state=ready]")
    expect(console.get_by_role("button", name="Pan")).to_have_attribute("aria-pressed", "true")
