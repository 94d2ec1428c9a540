/**
 * Runs first and is tiny: asks for the pixels of the first image and for the viewer itself, a few hundred kilobytes, and
 * lets the browser paint the server's picture before the viewer is started. The picture stays until the windowed image
 * covers it.
 */
import type { Scene } from "./scene/types.ts";

const PATIENCE = 400;

/** Transfer syntaxes whose frames the viewer reads by itself: uncompressed little endian, and baseline JPEG. */
const WITHOUT_CODEC = ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.50"];

/** The build puts the address of the viewer's script here; as it is there is none. */
const MAIN = "__VIEWER_MAIN__";

async function painted(): Promise<void> {
  const preview = document.querySelector<HTMLImageElement>("#viewer-preview");
  if (preview) {
    try {
      await preview.decode();
    } catch (error) {
      if (!(error instanceof DOMException)) throw error; // no preview: the viewer says what is wrong
    }
  }
  await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)));
}

/** Fetches the script without running it. */
function preload(): void {
  if (MAIN.startsWith("__")) return;
  const link = document.createElement("link");
  link.rel = "modulepreload";
  link.href = new URL(MAIN, import.meta.url).href;
  document.head.append(link);
}

const ask = (url: string) => fetch(url, { credentials: "same-origin" });

/** The first frame comes decoded: the server is quicker than the fetch of a codec, which is for the frames after it. */
async function askDecoded(url: string): Promise<Response> {
  const response = await ask(`${url}?decode=server`);
  return response.ok ? response : ask(url);
}

/** Asks for the frame that the page's scene begins with; null where the scene is not in the page or has no frame to fetch. */
function askForFirst(): { url: string; response: Promise<Response> } | null {
  const inline = document.getElementById("viewer-scene")?.textContent;
  if (!inline) return null;
  const { series, selected } = JSON.parse(inline) as Scene;
  const image = series.flatMap(({ images }) => images).find(({ id }) => id === selected.image);
  if (!image || image.undrawable || image.delivery === "none" || image.delivery === "image") return null;
  const frame = Math.min(Math.max(selected.frame, 1), Math.max(image.frames, 1));
  const url = image.frame_url.replace("{frame}", String(frame));
  const response = WITHOUT_CODEC.includes(image.transfer_syntax_uid) ? ask(url) : askDecoded(url);
  response.catch(() => undefined); // whoever takes it is told
  return { url, response };
}

async function boot(): Promise<void> {
  preload();
  const first = askForFirst();
  await Promise.race([painted(), new Promise((resolve) => setTimeout(resolve, PATIENCE))]);
  const { start } = await import("./main.ts");
  await start(first);
}

boot().catch((error: unknown) => {
  document.getElementById("viewer")?.setAttribute("data-viewer-state", "error");
  throw error;
});
