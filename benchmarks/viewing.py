"""A person at the viewer, in Chromium: opens it, goes on to other studies, walks through a series."""

from __future__ import annotations

import shutil
import time
from typing import Any

from .scenes import PASSWORD, USER

FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--enable-unsafe-swiftshader", "--enable-precise-memory-info",
)  # fmt: skip

# Run in the page. Keys are pressed as a person would; time ends with the frame that shows the result.
PRESS = """async ([key, alt]) => {
    const viewer = globalThis.deepcapViewer, frame = () => new Promise(requestAnimationFrame);
    const before = viewer.study, start = performance.now();
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key, code: key, altKey: alt, bubbles: true }));
    while (viewer.study === before || viewer.state !== "ready") await frame();
    return performance.now() - start;
}"""
SCROLL = """async () => {
    const viewer = globalThis.deepcapViewer, frame = () => new Promise(requestAnimationFrame), taken = [];
    const { total } = viewer.stack, goal = viewer.stack.place === 0 ? 1 : -1;
    for (let step = 1; step < total; step += 1) {
        const key = goal > 0 ? "ArrowRight" : "ArrowLeft", before = viewer.image?.id, start = performance.now();
        document.body.dispatchEvent(new KeyboardEvent("keydown", { key, code: key, bubbles: true }));
        while (viewer.image?.id === before || viewer.state !== "ready") await frame();
        taken.push(performance.now() - start);
    }
    return { taken, cache: viewer.cacheBytes, heap: performance.memory.usedJSHeapSize };
}"""


def look(address: str, studies: list[int], rounds: int) -> dict[str, Any]:
    """Open, go to the next study and back, and walk through the first series three times."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(120_000)
        page.goto(f"{address}/accounts/login/")
        page.fill("[name=username]", USER)
        page.fill("[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url("**/datasets/")
        first, painted = [], []
        for _ in range(rounds + 1):
            start = time.perf_counter()
            page.goto(f"{address}/viewer/studies/{studies[0]}/", wait_until="commit")
            page.wait_for_selector("#viewer[data-viewer-state=ready]")
            first.append((time.perf_counter() - start) * 1e3)
            painted.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"))
        page.wait_for_timeout(2000)
        following = []
        for turn in range(rounds):
            following.append(page.evaluate(PRESS, ["ArrowLeft" if turn % 2 else "ArrowRight", True]))
            page.wait_for_timeout(1000)
        passes = [page.evaluate(SCROLL) for _ in range(3)]
        browser.close()
    return {"first": first[1:], "painted": painted[1:], "next": following, "passes": passes}
