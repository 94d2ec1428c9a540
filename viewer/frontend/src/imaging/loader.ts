import { cache, imageLoader, metaData, type Types } from "@cornerstonejs/core";
import { SCHEME, type Slot, valuesOf } from "../scene/slots.ts";
import type { VoiLuts } from "../scene/types.ts";
import type { Curve, CurveRequest } from "./curves.ts";
import { fetchJson } from "./fetching.ts";
import { loadPixels } from "./frames.ts";
import { type LoadedImage, spacingOf, toImage } from "./image.ts";
import { decodeEntries } from "./windowing.ts";

const slots = new Map<string, { slot: Slot; place: number; group: string }>();

/** A key with this ending shows the same frame through a curve (VOI LUT or SIGMOID). */
const CURVED = "#curve";
const requests = new Map<string, CurveRequest>();

/** Makes slots known, so that Cornerstone can ask for them by key; `group` names the stack they are compared in. */
export function registerSlots(stack: readonly Slot[], group: string): void {
  stack.forEach((slot, place) => {
    slots.set(slot.key, { slot, place, group });
  });
}

export function forgetSlots(stack: readonly Slot[]): void {
  for (const { key } of stack) {
    slots.delete(key);
    requests.delete(key);
    for (const id of [key, key + CURVED])
      if (cache.getImageLoadObject(id)) cache.removeImageLoadObject(id, { force: true });
  }
}

export function registerLoader(): void {
  imageLoader.registerImageLoader(SCHEME, (imageId) => ({ promise: noted(load(imageId)) as Promise<Types.IImage> }));
  // The library's cache rejects a second promise with the same fault, for which nobody waits.
  addEventListener("unhandledrejection", (event) => {
    if (typeof event.reason === "object" && event.reason !== null && faults.has(event.reason)) event.preventDefault();
  });
  metaData.addProvider(provide, 10_000);
}

/** The key that shows a slot through a curve; the same curve gives the same picture from the cache. */
export function curvedKey(slot: Slot, request: CurveRequest): string {
  const key = slot.key + CURVED;
  if (JSON.stringify(requests.get(slot.key)) !== JSON.stringify(request)) {
    requests.set(slot.key, request);
    if (cache.getImageLoadObject(key)) cache.removeImageLoadObject(key, { force: true });
  }
  return key;
}

export function plainKey(imageId: string): string {
  return imageId.endsWith(CURVED) ? imageId.slice(0, -CURVED.length) : imageId;
}

/** Faults that whoever asked for the image is told of. */
const faults = new WeakSet<object>();

async function noted<T>(loading: Promise<T>): Promise<T> {
  try {
    return await loading;
  } catch (error) {
    if (typeof error === "object" && error !== null) faults.add(error);
    throw error;
  }
}

async function load(imageId: string): Promise<LoadedImage> {
  const key = plainKey(imageId);
  const known = slots.get(key);
  if (!known) throw new Error(`Nothing is known of ${imageId}.`);
  if (key === imageId) return toImage(known.slot, await loadPixels(known.slot));
  const plain = (await imageLoader.loadAndCacheImage(key)) as LoadedImage;
  const request = requests.get(key);
  const curve = request && plain.deepcap.pixels.source !== "rendering" ? await resolve(request) : null;
  return { ...toImage(known.slot, plain.deepcap.pixels, curve), imageId };
}

const tables = new Map<string, Promise<VoiLuts>>();

/** The usable VOI LUTs of a file, in its order; asked for once. */
export function voiLutsAt(url: string): Promise<VoiLuts> {
  const asked = tables.get(url) ?? fetchJson<VoiLuts>(url);
  tables.set(url, asked);
  asked.catch(() => tables.delete(url));
  return asked;
}

/** Null where the file's table turns out to be unusable. */
async function resolve(request: CurveRequest): Promise<Curve | null> {
  if (request.kind === "sigmoid") return request;
  const { luts } = await voiLutsAt(request.url);
  const index = luts[request.index] ? request.index : 0;
  const lut = luts[index];
  if (!lut) return null;
  return {
    kind: "lut",
    index,
    explanation: lut.explanation,
    table: { first: lut.first, bits: lut.bits, entries: decodeEntries(lut.entries) },
  };
}

/** Metadata for Cornerstone: slices lie one behind the other in a plane of our own, so that pixels are pixels. */
function provide(type: string, imageId: unknown): unknown {
  const known = typeof imageId === "string" ? slots.get(plainKey(imageId)) : undefined;
  if (!known) return undefined;
  const { slot, place, group } = known;
  const { image } = slot;
  const { row, column } = spacingOf(slot);
  const colour = image.window.rule === "colour" || image.window.rule === "palette";
  switch (type) {
    case "imagePixelModule":
      return {
        rows: image.height,
        columns: image.width,
        samplesPerPixel: colour ? 3 : 1,
        photometricInterpretation: colour ? "RGB" : "MONOCHROME2",
        bitsAllocated: colour ? 8 : 16,
        bitsStored: colour ? 8 : 16,
        highBit: colour ? 7 : 15,
        pixelRepresentation: 0,
        planarConfiguration: 0,
      };
    case "imagePlaneModule":
      return {
        rows: image.height,
        columns: image.width,
        imageOrientationPatient: [1, 0, 0, 0, 1, 0],
        rowCosines: [1, 0, 0],
        columnCosines: [0, 1, 0],
        imagePositionPatient: [0, 0, place],
        rowPixelSpacing: row,
        columnPixelSpacing: column,
        pixelSpacing: [row, column],
        sliceThickness: 1,
        frameOfReferenceUID: group,
        usingDefaultValues: !image.spacing,
      };
    case "generalSeriesModule":
      // Never the real modality: the library scales PET by itself, and here samples are not scaled.
      return { modality: "OT", seriesInstanceUID: group, seriesNumber: 1 };
    case "modalityLutModule":
      return { rescaleSlope: 1, rescaleIntercept: 0, rescaleType: valuesOf(slot).rescale.units };
    case "voiLutModule":
      return { windowCenter: [128], windowWidth: [256], voiLUTFunction: "LINEAR" };
    default:
      return undefined;
  }
}
