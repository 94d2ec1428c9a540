import { fromRgba, type Pixels } from "./pixels.ts";

/**
 * Decodes a JPEG or PNG with the browser's own decoder: upright (EXIF), no colour management, transparent parts over
 * black, as the server shows them. Throws where the browser cannot decode it.
 */
export async function decodeBitmap(bytes: Blob, source: Pixels["source"], turn = true): Promise<Pixels> {
  const bitmap = await createImageBitmap(bytes, {
    colorSpaceConversion: "none",
    imageOrientation: turn ? "from-image" : "none",
  });
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d", { alpha: false, willReadFrequently: true });
  if (!context) throw new Error("The browser has no 2-D canvas.");
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return { width, height, ...fromRgba(context.getImageData(0, 0, width, height).data), slope: 1, intercept: 0, source };
}
