import { Enums, getRenderingEngine, imageLoader, type Types } from "@cornerstonejs/core";
import type { LoadedImage } from "../imaging/image.ts";
import { plainKey } from "../imaging/loader.ts";
import type { Ramp } from "../imaging/windowing.ts";
import { ENGINE, type Viewport } from "./engine.ts";
import { type Turn, UPRIGHT } from "./turn.ts";

export type Point = [number, number];

const LEAST_SCALE = 0.02;
const MOST_SCALE = 64;

/** The picture on screen: which slot of which stack, how it is windowed, how it lies. Knows nothing of the page. */
export class Stage extends EventTarget {
  private keys: string[] = [];
  private request = 0;
  private place = -1;
  private fitted = true;
  image: LoadedImage | null = null;
  turn: Turn = UPRIGHT;

  constructor(
    readonly viewport: Viewport,
    readonly element: HTMLDivElement,
  ) {
    super();
    element.addEventListener(Enums.Events.IMAGE_RENDERED, () => this.dispatchEvent(new Event("rendered")));
    element.addEventListener(Enums.Events.CAMERA_MODIFIED, () => this.dispatchEvent(new Event("moved")));
    new ResizeObserver(() => this.resize()).observe(element);
  }

  get index(): number {
    return this.place;
  }

  /** Shows a place of a stack once its picture is loaded. False where another request came in between. Throws its fault. */
  async show(keys: readonly string[], place: number): Promise<boolean> {
    const request = ++this.request;
    const key = keys[place];
    if (key === undefined) throw new RangeError(`The stack has no place ${place}.`);
    const image = (await imageLoader.loadAndCacheImage(key)) as LoadedImage;
    if (request !== this.request) return false;
    const sameStack = keys.length === this.keys.length && keys.every((one, index) => one === this.keys[index]);
    const sameShape = this.image !== null && sizeOf(this.image) === sizeOf(image);
    const isFirst = this.image === null;
    const sameFrames =
      keys.length === this.keys.length &&
      keys.every((one, index) => plainKey(one) === plainKey(this.keys[index] ?? ""));
    const view = sameFrames ? this.viewport.getViewState() : null;
    this.image = image;
    this.place = place;
    if (sameStack) {
      const moved = this.viewport.setImageIdIndex(place);
      this.dispatchEvent(new Event("image")); // the window of the new picture is set before it is drawn
      await moved;
    } else {
      this.keys = [...keys];
      await this.viewport.setStack([...keys], place);
      if (request !== this.request) return false;
      this.dispatchEvent(new Event("image"));
      if (isFirst) getRenderingEngine(ENGINE)?.resize(true, true);
      if (view) this.viewport.setViewState({ ...view, slice: { kind: "stackIndex", imageIdIndex: place } });
    }
    if (!sameShape || (!sameStack && !view)) this.fit();
    else this.viewport.render();
    return true;
  }

  /** Draws samples `low` and below black, `high` and above white; the other way round where `invert`. */
  setRamp({ low, high }: Ramp, invert: boolean): void {
    this.viewport.setProperties({ voiRange: { lower: low, upper: high }, invert });
    this.viewport.render();
  }

  /** CSS pixels an image pixel takes, across. */
  get scale(): number {
    const from = this.toCanvas([0, 0]);
    const to = this.toCanvas([1, 0]);
    return Math.hypot(to[0] - from[0], to[1] - from[1]) || 1;
  }

  get canvas(): HTMLCanvasElement {
    return this.viewport.getCanvas();
  }

  get isFitted(): boolean {
    return this.fitted;
  }

  zoomTo(scale: number, around?: Point): void {
    if (!this.image) return;
    const wanted = Math.min(MOST_SCALE, Math.max(LEAST_SCALE, scale));
    this.fitted = false;
    this.viewport.setZoom((this.viewport.getZoom() * wanted) / this.scale, around);
    this.snap(wanted);
    this.viewport.render();
  }

  zoomBy(factor: number, around?: Point): void {
    this.zoomTo(this.scale * factor, around);
  }

  panBy([x, y]: Point): void {
    const pan = this.viewport.getPan();
    this.fitted = false;
    this.viewport.setPan([pan[0] + x, pan[1] + y]);
    this.viewport.render();
  }

  fit(): void {
    this.fitted = true;
    this.viewport.resetCamera({ resetPan: true, resetZoom: true, resetToCenter: true });
    this.viewport.setViewPresentation({ ...this.turn });
    this.viewport.render();
  }

  setTurn(turn: Turn): void {
    this.turn = turn;
    this.viewport.setViewPresentation({ ...turn });
    if (this.fitted) this.fit();
    else this.viewport.render();
  }

  /** Canvas position, in CSS pixels, of a position in the image: [0, 0] is its top left corner. */
  toCanvas([x, y]: Point): Point {
    const image = this.image;
    if (!image) return [0, 0];
    const world: Types.Point3 = [(x - 0.5) * image.columnPixelSpacing, (y - 0.5) * image.rowPixelSpacing, this.place];
    return [...this.viewport.worldToCanvas(world)] as Point;
  }

  toImage(canvas: Point): Point {
    const image = this.image;
    if (!image) return [0, 0];
    const world = this.viewport.canvasToWorld(canvas);
    return [world[0] / image.columnPixelSpacing + 0.5, world[1] / image.rowPixelSpacing + 0.5];
  }

  /** At whole scales pixels of the image lie on pixels of the canvas, so that nothing is smoothed. */
  private snap(scale: number): void {
    if (!Number.isInteger(scale * devicePixelRatio)) return;
    const [x, y] = this.toCanvas([0, 0]);
    const pan = this.viewport.getPan();
    this.viewport.setPan([pan[0] + Math.round(x) - x, pan[1] + Math.round(y) - y]);
  }

  private resize(): void {
    // Without a picture the library would draw its empty scene through WebGL, whatever draws pictures.
    if (!this.image || !this.element.clientWidth || !this.element.clientHeight) return;
    getRenderingEngine(ENGINE)?.resize(true, true);
    if (this.fitted) this.fit();
    this.dispatchEvent(new Event("moved"));
  }
}

function sizeOf(image: LoadedImage): string {
  return [image.columns, image.rows, image.columnPixelSpacing, image.rowPixelSpacing].join();
}
