import { describe, expect, it } from "vitest";
import { addressOf, pageOf } from "../src/address.ts";
import { nearest } from "../src/cine.ts";
import { indexOf, slotsOf, valuesOf } from "../src/scene/slots.ts";
import type { SceneImage, SceneSeries } from "../src/scene/types.ts";
import { describeShape } from "../src/viewport/measurements.ts";
import { orientationLetters } from "../src/viewport/orientation.ts";
import { UPRIGHT } from "../src/viewport/turn.ts";

const image = (id: number, frames: number, more: Partial<SceneImage> = {}): SceneImage =>
  ({
    id,
    frames,
    window: { rule: "window", center: 40, width: 400, function: "LINEAR" },
    windows: [],
    rescale: { slope: 1, intercept: -1024, units: "HU" },
    spacing: { row: 0.5, column: 0.5, source: "PixelSpacing" },
    per_frame: null,
    voi_lut_url: null,
    geometry: null,
    ...more,
  }) as SceneImage;

describe("the stack", () => {
  const slots = slotsOf({ images: [image(7, 1), image(8, 3)] } as SceneSeries);

  it("has a place for each frame, found by image and frame", () => {
    expect(slots.map(({ key }) => key)).toEqual(["deepcap:7/1", "deepcap:8/1", "deepcap:8/2", "deepcap:8/3"]);
    expect(indexOf(slots, 8, 2)).toBe(2);
    expect(indexOf(slots, "8", 99)).toBe(3);
    expect(indexOf(slots, 9)).toBe(-1);
  });

  it("takes what a frame has of its own", () => {
    const own = image(1, 2, {
      per_frame: {
        windows: [{ center: 1, width: 2, function: "LINEAR" }, null],
        rescales: [
          [1, 0],
          [2, 5],
        ],
      },
    });
    const [first, second] = slotsOf({ images: [own] } as SceneSeries);
    if (!first || !second) throw new Error("two frames");
    expect(valuesOf(first).window).toEqual({ rule: "window_frame", center: 1, width: 2, function: "LINEAR" });
    expect(valuesOf(second).window).toEqual({ rule: "min_max" });
    expect(valuesOf(second).rescale).toEqual({ slope: 2, intercept: 5, units: "HU" });
  });
});

it("addresses name image, frame and annotation data, and keep nothing else of theirs", () => {
  expect(addressOf("/viewer/studies/3/?image=1&frame=2", 9, 4, [5, 6])).toBe(
    "/viewer/studies/3/?image=9&frame=4&annotation_data=5&annotation_data=6",
  );
  expect(addressOf("/viewer/studies/3/", null, 1, [])).toBe("/viewer/studies/3/");
  expect(pageOf("/viewer/studies/3/scene/?image=1")).toBe("/viewer/studies/3/");
});

it("the patient's directions turn with the picture", () => {
  const axial = [1, 0, 0, 0, 1, 0];
  expect(orientationLetters(axial, UPRIGHT)).toEqual(["A", "L", "P", "R"]);
  expect(orientationLetters(axial, { ...UPRIGHT, flipHorizontal: true })).toEqual(["A", "R", "P", "L"]);
  expect(orientationLetters(axial, { ...UPRIGHT, rotation: 90 })).toEqual(["R", "A", "L", "P"]);
});

it("regions are told in the modality's units, and in pixels where no spacing is known", () => {
  const shown = (spacing: unknown) =>
    ({
      deepcap: { slot: { image: { spacing } }, slope: 2, intercept: -10, units: "HU", pixels: { components: 1 } },
    }) as never;
  const stats = { area: 12.34, mean: 20, stdDev: 1.5, min: 5, max: 40 };
  expect(describeShape(stats, shown({}))).toEqual(["Area 12.3 mm²", "Mean 30 ± 3 HU", "Min 0, max 70 HU"]);
  expect(describeShape({ length: 10 }, shown(null))).toEqual(["10 px"]);
});

it("the file's frame time chooses the nearest speed", () => {
  expect([1000 / 33, 1000 / 40, 0.2, 500].map(nearest)).toEqual([30, 24, 1, 60]);
});
