import { Enums, type Types, utilities } from "@cornerstonejs/core";
import { type Slot, valuesOf } from "../scene/slots.ts";
import { type Curve, throughCurve } from "./curves.ts";
import type { Pixels } from "./pixels.ts";
import { extent } from "./statistics.ts";

/** What Cornerstone draws, with what we know of its samples: output value = slope * sample + intercept. */
export interface LoadedImage extends Types.IImage {
  deepcap: {
    slot: Slot;
    pixels: Pixels;
    slope: number;
    intercept: number;
    units: string;
    /** The curve the drawn samples went through; null where they are the samples themselves. */
    curve: Curve | null;
    /** Lowest and highest sample. */
    low: number;
    high: number;
  };
}

/**
 * Cornerstone gets the samples as they are, slope 1 and intercept 0: its 16-bit tables then hold whatever the rescale
 * is, and a window is put into sample units before it is handed over. So levels come out as the server computes them.
 */
export function toImage(slot: Slot, pixels: Pixels, curve: Curve | null = null): LoadedImage {
  const { rescale } = valuesOf(slot);
  const rendering = pixels.source === "rendering";
  const scale = rendering || pixels.components === 3 ? { slope: 1, intercept: 0, units: "" } : rescale;
  const { low, high } = pixels.components === 3 ? { low: 0, high: 255 } : extent(pixels.samples);
  const slope = scale.slope * pixels.slope;
  const intercept = scale.slope * pixels.intercept + scale.intercept;
  const table = curve ? throughCurve({ pixels, slope, intercept, low, high }, curve) : null;
  const samples = table ?? pixels.samples;
  const colour = pixels.components === 3;
  const spacing = spacingOf(slot);
  const voxelManager = utilities.VoxelManager.createImageVoxelManager({
    scalarData: samples,
    width: pixels.width,
    height: pixels.height,
    numberOfComponents: pixels.components,
  });
  return {
    imageId: slot.key,
    dataType: samples.constructor.name as Types.PixelDataTypedArrayString,
    rows: pixels.height,
    columns: pixels.width,
    height: pixels.height,
    width: pixels.width,
    color: colour,
    rgba: false,
    numberOfComponents: pixels.components,
    columnPixelSpacing: spacing.column,
    rowPixelSpacing: spacing.row,
    minPixelValue: table ? 0 : low,
    maxPixelValue: table ? 65535 : high,
    slope: 1,
    intercept: 0,
    windowCenter: 128,
    windowWidth: 256,
    voiLUTFunction: Enums.VOILUTFunctionType.LINEAR,
    invert: false,
    photometricInterpretation: colour ? "RGB" : "MONOCHROME2",
    sizeInBytes: samples.byteLength + (table ? pixels.samples.byteLength : 0),
    voxelManager,
    getPixelData: () => voxelManager.getScalarData(),
    getCanvas: () => undefined as unknown as HTMLCanvasElement,
    deepcap: {
      slot,
      pixels,
      slope,
      intercept,
      units: scale.units,
      curve,
      low,
      high,
    },
  };
}

/** Millimetres a pixel where the file says so; else units in which only the pixel's shape is right. */
export function spacingOf(slot: Slot): { row: number; column: number } {
  const { spacing } = valuesOf(slot);
  return spacing ? { row: spacing.row, column: spacing.column } : { row: slot.image.aspect || 1, column: 1 };
}

/** Output value at a pixel, in the modality's units; null outside the image and for colour. */
export function valueAt({ deepcap: { pixels, slope, intercept } }: LoadedImage, x: number, y: number): number | null {
  if (pixels.components === 3 || !isInside(pixels, x, y)) return null;
  return slope * (pixels.samples[y * pixels.width + x] as number) + intercept;
}

/** Red, green and blue at a pixel; null outside the image and for grey. */
export function colourAt({ deepcap: { pixels } }: LoadedImage, x: number, y: number): [number, number, number] | null {
  if (pixels.components === 1 || !isInside(pixels, x, y)) return null;
  const start = (y * pixels.width + x) * 3;
  return [pixels.samples[start] as number, pixels.samples[start + 1] as number, pixels.samples[start + 2] as number];
}

function isInside({ width, height }: Pixels, x: number, y: number): boolean {
  return x >= 0 && y >= 0 && x < width && y < height;
}
