import type { Pixels } from "./pixels.ts";
import { type LookupTable, levelOf, lutLevelOf, WHITE, type Window, whiteOf } from "./windowing.ts";

/** What a straight ramp cannot show: a VOI LUT, or a window of the SIGMOID function. */
export type Curve =
  | { kind: "lut"; index: number; table: LookupTable; explanation: string }
  | { kind: "sigmoid"; window: Window };

/** What a choice asks for, before the table is fetched. */
export type CurveRequest = { kind: "lut"; url: string; index: number } | { kind: "sigmoid"; window: Window };

export interface ScaledPixels {
  pixels: Pixels;
  slope: number;
  intercept: number;
  low: number;
  high: number;
}

const DEEP = 65535;

/** The samples put through a curve, on 0..65535 for black..white: levels keep more than 8 bits for the ramp above. */
export function throughCurve({ pixels, slope, intercept, low, high }: ScaledPixels, curve: Curve): Uint16Array {
  const white = curve.kind === "lut" ? whiteOf(curve.table) : 0;
  const levels = Uint16Array.from({ length: high - low + 1 }, (_, index) => {
    const value = slope * (index + low) + intercept;
    const level = curve.kind === "lut" ? lutLevelOf(value, curve.table, white) : levelOf(value, curve.window);
    return Math.round((level / WHITE) * DEEP);
  });
  const out = new Uint16Array(pixels.samples.length);
  for (let index = 0; index < out.length; index++)
    out[index] = levels[(pixels.samples[index] as number) - low] as number;
  return out;
}
