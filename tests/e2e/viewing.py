"""What the tests of the viewer share: opening it, waiting for a picture, reading what is on screen."""

from __future__ import annotations

import base64
import io
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page

from datasets.models import Dataset, Image, Study
from datasets.services.uploads import upload_file

from .conftest import do_the_work
from .pictures import zip_file

CT_ZIP = Path(__file__).parents[2] / "samples" / "CT head phantom.zip"
SOFTWARE_WEBGL = "--enable-unsafe-swiftshader"


def ct_slices() -> list[tuple[str, bytes]]:
    """Return the 20 slices of 512 x 512 of the sample series."""
    with zipfile.ZipFile(CT_ZIP) as archive:
        return [(name, archive.read(name)) for name in archive.namelist() if name.endswith(".dcm")]


def uploaded(user, name: str, members: list[tuple[str, bytes]]) -> Dataset:
    """Return a dataset that came in as people's datasets do, and is ready."""
    data = zip_file(name, members)["buffer"]
    assert isinstance(data, bytes)
    dataset = upload_file(owner=user, stream=io.BytesIO(data), filename=f"{name}.zip", size=len(data), name=name)
    do_the_work()
    dataset.refresh_from_db()
    return dataset


def open_viewer(page: Page, study: Study, query: str = "", *, state: str = "ready") -> None:
    """Go to a study's viewer and wait until its first image is on screen (or its fault, for ``state="error"``)."""
    origin = page.url.split("/", 3)
    page.goto(f"{origin[0]}//{origin[2]}/viewer/studies/{study.pk}/{query}")
    page.wait_for_selector(f"#viewer[data-viewer-state={state}]")


def until(page: Page, condition: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for a condition; the page's policy forbids Playwright's own ``wait_for_function``."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"Not within {seconds} s: {told(page)}"
        page.wait_for_timeout(10)


def told(page: Page) -> dict[str, Any]:
    """Return what ``window.deepcapViewer`` says."""
    answer: dict[str, Any] = page.evaluate(
        """() => { const { state, study, image, stack, window: shown, scale, backend, cacheBytes } = deepcapViewer;
                   return { state, study, image, stack, window: shown, scale, backend, cacheBytes } }"""
    )
    return answer


def settled(page: Page, image: Image, frame: int) -> dict[str, Any]:
    """Wait until a frame of an image is on screen, or its fault; return what the viewer says."""

    def done() -> bool:
        answer = told(page)
        shown = answer["image"] or {}
        if answer["state"] == "error":
            return True
        return answer["state"] == "ready" and (shown.get("id"), shown.get("frame")) == (image.pk, frame)

    until(page, done)
    return told(page)


def on_screen(page: Page) -> tuple[NDArray[np.uint8], tuple[slice, slice]]:
    """Return the RGB of the image pixels that are on screen, and which part of the image (rows, columns) they are."""
    shown = told(page)["image"]
    box = page.locator("#surface").bounding_box()
    assert box is not None
    left, top = page.evaluate("deepcapViewer.toCanvas(0, 0)")
    right, bottom = page.evaluate(f"deepcapViewer.toCanvas({shown['width']}, {shown['height']})")
    across, down = (right - left) / shown["width"], (bottom - top) / shown["height"]
    x0, y0 = max(0, int(np.ceil(-left / across))), max(0, int(np.ceil(-top / down)))
    x1 = min(shown["width"], int((box["width"] - left) / across))
    y1 = min(shown["height"], int((box["height"] - top) / down))
    text = page.evaluate(f"deepcapViewer.pixelsOnScreen({x0}, {y0}, {x1 - x0}, {y1 - y0})")
    pixels = np.frombuffer(base64.b64decode(text), np.uint8).reshape(y1 - y0, x1 - x0, 4)
    return pixels[..., :3], (slice(y0, y1), slice(x0, x1))
