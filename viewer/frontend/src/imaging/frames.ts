import type { Slot } from "../scene/slots.ts";
import type { SceneImage } from "../scene/types.ts";
import { decodeBitmap } from "./bitmap.ts";
import { decodeFrame } from "./codecs.ts";
import { fetchOk, inTime, RefusedError } from "./fetching.ts";
import type { Pixels } from "./pixels.ts";
import { isOddPng } from "./png.ts";
import { readLayout, readSamples } from "./samples.ts";

const DECODING = 20_000;

/**
 * The pixels of a slot: decoded in the browser where it can; else the server's samples; else the server's 8-bit
 * rendering. Throws the last refusal where there is nothing to show at all.
 */
export async function loadPixels({ image, frame }: Slot): Promise<Pixels> {
  if (image.undrawable || image.delivery === "none") throw new RefusedError(422, image.undrawable_message);
  try {
    return await (image.delivery === "image" ? loadFile(image) : loadFrame(image, frame, ""));
  } catch (error) {
    if (error instanceof RefusedError && error.status < 500 && error.status !== 422) throw error;
    return orRendering(() => loadFrame(image, frame, "?decode=server"), image, frame);
  }
}

async function orRendering(load: () => Promise<Pixels>, image: SceneImage, frame: number): Promise<Pixels> {
  try {
    return await load();
  } catch (error) {
    if (error instanceof RefusedError && (error.status === 403 || error.status === 404)) throw error;
    return loadRendering(image, frame);
  }
}

async function loadFile(image: SceneImage): Promise<Pixels> {
  const response = await fetchOk(image.file_url);
  const bytes = await response.arrayBuffer();
  if (isOddPng(new Uint8Array(bytes))) throw new RangeError("Browsers show this PNG in their own way.");
  return decodeBitmap(new Blob([bytes]), "browser");
}

async function loadRendering(image: SceneImage, frame: number): Promise<Pixels> {
  const response = await fetchOk(`${image.rendered_url}${image.rendered_url.includes("?") ? "&" : "?"}frame=${frame}`);
  return decodeBitmap(await response.blob(), "rendering");
}

/** The answer says what it is: samples where there is an X-Samples header, the frame's own code stream otherwise. */
async function loadFrame(image: SceneImage, frame: number, query: string): Promise<Pixels> {
  const response = await fetchOk(frameUrl(image, frame) + query);
  const layout = readLayout(response.headers.get("x-samples"));
  const bytes = await response.arrayBuffer();
  if (layout) return readSamples(bytes, layout, image.width, image.height);
  return inTime(decodeFrame(bytes, syntaxOf(response) ?? image.transfer_syntax_uid, image), DECODING);
}

export function frameUrl(image: SceneImage, frame: number): string {
  return image.frame_url.replace("{frame}", String(frame));
}

function syntaxOf(response: Response): string | null {
  const found = /transfer-syntax="?([0-9.]+)"?/.exec(response.headers.get("content-type") ?? "")?.[1];
  return found ?? null;
}
