import type { Samples } from "./statistics.ts";
import { extent } from "./statistics.ts";

/** A decoded frame: grey (`components` 1) or interleaved RGB of 8 bits (`components` 3), upright, row by row. */
export interface Pixels {
  width: number;
  height: number;
  components: 1 | 3;
  samples: Samples;
  /** Value = slope * sample + intercept, before the image's own rescale: other than 1 and 0 where floats were quantised. */
  slope: number;
  intercept: number;
  /** Where the samples came from, for the person who looks: decoded here, by the server, or its 8-bit rendering. */
  source: "browser" | "server" | "rendering";
}

const LEVELS = 65535;

/** Floats, or integers of more than 16 bits, on 65,536 steps between their lowest and highest; NaN becomes the lowest. */
export function quantise(
  values: Float32Array | Int32Array | Uint32Array,
): Pick<Pixels, "samples" | "slope" | "intercept"> {
  const finite = values instanceof Float32Array ? values.filter(Number.isFinite) : values;
  const { low, high } = extent(finite);
  const span = high - low;
  const samples = new Uint16Array(values.length);
  if (span > 0) {
    for (let index = 0; index < values.length; index++) {
      const value = values[index] as number;
      samples[index] = Number.isNaN(value)
        ? 0
        : Math.min(LEVELS, Math.max(0, Math.round(((value - low) / span) * LEVELS)));
    }
  }
  return { samples, slope: span > 0 ? span / LEVELS : 1, intercept: low };
}

export function toInterleaved(planes: ArrayLike<number>, pixels: number): Uint8Array {
  const out = new Uint8Array(pixels * 3);
  for (let index = 0; index < pixels; index++) {
    out[index * 3] = planes[index] as number;
    out[index * 3 + 1] = planes[index + pixels] as number;
    out[index * 3 + 2] = planes[index + 2 * pixels] as number;
  }
  return out;
}

/** RGB of interleaved full-range YCbCr, in place of it (PS3.3 C.7.6.3.1.2, inverse of YBR_FULL). */
export function ybrToRgb(samples: Uint8Array): Uint8Array {
  const out = new Uint8ClampedArray(samples.length);
  for (let index = 0; index < samples.length; index += 3) {
    const y = samples[index] as number;
    const cb = (samples[index + 1] as number) - 128;
    const cr = (samples[index + 2] as number) - 128;
    out[index] = y + 1.402 * cr;
    out[index + 1] = y - 0.344136 * cb - 0.714136 * cr;
    out[index + 2] = y + 1.772 * cb;
  }
  return new Uint8Array(out.buffer);
}

/** One component of RGBA where all three are equal everywhere, three otherwise; the alpha channel is left out. */
export function fromRgba(rgba: Uint8ClampedArray, forceColour = false): { samples: Uint8Array; components: 1 | 3 } {
  const pixels = rgba.length / 4;
  const grey = !forceColour && isGrey(rgba);
  const samples = new Uint8Array(grey ? pixels : pixels * 3);
  if (grey) {
    for (let index = 0; index < pixels; index++) samples[index] = rgba[index * 4] as number;
    return { samples, components: 1 };
  }
  for (let from = 0, to = 0; from < rgba.length; from += 4) {
    samples[to++] = rgba[from] as number;
    samples[to++] = rgba[from + 1] as number;
    samples[to++] = rgba[from + 2] as number;
  }
  return { samples, components: 3 };
}

function isGrey(rgba: Uint8ClampedArray): boolean {
  for (let index = 0; index < rgba.length; index += 4) {
    if (rgba[index] !== rgba[index + 1] || rgba[index] !== rgba[index + 2]) return false;
  }
  return true;
}
