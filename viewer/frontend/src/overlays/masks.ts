import { element } from "@console/dom.ts";
import type { App } from "../app.ts";
import { labelOf, type OverlayModel } from "./model.ts";

const STRIPE = 8;

/**
 * Masks above the picture: painted once for each picture on a canvas of the image's size, then drawn with the picture's
 * transformation. Ground truth is filled, predictions are striped.
 */
export class Masks {
  readonly element = element("canvas", { class: "masks", "aria-hidden": "true" });
  private painted: OffscreenCanvas | null = null;

  constructor(
    private readonly app: App,
    private readonly model: OverlayModel,
  ) {}

  draw(): void {
    this.painted = this.paint();
    this.move();
  }

  private paint(): OffscreenCanvas | null {
    const { image } = this.app;
    const slot = this.app.slot;
    if (!image || !slot) return null;
    let canvas: OffscreenCanvas | null = null;
    for (const data of this.model.shown.values()) {
      for (const one of this.model.of(data, slot.image.id, slot.frame)) {
        if (!one.segmentation || !this.model.isVisible(data.info.id, "segmentation", one.label)) continue;
        const mask = this.model.maskOf(one);
        if (!mask) continue;
        const [rows, columns] = one.segmentation.size;
        canvas ??= new OffscreenCanvas(image.columns, image.rows);
        paintMask(canvas, mask, rows, columns, labelOf(data, one.label).color, data.info.role === "prediction");
      }
    }
    return canvas;
  }

  move(): void {
    const { element: canvas, painted } = this;
    const ratio = devicePixelRatio || 1;
    const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
    if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
    const context = canvas.getContext("2d");
    if (!context) return;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, width, height);
    if (!painted) return;
    const { stage } = this.app;
    const origin = stage.toCanvas([0, 0]);
    const right = stage.toCanvas([painted.width, 0]);
    const below = stage.toCanvas([0, painted.height]);
    context.setTransform(
      ((right[0] - origin[0]) / painted.width) * ratio,
      ((right[1] - origin[1]) / painted.width) * ratio,
      ((below[0] - origin[0]) / painted.height) * ratio,
      ((below[1] - origin[1]) / painted.height) * ratio,
      origin[0] * ratio,
      origin[1] * ratio,
    );
    context.imageSmoothingEnabled = false;
    context.globalAlpha = this.model.opacity;
    context.drawImage(painted, 0, 0);
    context.globalAlpha = 1;
  }
}

function paintMask(
  target: OffscreenCanvas,
  mask: Uint8Array,
  rows: number,
  columns: number,
  color: string,
  striped: boolean,
): void {
  const layer = new OffscreenCanvas(columns, rows);
  const context = layer.getContext("2d");
  if (!context) return;
  const picture = context.createImageData(columns, rows);
  const pixels = new Uint32Array(picture.data.buffer);
  const [fill, stripe] = [toPixel(color), 0xffffffff];
  for (let index = 0; index < mask.length; index++) {
    if (!mask[index]) continue;
    const diagonal = (index % columns) + Math.floor(index / columns);
    pixels[index] = striped && diagonal % STRIPE < STRIPE / 3 ? stripe : fill;
  }
  context.putImageData(picture, 0, 0);
  target.getContext("2d")?.drawImage(layer, 0, 0, target.width, target.height);
}

/** `#rrggbb` as a little-endian RGBA pixel. */
function toPixel(color: string): number {
  const value = Number.parseInt(color.slice(1), 16);
  return (0xff000000 | ((value & 0xff) << 16) | (value & 0xff00) | (value >> 16)) >>> 0;
}
