import type { App } from "./app.ts";
import type { Cine } from "./cine.ts";
import { CINE_SPEEDS } from "./cine.ts";
import { CT_PRESETS } from "./imaging/windows.ts";
import { type Action, actionOf } from "./keyboard.ts";
import type { Tools } from "./viewport/tools.ts";

const ZOOM_STEP = 1.25;

/** What the page does for a button or a key. The parts that open something are plugged in by `main.ts`. */
export class Commands {
  windowMenu: () => void = () => undefined;
  info: () => void = () => undefined;
  help: () => void = () => undefined;
  close: () => void = () => undefined;
  togglePanel: () => void = () => undefined;
  toggleCaptions: () => void = () => undefined;
  toggleKind: (kind: "detection" | "segmentation") => void = () => undefined;
  study: (by: 1 | -1) => void = () => undefined;

  constructor(
    private readonly app: App,
    private readonly tools: Tools,
    private readonly cine: Cine,
  ) {}

  readonly zoomIn = () => this.app.stage.zoomBy(ZOOM_STEP);
  readonly zoomOut = () => this.app.stage.zoomBy(1 / ZOOM_STEP);
  readonly fit = () => this.app.stage.fit();
  readonly oneToOne = () => this.app.stage.zoomTo(1);
  readonly toggleFit = () => (this.app.stage.isFitted ? this.oneToOne() : this.fit());
  readonly invert = () => this.app.toggleInvert();
  readonly reset = () => this.app.resetView();
  readonly rotate = () => this.turn({ rotation: (this.app.stage.turn.rotation + 90) % 360 });
  readonly flipHorizontal = () => this.turn({ flipHorizontal: !this.app.stage.turn.flipHorizontal });
  readonly flipVertical = () => this.turn({ flipVertical: !this.app.stage.turn.flipVertical });

  private turn(change: Partial<App["stage"]["turn"]>): void {
    this.app.stage.setTurn({ ...this.app.stage.turn, ...change });
  }

  private cineFaster(by: number): void {
    const place = CINE_SPEEDS.findIndex((speed) => speed >= this.cine.speed);
    this.cine.setSpeed(CINE_SPEEDS[Math.min(Math.max(place + by, 0), CINE_SPEEDS.length - 1)] as number);
  }

  private readonly actions: Record<Exclude<Action, `preset-${number}`>, () => unknown> = {
    "next-image": () => this.app.step(1),
    "previous-image": () => this.app.step(-1),
    "next-ten": () => this.app.step(10),
    "previous-ten": () => this.app.step(-10),
    "first-image": () => this.app.goTo(0),
    "last-image": () => this.app.goTo(this.app.slots.length - 1),
    "next-study": () => this.study(1),
    "previous-study": () => this.study(-1),
    "next-series": () => this.app.openSeries(this.app.seriesIndex + 1),
    "previous-series": () => this.app.openSeries(this.app.seriesIndex - 1),
    cine: () => this.cine.toggle(),
    "cine-faster": () => this.cineFaster(1),
    "cine-slower": () => this.cineFaster(-1),
    window: () => (this.tools.active === "window" ? this.windowMenu() : this.tools.select("window")),
    pan: () => this.tools.select("pan"),
    zoom: () => this.tools.select("zoom"),
    browse: () => this.tools.select("browse"),
    magnify: () => this.tools.select("magnify"),
    length: () => this.tools.select("length"),
    angle: () => this.tools.select("angle"),
    rectangle: () => this.tools.select("rectangle"),
    ellipse: () => this.tools.select("ellipse"),
    "zoom-in": this.zoomIn,
    "zoom-out": this.zoomOut,
    fit: this.fit,
    "one-to-one": this.oneToOne,
    invert: this.invert,
    rotate: this.rotate,
    "flip-horizontal": this.flipHorizontal,
    "flip-vertical": this.flipVertical,
    reset: this.reset,
    "delete-measurements": () => this.tools.clearMeasurements(),
    captions: () => this.toggleCaptions(),
    detections: () => this.toggleKind("detection"),
    segmentations: () => this.toggleKind("segmentation"),
    panel: () => this.togglePanel(),
    info: () => this.info(),
    help: () => this.help(),
    close: () => this.close(),
    retry: () => this.app.state === "error" && this.app.show(),
  };

  run(action: Action): void {
    if (action.startsWith("preset-")) this.preset(Number(action.slice("preset-".length)));
    else this.actions[action as Exclude<Action, `preset-${number}`>]();
  }

  /** 1 is the image's own window; 2 to 7 are the CT presets, on grey images. */
  private preset(number: number): void {
    if (number === 1) this.app.choose({ kind: "own" });
    else if (this.app.isGrey && CT_PRESETS[number - 2]) this.app.choose({ kind: "preset", index: number - 2 });
  }

  /** Keys work wherever the focus is, except where it types, chooses or moves a slider, and not below a dialog. */
  bindKeys(): void {
    // While it is captured: the tools library keeps keys for itself once a shape was drawn.
    window.addEventListener(
      "keydown",
      (event) => {
        const action = actionOf(event);
        if (!action || event.defaultPrevented || document.querySelector("dialog[open]")) return;
        const focus = event.target instanceof Element ? event.target : null;
        if (focus?.matches("input:not([type=range], [type=checkbox]), textarea, [contenteditable]")) return;
        if (!event.altKey && ownKeys(focus)?.test(event.key)) return;
        event.preventDefault();
        this.run(action);
      },
      { capture: true },
    );
  }
}

/** Keys that a control with the focus needs for itself. */
function ownKeys(focus: Element | null): RegExp | null {
  if (focus?.matches("input[type=range], select")) return /^(Arrow|Page|Home|End| )/;
  if (focus?.closest("[role=radiogroup]")) return /^(Arrow| )/;
  return focus?.matches("button, a, summary, input[type=checkbox]") ? /^ $/ : null;
}
