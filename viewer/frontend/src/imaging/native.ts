import type { SceneImage } from "../scene/types.ts";
import { extent } from "./statistics.ts";

/** Implicit and explicit little endian (DICOM PS3.5, A.1 and A.2). */
const LITTLE_ENDIAN = ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1"];

type Integers = Uint8Array | Uint16Array | Int16Array;

/**
 * Samples of an uncompressed grey frame of 8 or 16 bits allocated, without a decoder; null for everything else.
 * Throws RangeError where there are too few bytes.
 */
export function nativeFrame(
  bytes: ArrayBuffer,
  syntax: string,
  image: SceneImage,
): { samples: Integers; slope: 1; intercept: 0 } | null {
  const { bits_allocated: bits, bits_stored: stored, samples_per_pixel, signed, width, height } = image;
  if (!LITTLE_ENDIAN.includes(syntax) || samples_per_pixel !== 1 || (bits !== 8 && bits !== 16)) return null;
  const count = width * height;
  if (bytes.byteLength < (count * bits) / 8) throw new RangeError("The frame is too short.");
  const unused = 32 - stored;
  if (!signed) {
    const samples = bits === 8 ? new Uint8Array(bytes, 0, count) : new Uint16Array(bytes, 0, count);
    return { samples: withoutHighBits(samples, stored, bits), slope: 1, intercept: 0 };
  }
  const samples = bits === 8 ? Int16Array.from(new Int8Array(bytes, 0, count)) : new Int16Array(bytes, 0, count);
  if (stored < bits)
    for (let index = 0; index < count; index++) samples[index] = ((samples[index] as number) << unused) >> unused;
  return { samples, slope: 1, intercept: 0 };
}

/** Bits above Bits Stored may hold an overlay or garbage. */
export function withoutHighBits<T extends Integers>(samples: T, stored: number, allocated: number): T {
  const highest = 2 ** stored - 1;
  if (stored >= allocated || extent(samples).high <= highest) return samples;
  return samples.map((sample) => sample & highest) as T;
}
