import { cache } from "@cornerstonejs/core";
import type { App, ViewerState } from "./app.ts";
import { valueAt } from "./imaging/image.ts";
import { windowOf } from "./imaging/windowing.ts";
import { backend } from "./viewport/engine.ts";

/**
 * `window.deepcapViewer`: what the viewer shows, for scripts and tests. It reads; nothing can be changed through it.
 * The root element's `data-viewer-state` says when there is something to read, and `deepcap:state` is dispatched on it.
 */
export interface ViewerApi {
  readonly state: ViewerState;
  readonly backend: "cpu" | "gpu";
  readonly study: unknown;
  readonly image: {
    id: unknown;
    frame: number;
    width: number;
    height: number;
    components: number;
    source: string;
  } | null;
  readonly stack: { place: number; total: number };
  readonly window: { center: number; width: number; inverted: boolean; reason: string } | null;
  /** CSS pixels an image pixel takes. */
  readonly scale: number;
  /** Bytes of decoded pictures held. */
  readonly cacheBytes: number;
  /** Output value at a pixel (HU for CT); null for colour and outside. */
  valueAt(x: number, y: number): number | null;
  /** Canvas position in CSS pixels of an image position; [0, 0] is the image's top left corner. */
  toCanvas(x: number, y: number): [number, number];
  /** RGBA of the canvas at the centres of image pixels x0..x0+width, y0..y0+height: what is on screen, base64. */
  pixelsOnScreen(x0: number, y0: number, width: number, height: number): string;
}

declare global {
  var deepcapViewer: ViewerApi | undefined;
}

export function publishApi(app: App): void {
  const { stage } = app;
  globalThis.deepcapViewer = Object.freeze({
    get state() {
      return app.state;
    },
    get backend() {
      return backend();
    },
    get study() {
      return app.scene.study.id;
    },
    get image() {
      const { image } = app;
      if (!image) return null;
      const { slot, pixels } = image.deepcap;
      return {
        id: slot.image.id,
        frame: slot.frame,
        width: pixels.width,
        height: pixels.height,
        components: pixels.components,
        source: pixels.source,
      };
    },
    get stack() {
      return { place: app.place, total: app.slots.length };
    },
    get window() {
      return app.applied && { ...windowOf(app.applied.ramp), inverted: app.inverted, reason: app.applied.reason };
    },
    get scale() {
      return stage.scale;
    },
    get cacheBytes() {
      return cache.getCacheSize();
    },
    valueAt: (x: number, y: number) => (app.image ? valueAt(app.image, x, y) : null),
    toCanvas: (x: number, y: number) => stage.toCanvas([x, y]),
    pixelsOnScreen: (x0: number, y0: number, width: number, height: number) => readScreen(app, x0, y0, width, height),
  });
  app.on("state", () => app.root.dispatchEvent(new CustomEvent("deepcap:state", { detail: app.state })));
}

function readScreen(app: App, x0: number, y0: number, width: number, height: number): string {
  const source = app.stage.canvas;
  const ratio = source.width / app.stage.element.clientWidth;
  const copy = new OffscreenCanvas(source.width, source.height).getContext("2d", { willReadFrequently: true });
  if (!copy) throw new Error("The browser has no 2-D canvas.");
  copy.drawImage(source, 0, 0);
  const { data } = copy.getImageData(0, 0, source.width, source.height);
  const out = new Uint8Array(width * height * 4);
  const origin = app.stage.toCanvas([x0 + 0.5, y0 + 0.5]);
  const right = app.stage.toCanvas([x0 + 1.5, y0 + 0.5]);
  const below = app.stage.toCanvas([x0 + 0.5, y0 + 1.5]);
  for (let y = 0, to = 0; y < height; y++) {
    for (let x = 0; x < width; x++, to += 4) {
      const left = origin[0] + x * (right[0] - origin[0]) + y * (below[0] - origin[0]);
      const top = origin[1] + x * (right[1] - origin[1]) + y * (below[1] - origin[1]);
      const from = (Math.floor(top * ratio) * source.width + Math.floor(left * ratio)) * 4;
      for (let part = 0; part < 4; part++) out[to + part] = data[from + part] ?? 0;
    }
  }
  let text = "";
  for (let start = 0; start < out.length; start += 8192)
    text += String.fromCharCode(...out.subarray(start, start + 8192));
  return btoa(text);
}
