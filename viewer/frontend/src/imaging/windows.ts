import { gettext, interpolate } from "@console/i18n.ts";
import { type Slot, valuesOf } from "../scene/slots.ts";
import type { WindowDefault, WindowValues } from "../scene/types.ts";
import type { Curve, CurveRequest } from "./curves.ts";
import type { LoadedImage } from "./image.ts";
import { percentiles } from "./statistics.ts";
import { isWindowFunction, type Ramp, rampOf, toOutput, toStored, type Window } from "./windowing.ts";

/** What the person chose; it holds for every image of the stack. */
export type Choice =
  | { kind: "own" }
  | { kind: "alternative"; index: number }
  | { kind: "lut"; index: number }
  | { kind: "preset"; index: number }
  | { kind: "percentile" }
  | { kind: "full" }
  | { kind: "manual"; window: Window };

/** A choice applied to one image. Ramps are in the image's output units (HU for CT), `sampleRamp` in samples. */
export interface Applied {
  ramp: Ramp;
  sampleRamp: Ramp;
  invert: boolean;
  /** The rule that chose the window, in a sentence. */
  reason: string;
  /** Names the function where it is not LINEAR. */
  functionName: string;
}

export interface Preset {
  name: string;
  center: number;
  width: number;
}

/** Product's CT presets, Shift+2 to Shift+7. */
export const CT_PRESETS: readonly Preset[] = [
  { name: gettext("CT Abdomen"), center: 60, width: 400 },
  { name: gettext("CT Angio"), center: 300, width: 600 },
  { name: gettext("CT Bone"), center: 300, width: 1500 },
  { name: gettext("CT Brain"), center: 40, width: 80 },
  { name: gettext("CT Chest"), center: 40, width: 400 },
  { name: gettext("CT Lungs"), center: -400, width: 1500 },
];

/** Rules under which the server shows 8-bit samples unchanged; a colour file may well hold nothing but grey. */
const AS_STORED = ["stored", "colour", "palette"];
const DEEP: Ramp = { low: 0, high: 65535 };
const BYTES: Ramp = { low: 0, high: 255 };
const BY_HAND = { reason: gettext("Set by hand"), functionName: "" };

export function toWindow({
  center,
  width,
  function: name,
}: {
  center?: number;
  width?: number;
  function?: string;
}): Window {
  return { center: center ?? 127.5, width: width ?? 255, function: isWindowFunction(name) ? name : "LINEAR" };
}

/** The curve a choice needs on a slot, null where a straight ramp does. */
export function curveFor(slot: Slot, choice: Choice): CurveRequest | null {
  const { image } = slot;
  const own = valuesOf(slot).window;
  const index = choice.kind === "lut" ? choice.index : choice.kind === "own" && own.rule === "voi_lut" ? 0 : null;
  if (index !== null && image.voi_lut_url) return { kind: "lut", url: lutUrl(slot), index };
  const window = choice.kind === "own" ? own : choice.kind === "alternative" ? image.windows[choice.index] : null;
  return window?.function === "SIGMOID" ? { kind: "sigmoid", window: toWindow(window) } : null;
}

/** Frames share a table unless they have windows of their own. */
export function lutUrl({ image, frame }: Slot): string {
  const url = image.voi_lut_url ?? "";
  return image.per_frame?.windows ? `${url.replace(/\?.*$/, "")}?frame=${frame}` : url;
}

export function applyChoice(image: LoadedImage, choice: Choice): Applied {
  const { slot, pixels, slope, intercept, curve } = image.deepcap;
  const rendering = pixels.source === "rendering";
  if (rendering || pixels.components === 3) {
    if (choice.kind !== "manual")
      return { ramp: BYTES, sampleRamp: BYTES, invert: false, ...asStored(slot, rendering) };
    const ramp = rampOf(choice.window);
    return { ramp, sampleRamp: ramp, invert: false, ...BY_HAND };
  }
  const { invert } = slot.image;
  if (curve) return { ramp: rangeOf(curve), sampleRamp: DEEP, invert, ...reasonOf(curve, choice) };
  const { ramp, reason, functionName } = choose(image, choice);
  const stored = toStored(ramp, slope, intercept);
  return { ramp, sampleRamp: stored.ramp, invert: invert !== stored.flipped, reason, functionName };
}

