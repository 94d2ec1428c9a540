"""Annotation data of real label files and of a model's predictions, as the viewer lays them over the picture."""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Locator, Page, expect

from annotations.formats.masks import Mask
from annotations.importing import work
from annotations.models import Annotation, AnnotationData, LabelImport
from annotations.models.annotation_data import SourceKind
from datasets.models import Dataset, Image
from deepcap.common.leases import OPEN_STATES
from tests.usage.builders import make_inference, make_training, predict, train
from usage.services.exports import export_predictions

from .conftest import FLAGS
from .viewing import SOFTWARE_WEBGL, open_viewer, told, until, uploaded

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]

SAMPLES = Path(__file__).parents[2] / "samples"
CELLS = "BloodImage_00020.jpg"


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return {**browser_type_launch_args, "args": [*FLAGS, SOFTWARE_WEBGL]}


def read_labels() -> None:
    for pk in LabelImport.objects.filter(state__in=OPEN_STATES).values_list("pk", flat=True):
        for further in work.run(pk):
            work.run(further)


def labelled(user, path: Path) -> Dataset:
    """Return the dataset of a zip, its labels read."""
    with zipfile.ZipFile(path) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist() if not name.endswith("/")]
    dataset = uploaded(user, path.stem, members)
    read_labels()
    return dataset


def colour_of(data: AnnotationData, label: str) -> str:
    return data.labels.get(name=label).color


def drawn(boxes: Locator) -> list[tuple[str, list[float]]]:
    """Return stroke and corners, in CSS pixels, of what is drawn."""
    found = boxes.evaluate_all("all => all.map((one) => [one.getAttribute('stroke'), one.getAttribute('d')])")
    return sorted((stroke, [float(part) for part in re.findall(r"-?[\d.]+", path)]) for stroke, path in found)


def expected(page: Page, stroke: str, ring: list[tuple[float, float]]) -> tuple[str, list[float]]:
    return stroke, [part for x, y in ring for part in page.evaluate(f"deepcapViewer.toCanvas({x}, {y})")]


def same(found: list[tuple[str, list[float]]], wanted: list[tuple[str, list[float]]]) -> None:
    assert [stroke for stroke, _ in found] == [stroke for stroke, _ in sorted(wanted)]
    for (_, seen), (_, told_by_file) in zip(found, sorted(wanted), strict=True):
        assert seen == pytest.approx(told_by_file, abs=0.1)


def test_boxes_lie_where_the_label_file_says_and_predictions_are_dashed_beside_them(console: Page, user):
    dataset = labelled(user, SAMPLES / "Blood cells.zip")
    truth = AnnotationData.objects.get(dataset=dataset)
    image = dataset.images.get(path=f"image/{CELLS}")
    with zipfile.ZipFile(SAMPLES / "Blood cells.zip") as archive:
        file = archive.read("label.csv").decode()
    rows = [(row[1], *map(float, row[2:6])) for row in csv.reader(io.StringIO(file)) if row[0] == CELLS]

    open_viewer(console, image.study, f"?annotation_data={truth.pk}")
    boxes = console.locator("path.shape.detection")
    expect(boxes).to_have_count(len(rows))
    wanted = [
        expected(console, colour_of(truth, label), [(x, y), (x + w, y), (x + w, y + h), (x, y + h)])
        for label, x, y, w, h in rows
    ]
    same(drawn(boxes), wanted)
    assert sorted(console.locator(".shape-tag").all_text_contents()) == sorted(label for label, *_ in rows)
    console.keyboard.press("c")
    expect(console.locator(".shape-tag")).to_have_count(0)
    expect(boxes).to_have_count(len(rows))
    console.get_by_role("button", name="Captions").click()
    expect(console.locator(".shape-tag")).to_have_count(len(rows))

    panel = console.get_by_role("complementary", name="Annotations")
    others = sum(label != "RBC" for label, *_ in rows)
    panel.get_by_role("button", name="Show RBC").click()
    expect(boxes).to_have_count(others)
    panel.get_by_role("button", name="Show Detection").click()
    expect(boxes).to_have_count(0)
    console.keyboard.press("d")
    expect(boxes).to_have_count(others)
    panel.get_by_role("button", name="Show RBC").click()
    expect(boxes).to_have_count(len(rows))

    job = predict(
        make_inference(train(make_training(truth)), dataset, ground_truth=truth),
        csv=f"{CELLS},WBC,20,30,100,50\n".encode(),
    )
    guess = export_predictions(inference_job=job, by=user, name="Guesses")
    read_labels()
    console.reload()
    console.wait_for_selector("#viewer[data-viewer-state=ready]")
    expect(panel.get_by_text("Ground truth")).to_be_visible()
    expect(panel.get_by_text("Prediction")).to_be_visible()
    expect(boxes).to_have_count(len(rows))
    panel.get_by_role("checkbox", name="Guesses").check()
    expect(boxes).to_have_count(len(rows) + 1)
    dashed = console.locator("path.shape.prediction")
    expect(dashed).to_have_count(1)
    expect(dashed).to_have_css("stroke-dasharray", "7px, 5px")
    expect(console.locator("path.shape.truth").first).to_have_css("stroke-dasharray", "none")
    same(drawn(dashed), [expected(console, colour_of(guess, "WBC"), [(20, 30), (120, 30), (120, 80), (20, 80)])])
    expect(console).to_have_url(re.compile(rf"annotation_data={truth.pk}&annotation_data={guess.pk}$"))
    panel.get_by_role("checkbox", name=truth.name).uncheck()
    expect(boxes).to_have_count(1)
    expect(console).to_have_url(re.compile(rf"[?&]annotation_data={guess.pk}$"))


