/**
 * From values to grey levels 0..255, as the server's `windowing.py` defines them (PS3.3 C.11.2).
 *
 * A window of a linear function is a ramp: black at `low`, white at `high`, which the rendering library draws itself.
 * SIGMOID and VOI LUTs become a table.
 */
export type WindowFunction = "LINEAR" | "LINEAR_EXACT" | "SIGMOID";

export interface Window {
  center: number;
  width: number;
  function: WindowFunction;
}

export interface LookupTable {
  /** The value that `entries[0]` belongs to; values outside take the nearest entry. */
  first: number;
  bits: number;
  entries: ArrayLike<number>;
}

export interface Ramp {
  low: number;
  high: number;
}

export const WHITE = 255;

/** Narrowest ramp: a step between two integers stays a step, and nothing is divided by zero. */
const STEP = 1e-3;

/** Ends of a linear window, in the units of its values (C.11.2.1.2.1 and C.11.2.1.3.2). */
export function rampOf({ center, width, function: name }: Window): Ramp {
  const middle = name === "LINEAR" ? center - 0.5 : center;
  const span = Math.max(name === "LINEAR" ? width - 1 : width, 0);
  if (span > 0) return { low: middle - span / 2, high: middle + span / 2 };
  // LINEAR of width 1: black up to center - 0.5, white above it. A window of no width otherwise: all black.
  return name === "LINEAR" ? { low: middle, high: middle + STEP } : { low: middle + STEP, high: middle + 2 * STEP };
}

/** The window of a ramp, as LINEAR_EXACT. */
export function windowOf({ low, high }: Ramp): Window {
  return { center: (low + high) / 2, width: high - low, function: "LINEAR_EXACT" };
}

/** The grey level of one value, not rounded. */
export function levelOf(value: number, window: Window): number {
  if (window.function === "SIGMOID") {
    return WHITE / (1 + Math.exp(Math.min(700, Math.max(-700, (-4 * (value - window.center)) / window.width))));
  }
  const { low, high } = rampOf(window);
  return Math.min(WHITE, Math.max(0, ((value - low) / (high - low)) * WHITE));
}

/** Entry value that means white: all bits set, or more bits where the entries have them. */
export function whiteOf(table: LookupTable): number {
  let highest = 0;
  for (let index = 0; index < table.entries.length; index++) highest = Math.max(highest, table.entries[index] ?? 0);
  const bits = Math.max(table.bits, highest.toString(2).length, 1);
  return 2 ** bits - 1;
}

/** The grey level a VOI LUT gives a value, not rounded; halves go to the even input, as numpy's `rint`. */
export function lutLevelOf(value: number, table: LookupTable, white = whiteOf(table)): number {
  const index = Math.min(Math.max(roundHalfEven(value) - table.first, 0), table.entries.length - 1);
  return ((table.entries[index] ?? 0) * WHITE) / white;
}

export function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1 || 0; // not -0
}

/**
 * A ramp over stored values, for output values `slope * stored + intercept`; `flipped` where a negative slope turns
 * white and black round.
 */
export function toStored(ramp: Ramp, slope: number, intercept: number): { ramp: Ramp; flipped: boolean } {
  const low = (ramp.low - intercept) / slope;
  const high = (ramp.high - intercept) / slope;
  return slope < 0 ? { ramp: { low: high, high: low }, flipped: true } : { ramp: { low, high }, flipped: false };
}

/** The opposite of `toStored`. */
export function toOutput(ramp: Ramp, slope: number, intercept: number): Ramp {
  const ends = [ramp.low * slope + intercept, ramp.high * slope + intercept] as const;
  return { low: Math.min(...ends), high: Math.max(...ends) };
}

export function isWindowFunction(name: string | undefined): name is WindowFunction {
  return name === "LINEAR" || name === "LINEAR_EXACT" || name === "SIGMOID";
}

/** Reads base64 of little-endian uint16. */
export function decodeEntries(base64: string): Uint16Array {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  return Uint16Array.from({ length: bytes.length >> 1 }, (_, index) => view.getUint16(index * 2, true));
}
