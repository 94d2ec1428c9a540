"""Every drawable sample looks in the viewer as the server renders it, pixel by pixel at one to one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import PIL.Image
import pytest
from playwright.sync_api import Page

from datasets.models import Image, Study
from tests import shared
from tests.imaging.samples import Sample, all_samples, difference, pixels

from .conftest import FLAGS
from .viewing import SOFTWARE_WEBGL, on_screen, open_viewer, settled, told, uploaded

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

MOST = 2.0  # of 255, mean absolute difference
LEAST_ZOOM_STEPS = 6


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    """WebGL in software, which the viewer must see through: it then draws without."""
    return {**browser_type_launch_args, "args": [*FLAGS, SOFTWARE_WEBGL]}


def drawable(*, wide: bool) -> list[Sample]:
    return [sample for sample in all_samples() if "accepted" in sample.outcomes and sample.is_wide == wide]


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("wide", [False, pytest.param(True, marks=[pytest.mark.wide, shared.needs("dicom")])])
def test_every_sample_is_shown_with_the_servers_grey_values(console: Page, user, monkeypatch, wide):
    monkeypatch.setattr(PIL.Image, "MAX_IMAGE_PIXELS", None)  # one sample is 12,000 pixels wide
    members = [(sample.path, sample.data) for sample in drawable(wide=wide)]
    dataset = uploaded(user, "Everything", members)
    studies = list(Study.objects.filter(dataset=dataset).order_by("position"))
    assert sum(study.image_count for study in studies) > 0.6 * len(members)

    console.set_viewport_size({"width": 1000, "height": 800})
    open_viewer(console, studies[0])
    faults: list[str] = []
    compared = 0
    for study in studies:
        for place, image, frame in shown_frames(study):
            if place > 1:
                console.locator("#stack").fill(str(place))
            answer = settled(console, image, frame)
            if answer["state"] == "error":
                if not image.undrawable:
                    faults.append(f"{image.path} frame {frame}: {console.locator('#fault').inner_text()}")
            else:
                gap = compare(console, image.pk, frame)
                compared += 1
                if gap > MOST or image.undrawable or answer["image"]["source"] == "rendering":
                    faults.append(
                        f"{image.path} frame {frame}: {gap:.2f}, {told(console)['window']}, {answer['image']}"
                    )
            console.keyboard.press("ArrowRight")
        if study is not studies[-1]:
            console.keyboard.press("Alt+ArrowRight")
    assert not faults, f"{len(faults)} of {compared}:\n" + "\n".join(faults)
    assert compared > 0.6 * len(members)


def shown_frames(study: Study) -> Iterator[tuple[int, Image, int]]:
    """Yield places of the viewer's stack (the first series), from 1: first, middle and last frame of each file."""
    images = list(study.images.order_by("position"))
    place = 0
    for image in images:
        if image.series_id == images[0].series_id:
            for frame in sorted({1, image.frames // 2 + 1, image.frames}):
                yield place + frame, image, frame
            place += image.frames


def compare(page: Page, image: int, frame: int) -> float:
    """Return the mean absolute difference between the screen at one to one and the server's rendering."""
    page.keyboard.press("1")
    for _ in range(LEAST_ZOOM_STEPS):
        (_, y0), (_, y1) = page.evaluate("[deepcapViewer.toCanvas(0, 0), deepcapViewer.toCanvas(0, 1)]")
        if y1 - y0 > 0.999:
            break
        page.keyboard.press("+")
    page.wait_for_timeout(40)  # two frames: the screen is what is compared
    seen, part = on_screen(page)
    origin = page.url.split("/", 3)
    answer = page.request.get(f"{origin[0]}//{origin[2]}/api/v1/images/{image}/rendered/?frame={frame}")
    assert answer.ok
    expected = pixels(answer.body())[part]
    assert seen.size > 0
    return float(difference(seen, np.asarray(expected)))
