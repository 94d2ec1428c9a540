import { svg } from "@console/dom.ts";
import type { App } from "../app.ts";
import type { Annotation } from "../scene/types.ts";
import type { Point } from "../viewport/stage.ts";
import { kindOf, type LoadedData, labelOf, type OverlayModel } from "./model.ts";

const TAG_HEIGHT = 18;
const TAG_PADDING = 5;
/** As `.shape-tag text` in canvas.css. */
const TAG_FONT = '600 12px "Inter Variable", system-ui, sans-serif';
const ruler = document.createElement("canvas").getContext("2d");

/**
 * Boxes, outlines of polygons and captions above the picture, drawn anew for each picture and moved with it. Predictions are
 * dashed. What a mask covers is painted by `Masks`; a polygon without a mask is filled here.
 */
export class Shapes {
  readonly element: SVGElement;
  private drawn: { points: Point[][]; shape: SVGElement; tag: Tag | null }[] = [];

  constructor(
    private readonly app: App,
    private readonly model: OverlayModel,
  ) {
    this.element = svg("svg", { class: "shapes", "aria-hidden": "true" });
  }

  /** Makes the elements for the picture on screen. */
  draw(): void {
    this.drawn = [];
    const slot = this.app.image ? this.app.slot : undefined;
    if (slot) {
      for (const data of this.model.shown.values()) {
        for (const one of this.model.of(data, slot.image.id, slot.frame)) this.add(data, one);
      }
    }
    this.element.replaceChildren(...this.drawn.flatMap(({ shape, tag }) => (tag ? [shape, tag.element] : [shape])));
    this.move();
  }

  private add(data: LoadedData, one: Annotation): void {
    const kind = kindOf(one);
    if (kind === "classification" || !this.model.isVisible(data.info.id, kind, one.label)) return;
    const points = outlines(one);
    if (!points.length) return;
    const { color } = labelOf(data, one.label);
    const role = data.info.role === "prediction" ? "prediction" : "truth";
    const filled = kind === "segmentation" && !one.segmentation;
    const outlined = kind === "detection" || !!one.polygons?.length;
    const shape = svg("path", {
      class: `shape ${kind} ${role}`,
      stroke: outlined ? color : "none",
      fill: filled ? color : "none",
    });
    if (filled) shape.setAttribute("fill-opacity", String(this.model.opacity));
    const caption = one.score === undefined ? one.label : `${one.label} ${one.score.toFixed(3)}`;
    this.drawn.push({ points, shape, tag: this.model.captions ? tagOf(caption, color) : null });
  }

  /** Puts the shapes where the picture is now. */
  move(): void {
    for (const { points, shape, tag } of this.drawn) {
      const rings = points.map((ring) => ring.map((point) => this.app.stage.toCanvas(point)));
      shape.setAttribute(
        "d",
        rings.map((ring) => `M${ring.map((at) => at.map((part) => part.toFixed(1)).join()).join("L")}Z`).join(""),
      );
      if (!tag) continue;
      const all = rings.flat();
      const left = Math.min(...all.map(([x]) => x));
      const top = Math.min(...all.map(([, y]) => y));
      const [x, y] = placeOf(tag, left, top, this.element.clientWidth);
      tag.element.setAttribute("transform", `translate(${x.toFixed(1)},${y.toFixed(1)})`);
    }
  }
}

/** Where an annotation lies: its polygons, else its box, which of a mask is only where its caption goes. */
function outlines({ bbox, polygons }: Annotation): Point[][] {
  if (polygons?.length) return polygons.map(pairs);
  if (!bbox) return [];
  const [x, y, w, h] = bbox;
  return [
    [
      [x, y],
      [x + w, y],
      [x + w, y + h],
      [x, y + h],
    ],
  ];
}

function pairs(flat: number[]): Point[] {
  return Array.from({ length: flat.length >> 1 }, (_, index) => [
    flat[index * 2] as number,
    flat[index * 2 + 1] as number,
  ]);
}

interface Tag {
  element: SVGElement;
  width: number;
}

function tagOf(caption: string, color: string): Tag {
  const text = svg("text", { x: String(TAG_PADDING), y: "-5", fill: isLight(color) ? "#0b0f12" : "#ffffff" });
  text.textContent = caption;
  const width = Math.ceil(widthOf(caption)) + 2 * TAG_PADDING;
  const ground = svg("rect", {
    y: String(-TAG_HEIGHT),
    width: String(width),
    height: String(TAG_HEIGHT),
    fill: color,
  });
  return { element: svg("g", { class: "shape-tag" }, ground, text), width };
}

function widthOf(caption: string): number {
  if (!ruler) return 12 * caption.length;
  ruler.font = TAG_FONT;
  return ruler.measureText(caption).width;
}

/** Above the shape's corner; inside it where there is no room above, and never beyond the picture's right side. */
function placeOf({ width }: Tag, left: number, top: number, room: number): Point {
  const inside = top >= 0 && top < TAG_HEIGHT;
  const seen = left >= 0 && left < room;
  return [seen ? Math.max(0, Math.min(left, room - width)) : left, inside ? top + TAG_HEIGHT : top];
}

/** Whether dark letters read better than white ones on a colour (WCAG relative luminance). */
export function isLight(color: string): boolean {
  const [red, green, blue] = [1, 3, 5].map((start) => {
    const part = Number.parseInt(color.slice(start, start + 2), 16) / 255;
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.179;
}
