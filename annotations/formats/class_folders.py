"""Class folders: images below a folder "Classes" have the class that the next folder is named after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from . import checks
from .base import SINGLE_LABEL, Found, Item, ItemOut, LabelError, LabelSet, Options, OutMember, Output, SideFile
from .images import Images

FOLDER = "classes"


class ClassFolders:
    key = "class-folders"
    title = "Class folders"
    reads = (SINGLE_LABEL,)
    writes = ()

    def sniff(self, files: Sequence[SideFile], images: Images) -> tuple[list[LabelSet], list[SideFile]]:
        if not any(class_of(path) for path in images.paths()):
            return [], []
        return [LabelSet(self.key, SINGLE_LABEL, [], FOLDER, "_" + FOLDER)], []

    def read(self, label_set: LabelSet, images: Images, options: Options) -> Iterator[Item]:
        for place, path in enumerate(images.paths()):
            label = class_of(path)
            if label is not None:
                try:
                    yield Found(images[place].id, checks.label_name(label), place + 1, 1)
                except LabelError as error:
                    yield error.at(place + 1, path)

    def write(self, output: Output, items: Iterable[ItemOut]) -> Iterator[OutMember]:
        raise NotImplementedError("Class folders are where images lie; they are not written.")


def class_of(path: str) -> str | None:
    """Return the folder below the first folder "Classes" (in any case) of an image's path; None if it has none."""
    if FOLDER not in path.lower():
        return None
    folders = path.split("/")[:-1]
    for place, name in enumerate(folders[:-1]):
        if name.lower() == FOLDER:
            return folders[place + 1]
    return None
