"""Where the parts of a split lie in an export: where the users of a format look for them, otherwise a folder a part."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from annotations.formats.base import LabelInfo, OutMember
from annotations.formats.yolo import data_yaml

FOLDERS = {"training": "train", "validation": "val", "valid": "val", "testing": "test"}
KNOWN = ("train", "val", "test")


@dataclass(frozen=True)
class Layout:
    """Paths of a part's files and images, given the part's folder and the path they have in an export without parts;
    None for a file that ``head`` writes once for all parts."""

    file: Callable[[str, str], str | None]
    image: Callable[[str, str], str]
    head: Callable[[Sequence[LabelInfo], Sequence[str]], Sequence[OutMember]] = lambda labels, folders: ()


def folders_of(parts: Sequence[str]) -> list[str]:
    """Return a folder for each part, no two the same: train, val and test for what they mean, others by their names."""
    taken = {part.casefold() for part in parts}
    folders: list[str] = []
    for part in parts:
        meant = FOLDERS.get(part.casefold(), part.casefold())
        is_known = meant in KNOWN and (meant == part.casefold() or meant not in taken)
        folders.append(meant if is_known else part)
        taken.add(folders[-1].casefold())
    return folders


def _yolo_file(folder: str, name: str) -> str | None:
    return None if name == "data.yaml" else f"labels/{folder}/{name.removeprefix('labels/')}"


def _yolo_head(labels: Sequence[LabelInfo], folders: Sequence[str]) -> Sequence[OutMember]:
    """YOLO wants to be told of train and val, and may be of test; a split without val is validated on test."""
    places = {folder: f"images/{folder}" for folder in folders if folder in KNOWN} or {"train": f"images/{folders[0]}"}
    first = next(iter(places.values()))
    places.setdefault("train", first)
    places.setdefault("val", places.get("test", places["train"]))
    return [OutMember("data.yaml", [data_yaml(labels, places)])]


BESIDE = Layout(file=lambda folder, name: f"{folder}/{name}", image=lambda folder, path: f"{folder}/{path}")
LAYOUTS: Mapping[str, Layout] = {
    # images/train/… and labels/train/…: docs.ultralytics.com, dataset format
    "yolo": Layout(_yolo_file, lambda folder, path: f"images/{folder}/{path}", _yolo_head),
    # annotations/instances_train.json and train/…: cocodataset.org, as they are handed out
    "coco": Layout(lambda folder, name: f"annotations/instances_{folder}.json", BESIDE.image),
}


def layout_of(file_format: str) -> Layout:
    return LAYOUTS.get(file_format, BESIDE)
