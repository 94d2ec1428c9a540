"""Small files to upload."""

from __future__ import annotations

import base64

from playwright.sync_api import Page

from tests.builders import png, zip_of

BROKEN = b"\x89PNG\r\n\x1a\n and then nothing of the kind"


def pictures(count: int, *, folder: str = "") -> list[tuple[str, bytes]]:
    """Return PNG files of different shades, lightest last."""
    return [(f"{folder}{number}.png", png(40 * number, width=64, height=48)) for number in range(count)]


def zip_file(name: str, members: list[tuple[str, bytes]]) -> dict[str, object]:
    """Return a zip as Playwright takes files."""
    return {"name": name, "mimeType": "application/zip", "buffer": zip_of(members)}


def drop(page: Page, file: dict[str, object]) -> None:
    """Drop a file on the page."""
    encoded = base64.b64encode(file["buffer"]).decode()
    transfer = page.evaluate_handle(
        """([name, encoded]) => {
            const bytes = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], name, { type: "application/zip" }));
            return transfer;
        }""",
        [file["name"], encoded],
    )
    for event in ("dragenter", "dragover", "drop"):
        page.dispatch_event("#main", event, {"dataTransfer": transfer})