function choose(image: LoadedImage, choice: Choice): Pick<Applied, "ramp" | "reason" | "functionName"> {
  const { slot, pixels, slope, intercept, low, high } = image.deepcap;
  const values = valuesOf(slot);
  const full = toOutput({ low, high }, slope, intercept);
  switch (choice.kind) {
    case "manual":
      return { ramp: rampOf(choice.window), ...BY_HAND };
    case "preset": {
      const preset = CT_PRESETS[choice.index] as Preset;
      return {
        ramp: ramp(preset),
        reason: interpolate(gettext("Preset: %(name)s"), { name: preset.name }),
        functionName: "",
      };
    }
    case "percentile":
      return {
        ramp: toOutput(percentiles(pixels.samples, 1, 99), slope, intercept),
        reason: gettext("1st to 99th percentile of this image"),
        functionName: "",
      };
    case "full":
      return { ramp: full, reason: gettext("Lowest to highest value of this image"), functionName: "" };
    case "alternative": {
      const window = slot.image.windows[choice.index];
      if (window) {
        const name = window.explanation || interpolate(gettext("window %(number)s"), { number: choice.index + 1 });
        return {
          ramp: rampOf(toWindow(window)),
          reason: interpolate(gettext("From the file: %(name)s"), { name }),
          functionName: functionOf(window),
        };
      }
      return choose(image, { kind: "own" });
    }
    case "lut": // of another image of the stack
    case "own": {
      const own = values.window;
      const window = own.center === undefined || own.width === undefined ? null : own;
      if (AS_STORED.includes(values.window.rule)) return { ramp: BYTES, ...asStored(slot, false) };
      if (!window) {
        const first = slot.image.windows[0];
        if (values.window.rule === "voi_lut" && first) return choose(image, { kind: "alternative", index: 0 });
        return {
          ramp: full,
          reason: gettext("The file names no window: lowest to highest value of this image"),
          functionName: "",
        };
      }
      const reason =
        values.window.rule === "window_frame"
          ? gettext("The file's window for this frame")
          : gettext("The file's own window");
      return { ramp: rampOf(toWindow(window)), reason, functionName: functionOf(window) };
    }
  }
}

function functionOf(window: WindowValues | WindowDefault): string {
  return window.function && window.function !== "LINEAR" ? window.function : "";
}

function ramp({ center, width }: Preset): Ramp {
  return rampOf({ center, width, function: "LINEAR" });
}

function rangeOf(curve: Curve): Ramp {
  if (curve.kind === "lut") return { low: curve.table.first, high: curve.table.first + curve.table.entries.length - 1 };
  const { center, width } = curve.window;
  return { low: center - width / 2, high: center + width / 2 };
}

function asStored(slot: Slot, rendering: boolean): Pick<Applied, "reason" | "functionName"> {
  if (rendering) return { reason: gettext("As the server rendered it"), functionName: "" };
  const palette = slot.image.window.rule === "palette";
  return {
    reason: palette ? gettext("Colours of the file's palette") : gettext("Shown as it is stored"),
    functionName: "",
  };
}

function reasonOf(curve: Curve, choice: Choice): Pick<Applied, "reason" | "functionName"> {
  if (curve.kind === "lut") {
    const own = choice.kind === "own" && curve.index === 0;
    const name = lutName(curve);
    const reason = own
      ? gettext("The file's VOI lookup table")
      : interpolate(gettext("From the file: %(name)s"), { name });
    return { reason, functionName: "LUT" };
  }
  const reason = choice.kind === "own" ? gettext("The file's own window") : gettext("Another window of the file");
  return { reason, functionName: "SIGMOID" };
}

/** What the file calls one of its VOI LUTs, else its number. */
export function lutName({ explanation, index }: { explanation: string; index: number }): string {
  return explanation || interpolate(gettext("lookup table %(number)s"), { number: index + 1 });
}
