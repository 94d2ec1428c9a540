import { describe, expect, it } from "vitest";
import type { LoadedImage } from "../src/imaging/image.ts";
import { applyChoice, curveFor } from "../src/imaging/windows.ts";
import type { Slot } from "../src/scene/slots.ts";
import type { SceneImage } from "../src/scene/types.ts";

const slot = (rule: string, voi_lut_url: string | null = "/luts/"): Slot => ({
  key: "deepcap:1/1",
  frame: 1,
  image: {
    id: 1,
    frames: 1,
    window: { rule },
    windows: [{ center: 40, width: 400, explanation: "SOFT" }],
    rescale: { slope: 1, intercept: -1024, units: "HU" },
    per_frame: null,
    voi_lut_url,
    invert: false,
  } as unknown as SceneImage,
});

describe("the lookup tables of a file", () => {
  it("are asked for by their place; the first is the file's own", () => {
    expect(curveFor(slot("voi_lut"), { kind: "own" })).toEqual({ kind: "lut", url: "/luts/", index: 0 });
    expect(curveFor(slot("voi_lut"), { kind: "lut", index: 1 })).toEqual({ kind: "lut", url: "/luts/", index: 1 });
    expect(curveFor(slot("window_frame"), { kind: "own" })).toBeNull();
    expect(curveFor(slot("window_frame"), { kind: "lut", index: 0 })).toEqual({
      kind: "lut",
      url: "/luts/",
      index: 0,
    });
    expect(curveFor(slot("window", null), { kind: "lut", index: 0 })).toBeNull();
  });

  it("say their name, or their number", () => {
    const reasonOf = (index: number, explanation: string) => {
      const curve = { kind: "lut", index, explanation, table: { first: 0, bits: 8, entries: [0, 255] } };
      const deepcap = { slot: slot("voi_lut"), pixels: { source: "browser", components: 1 }, slope: 1, curve };
      return applyChoice({ deepcap } as unknown as LoadedImage, { kind: "lut", index }).reason;
    };
    expect(reasonOf(1, "BONE")).toBe("From the file: BONE");
    expect(reasonOf(1, "")).toBe("From the file: lookup table 2");
  });
});
