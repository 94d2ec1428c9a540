import { getWebWorkerManager } from "@cornerstonejs/core";
import type { SceneImage } from "../scene/types.ts";
import { decodeBitmap } from "./bitmap.ts";
import { nativeFrame, withoutHighBits } from "./native.ts";
import { type Pixels, quantise, toInterleaved, ybrToRgb } from "./pixels.ts";

const JPEG_BASELINE = "1.2.840.10008.1.2.4.50";
/** Syntaxes whose decoders leave colour planes as the header states them: native ones and RLE. */
const PLANES = ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.5"];
const MOST_WORKERS = 4;

/** The part of Cornerstone's image frame that its decoders read and write. */
interface DecodedFrame {
  pixelData: Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array;
  rows: number;
  columns: number;
  samplesPerPixel: number;
  planarConfiguration?: number;
}

let started: Promise<void> | null = null;

/** The library's loader is fetched with the first frame that needs it. */
async function startCodecs(): Promise<void> {
  const { init } = await import("@cornerstonejs/dicom-image-loader");
  const cores = navigator.hardwareConcurrency || 2;
  init({ maxWebWorkers: Math.max(1, Math.min(MOST_WORKERS, cores - 1)) });
}

/** Decodes one frame as it lies in the file. WASM codecs run in workers, and are fetched when first needed. */
export async function decodeFrame(bytes: ArrayBuffer, syntax: string, image: SceneImage): Promise<Pixels> {
  if (syntax === JPEG_BASELINE) {
    return inShape(await decodeBitmap(new Blob([bytes], { type: "image/jpeg" }), "browser", false), image);
  }
  const native = nativeFrame(bytes, syntax, image);
  if (native) return { width: image.width, height: image.height, source: "browser", components: 1, ...native };
  started ??= startCodecs();
  await started;
  const frame: DecodedFrame = await getWebWorkerManager().executeTask("dicomImageLoader", "decodeTask", {
    imageFrame: describe(image),
    transferSyntax: syntax,
    pixelData: new Uint8Array(bytes),
    options: { preScale: { enabled: false } },
    decodeConfig: {},
  });
  return toPixels(frame, syntax, image);
}

function describe(image: SceneImage): Record<string, unknown> {
  return {
    samplesPerPixel: image.samples_per_pixel,
    photometricInterpretation: image.photometric_interpretation,
    planarConfiguration: image.planar_configuration ?? 0,
    rows: image.height,
    columns: image.width,
    bitsAllocated: image.bits_allocated,
    bitsStored: image.bits_stored,
    pixelRepresentation: image.signed ? 1 : 0,
  };
}

function toPixels(frame: DecodedFrame, syntax: string, image: SceneImage): Pixels {
  const size = { width: image.width, height: image.height, source: "browser" } as const;
  const count = image.width * image.height;
  let data = frame.pixelData;
  if (data.length < count * image.samples_per_pixel) throw new RangeError("The decoded frame is too short.");
  if (image.samples_per_pixel === 3) {
    const planar = image.planar_configuration === 1 && PLANES.includes(syntax);
    let samples = planar ? toInterleaved(data, count) : Uint8Array.from(data.subarray(0, count * 3));
    if (!isRgb(image.photometric_interpretation, syntax)) samples = ybrToRgb(samples);
    return { ...size, components: 3, samples, slope: 1, intercept: 0 };
  }
  data = data.subarray(0, count);
  if (data instanceof Float32Array || data instanceof Int32Array || data instanceof Uint32Array) {
    return { ...size, components: 1, ...quantise(data) };
  }
  const plain = data instanceof Int8Array ? Int16Array.from(data) : data;
  // The decoders have sign-extended signed samples already.
  const samples = image.signed ? plain : withoutHighBits(plain, image.bits_stored, image.bits_allocated);
  return { ...size, components: 1, samples, slope: 1, intercept: 0 };
}

/** JPEG 2000 decoders undo YBR_RCT and YBR_ICT themselves. */
function isRgb(photometric: string, syntax: string): boolean {
  const undone = syntax.startsWith("1.2.840.10008.1.2.4.9") || syntax.startsWith("1.2.840.10008.1.2.4.20");
  return (
    photometric === "RGB" ||
    photometric === "YBR_RCT" ||
    photometric === "YBR_ICT" ||
    (undone && photometric !== "YBR_FULL")
  );
}

function inShape(pixels: Pixels, image: SceneImage): Pixels {
  if (pixels.width !== image.width || pixels.height !== image.height) {
    throw new RangeError("The frame's size is not the one the header states.");
  }
  if (image.samples_per_pixel === 3 && pixels.components === 1) {
    const samples = new Uint8Array(pixels.samples.length * 3);
    pixels.samples.forEach((value, index) => {
      samples.fill(value, index * 3, index * 3 + 3);
    });
    return { ...pixels, components: 3, samples };
  }
  if (image.samples_per_pixel === 1 && pixels.components === 3) throw new RangeError("The frame has colour.");
  return pixels;
}
