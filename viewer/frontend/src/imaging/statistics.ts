import type { Ramp } from "./windowing.ts";

export type Samples = Uint8Array | Uint16Array | Int16Array;

/** Lowest and highest of the samples; 0 and 0 where there are none. */
export function extent(samples: ArrayLike<number>): Ramp {
  if (!samples.length) return { low: 0, high: 0 };
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let index = 0; index < samples.length; index++) {
    const value = samples[index] as number;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return { low, high };
}

/**
 * The samples at two percentiles (nearest rank), by counting: at most 65,536 counters for 16-bit integers.
 * Returns the lowest sample that at least `lower` percent of all are not above, and the same for `upper`.
 */
export function percentiles(samples: Samples, lower: number, upper: number): Ramp {
  const { low, high } = extent(samples);
  const counts = new Uint32Array(high - low + 1);
  for (let index = 0; index < samples.length; index++) {
    const place = (samples[index] as number) - low;
    counts[place] = (counts[place] as number) + 1;
  }
  const rank = (percent: number) => Math.max(1, Math.ceil((percent / 100) * samples.length));
  return { low: low + placeOf(counts, rank(lower)), high: low + placeOf(counts, rank(upper)) };
}

function placeOf(counts: Uint32Array, rank: number): number {
  let seen = 0;
  for (let place = 0; place < counts.length; place++) {
    seen += counts[place] as number;
    if (seen >= rank) return place;
  }
  return counts.length - 1;
}