def overlay(page: Page) -> NDArray[np.uint8]:
    """Return the RGBA of the masks at the middle of every pixel of the image, all of which is on screen."""
    shown = told(page)["image"]
    text = page.evaluate(
        """([width, height]) => {
            const canvas = document.querySelector('canvas.masks'), out = new Uint8Array(width * height * 4);
            const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            const [left, top] = deepcapViewer.toCanvas(0.5, 0.5), [right, below] = deepcapViewer.toCanvas(1.5, 1.5);
            for (let y = 0, to = 0; y < height; y++)
                for (let x = 0; x < width; x++, to += 4) {
                    const row = Math.floor(top + y * (below - top)), column = Math.floor(left + x * (right - left));
                    const from = (row * canvas.width + column) * 4;
                    out.set(data.subarray(from, from + 4), to);
                }
            let text = '';
            for (let at = 0; at < out.length; at += 8192) text += String.fromCharCode(...out.subarray(at, at + 8192));
            return btoa(text);
        }""",
        [shown["width"], shown["height"]],
    )
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(shown["height"], shown["width"], 4)


def open_masks(console: Page, data: AnnotationData) -> tuple[Image, NDArray[np.bool_]]:
    """Open the image with the largest mask at one to one; return it, and which of its pixels the mask covers."""
    rows = Annotation.objects.filter(item__annotation_data=data).exclude(counts=None).select_related("item__image")
    row, mask = max(
        ((row, Mask.from_counts(row.item.image.height, row.item.image.width, row.counts)) for row in rows),
        key=lambda pair: pair[1].area,
    )
    image = row.item.image
    open_viewer(console, image.study, f"?image={image.pk}&annotation_data={data.pk}")
    console.keyboard.press("1")
    until(console, lambda: round(told(console)["scale"], 6) == 1)
    until(console, lambda: bool(overlay(console)[..., 3].any()))
    return image, mask.decode()


def rgb(colour: str) -> NDArray[np.int_]:
    return np.array([int(colour[start : start + 2], 16) for start in (1, 3, 5)])


def test_masks_cover_their_pixels_in_the_colour_of_their_label(console: Page, user):
    dataset = labelled(user, SAMPLES / "Liver CT.zip")
    data = AnnotationData.objects.get(dataset=dataset)
    _, covered = open_masks(console, data)
    assert 1000 < covered.sum() < covered.size / 2
    seen = overlay(console)
    assert np.array_equal(seen[..., 3] > 0, covered)
    label = data.labels.get()
    assert np.abs(seen[covered][:, :3] - rgb(label.color)).max() <= 2  # alpha is multiplied in and divided out
    assert set(seen[covered][:, 3]) <= {114, 115}  # 0.45
    expect(console.locator(".shape-tag")).to_have_text(label.name)
    console.locator("#opacity").fill("100")
    assert set(overlay(console)[covered][:, 3]) == {255}
    panel = console.get_by_role("complementary", name="Annotations")
    for name in (label.name, "Segmentation"):
        eye = panel.get_by_role("button", name=f"Show {name}", exact=True)
        eye.click()
        assert not overlay(console).any()
        expect(eye).to_have_attribute("aria-pressed", "false")
        eye.click()
        assert np.array_equal(overlay(console)[..., 3] > 0, covered)
    console.keyboard.press("m")
    assert not overlay(console).any()


def test_polygons_are_outlined_as_drawn_and_predicted_masks_are_striped(console: Page, user, shared_data):
    path = shared_data / "zips" / "coco_segmentation_ct_liver.zip"
    dataset = labelled(user, path)
    data = AnnotationData.objects.get(dataset=dataset)
    with zipfile.ZipFile(path) as archive:
        coco: dict[str, Any] = json.loads(archive.read("annotations/instances_default.json"))
    names = {each["id"]: each["file_name"] for each in coco["images"]}
    drawn_on = {
        Path(names[each["image_id"]]).name: each["segmentation"][0]
        for each in coco["annotations"]
        if isinstance(each["segmentation"], list)
    }
    name, flat = next(iter(drawn_on.items()))
    image = dataset.images.get(path__endswith=name)
    open_viewer(console, image.study, f"?image={image.pk}&annotation_data={data.pk}")
    outline = console.locator("path.shape.segmentation")
    expect(outline).to_have_count(1)
    ring = list(zip(flat[::2], flat[1::2], strict=True))
    same(drawn(outline), [expected(console, colour_of(data, "liver"), ring)])
    expect(outline).to_have_attribute("fill", "none")  # the mask is painted once
    _, covered = open_masks(console, data)
    assert np.array_equal(overlay(console)[..., 3] > 0, covered)

    AnnotationData.objects.filter(pk=data.pk).update(source_kind=SourceKind.INFERENCE_JOB)
    _, covered = open_masks(console, data)
    seen = overlay(console)
    assert np.array_equal(seen[..., 3] > 0, covered)
    white = np.abs(seen[..., :3].astype(int) - 255).max(axis=-1) <= 2
    coloured = np.abs(seen[..., :3] - rgb(colour_of(data, "liver"))).max(axis=-1) <= 2
    stripes = white & covered
    assert np.array_equal(stripes | (coloured & covered), covered)
    assert 0.2 < stripes.sum() / covered.sum() < 0.5
    rows, columns = np.nonzero(stripes)
    assert set((rows + columns) % 8) == {0, 1, 2}  # diagonal
