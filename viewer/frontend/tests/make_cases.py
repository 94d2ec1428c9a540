"""Writes the cases the unit tests compare with, from the server's own code and pycocotools."""

import json
import sys
from pathlib import Path

import numpy as np
from pycocotools import mask as coco

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[2]))

from datasets.imaging.windowing import LookupTable, Window, apply_voi  # noqa: E402

VALUES = (-1024, -100.5, -1, 0, 0.5, 1, 39, 39.5, 40, 127, 128.25, 239.5, 240, 1000, 65535)
WINDOWS = ((40, 400, "LINEAR"), (40, 1, "LINEAR"), (40.5, 399.25, "LINEAR"), (40, 400, "LINEAR_EXACT"))
WINDOWS += ((0.5, 1, "LINEAR_EXACT"), (127.5, 255, "LINEAR_EXACT"), (40, 400, "SIGMOID"), (-600, 1500, "SIGMOID"))
TABLES = ((0, 8, [0, 10, 200, 255]), (-2, 12, [0, 1000, 4095]), (100, 8, [0, 300, 1023]), (0, 16, [65535, 100, 0]))


def main() -> None:
    windows = [
        {"value": value, "center": center, "width": width, "function": name, "level": level}
        for center, width, name in WINDOWS
        for value, level in zip(VALUES, apply_voi(np.array(VALUES), Window(center, width, name)).tolist(), strict=True)
        if not (name == "LINEAR" and width == 1 and value == center - 0.5)  # the step itself is drawn with a width
    ]
    tables = []
    for first, bits, entries in TABLES:
        table = LookupTable(first, np.array(entries, np.float64), bits)
        values = np.array([-5, -1.5, -0.5, 0, 0.5, 1.5, 2, 2.5, 100, 101.4, 400], np.float64)
        for value, level in zip(values.tolist(), apply_voi(values, table).tolist(), strict=True):
            tables.append({"value": value, "first": first, "bits": bits, "entries": entries, "level": level})
    (HERE / "windowing-levels.json").write_text(json.dumps({"windows": windows, "tables": tables}) + "\n")
    random = np.random.default_rng(8)
    masks = []
    for rows, columns, share in ((1, 1, 1.0), (3, 5, 0.5), (16, 9, 0.2), (40, 30, 0.9), (64, 64, 0.0), (64, 64, 1.0)):
        mask = (random.random((rows, columns)) < share).astype(np.uint8)
        counts = coco.encode(np.asfortranarray(mask))["counts"].decode()
        masks.append({"size": [rows, columns], "counts": counts, "mask": "".join(map(str, mask.ravel().tolist()))})
    (HERE / "rle-masks.json").write_text(json.dumps(masks) + "\n")


if __name__ == "__main__":
    main()
