"""Take the pictures of this folder: ``python docs/viewer/take_screenshots.py ADDRESS USER PASSWORD``.

The product at ADDRESS must hold the datasets of ``samples/`` (``manage.py import_dataset``), and Chromium be installed.
"""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).parent
FLAGS = ("--headless=new", "--no-sandbox", "--disable-background-networking", "--disable-sync")
NORMAL, NARROW, WIDE = (1280, 800), (390, 800), (2560, 1300)


class Viewer:
    """A page signed in to the product."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address

    def get(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.page.request.get(f"{self.address}/api/v1/{path}").json()["results"]
        return found

    def dataset(self, name: str) -> int:
        return next(each["id"] for each in self.get("datasets/?page_size=500") if each["name"] == name)

    def open(self, dataset: str, *, study: int = 0, image: int = 0, labels: bool = False, state: str = "ready") -> None:
        number = self.dataset(dataset)
        chosen = self.get(f"datasets/{number}/studies/")[study]["id"]
        query = f"?image={self.get(f'studies/{chosen}/images/')[image]['id']}"
        if labels:
            query += "".join(
                f"&annotation_data={each['id']}" for each in self.get(f"datasets/{number}/annotation-data/")
            )
        self.page.goto(f"{self.address}/viewer/studies/{chosen}/{query}")
        self.page.wait_for_selector(f"#viewer[data-viewer-state={state}]")
        self.page.wait_for_timeout(1500)  # annotation data and icons are fetched after the picture

    def keep(self, name: str) -> None:
        self.page.mouse.move(5, 400)
        self.page.screenshot(path=FOLDER / f"{name}.jpg", type="jpeg", quality=80)

    def size(self, size: tuple[int, int]) -> None:
        self.page.set_viewport_size({"width": size[0], "height": size[1]})

    def drag(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        self.page.mouse.move(*start)
        self.page.mouse.down()
        self.page.mouse.move(*end, steps=6)
        self.page.mouse.up()


def ct(viewer: Viewer) -> None:
    page = viewer.page
    viewer.open("CT head phantom", image=9)
    viewer.keep("ct")
    page.keyboard.press("w")
    viewer.keep("window-menu")
    page.keyboard.press("Escape")
    for key, start, end in (
        ("l", (520, 330), (720, 330)),
        ("e", (560, 400), (640, 470)),
        ("o", (470, 480), (540, 560)),
    ):
        page.keyboard.press(key)
        viewer.drag(start, end)
    viewer.keep("measurements")
    page.keyboard.press("Delete")
    page.keyboard.press("f")
    for _ in range(5):
        page.keyboard.press("+")
    viewer.keep("zoomed")
    page.keyboard.press("0")
    page.keyboard.press("t")
    page.get_by_role("searchbox").fill("window")
    viewer.keep("information")
    page.keyboard.press("Escape")  # empties the search
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    viewer.keep("help")
    page.keyboard.press("Escape")
    page.keyboard.press("w")
    page.keyboard.press("Escape")


def labels(viewer: Viewer) -> None:
    viewer.open("Blood cells", labels=True)
    viewer.keep("annotations")
    viewer.open("Liver CT", image=1, labels=True)
    viewer.keep("masks")
    viewer.open("CT head phantom", image=9)
    if not viewer.page.locator("#annotation-panel").is_visible():
        viewer.page.keyboard.press("n")
    viewer.keep("no-annotations")
    viewer.page.keyboard.press("n")


def sizes(viewer: Viewer) -> None:
    page = viewer.page
    viewer.size(NARROW)
    viewer.open("CT head phantom", image=9)
    viewer.keep("narrow")
    page.get_by_role("button", name="More tools").click()
    viewer.keep("narrow-more-tools")
    viewer.open("Blood cells", labels=True)
    page.keyboard.press("n")
    viewer.keep("narrow-annotations")
    page.keyboard.press("n")
    viewer.size(WIDE)
    viewer.open("CT head phantom", image=9)
    viewer.keep("wide")
    viewer.size(NORMAL)


def troubles(viewer: Viewer) -> None:
    page = viewer.page
    refusal = {"code": "storage_away", "detail": "The store of the images does not answer."}
    page.route(re.compile("/(frames|rendered)/"), lambda route: route.fulfill(status=503, json=refusal))
    viewer.open("CT head phantom", state="error")
    viewer.keep("fault")
    page.unroute_all()
    page.route(re.compile("/frames/"), lambda route: route.fulfill(status=500, body=""))
    viewer.open("CT head phantom")
    viewer.keep("rendering")
    page.unroute_all()
    page.route(re.compile("/frames/"), lambda route: None)
    viewer.open("CT head phantom", state="loading")
    viewer.keep("loading")
    page.unroute_all(behavior="ignoreErrors")


def main() -> None:
    address, user, password = sys.argv[1:]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": NORMAL[0], "height": NORMAL[1]})
        page.set_default_timeout(60_000)
        page.goto(f"{address}/accounts/login/")
        page.fill("[name=username]", user)
        page.fill("[name=password]", password)
        page.keyboard.press("Enter")
        page.wait_for_url("**/datasets/")
        viewer = Viewer(page, address.rstrip("/"))
        for take in (ct, labels, sizes, troubles):
            take(viewer)
        browser.close()


if __name__ == "__main__":
    main()
