import type { SampleLayout } from "../scene/types.ts";
import { type Pixels, quantise } from "./pixels.ts";

const SIZES = { uint8: 1, int8: 1, uint16: 2, int16: 2, uint32: 4, int32: 4, float32: 4 } as const;

/** Little-endian bytes, as the server decodes them, to a frame. Throws RangeError where there are too few. */
export function readSamples(bytes: ArrayBuffer, layout: SampleLayout, width: number, height: number): Pixels {
  const count = width * height * layout.samples_per_pixel;
  const needed = count * SIZES[layout.type];
  if (bytes.byteLength < needed)
    throw new RangeError(`The frame has ${bytes.byteLength} bytes where ${needed} are needed.`);
  const frame = { width, height, source: "server", slope: 1, intercept: 0 } as const;
  if (layout.samples_per_pixel === 3) return { ...frame, components: 3, samples: new Uint8Array(bytes, 0, count) };
  switch (layout.type) {
    case "uint8":
      return { ...frame, components: 1, samples: new Uint8Array(bytes, 0, count) };
    case "int8":
      return { ...frame, components: 1, samples: Int16Array.from(new Int8Array(bytes, 0, count)) };
    case "uint16":
      return { ...frame, components: 1, samples: new Uint16Array(bytes, 0, count) };
    case "int16":
      return { ...frame, components: 1, samples: new Int16Array(bytes, 0, count) };
    case "uint32":
      return { ...frame, components: 1, ...quantise(new Uint32Array(bytes, 0, count)) };
    case "int32":
      return { ...frame, components: 1, ...quantise(new Int32Array(bytes, 0, count)) };
    case "float32":
      return { ...frame, components: 1, ...quantise(new Float32Array(bytes, 0, count)) };
  }
}

/** Reads the `X-Samples` header: JSON, such as `{"type": "uint16", "samples_per_pixel": 1, …}`. */
export function readLayout(header: string | null): SampleLayout | null {
  if (!header) return null;
  const layout = JSON.parse(header) as SampleLayout;
  if (!(layout.type in SIZES)) throw new RangeError(`Samples of an unknown type: ${header}`);
  return layout;
}
