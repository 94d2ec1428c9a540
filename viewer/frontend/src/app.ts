import { gettext } from "@console/i18n.ts";
import { RefusedError } from "./imaging/fetching.ts";
import type { LoadedImage } from "./imaging/image.ts";
import { curvedKey, forgetSlots, registerSlots } from "./imaging/loader.ts";
import { type Ramp, windowOf } from "./imaging/windowing.ts";
import { type Applied, applyChoice, type Choice, curveFor } from "./imaging/windows.ts";
import { indexOf, isGrey, type Slot, seriesOf, slotsOf } from "./scene/slots.ts";
import type { Id, Scene, SceneSeries } from "./scene/types.ts";
import type { Stage } from "./viewport/stage.ts";
import { UPRIGHT } from "./viewport/turn.ts";

const NO_SERIES: SceneSeries = {
  id: null,
  number: null,
  description: "",
  modality: "",
  series_instance_uid: "",
  images: [],
};

export type AppEvent = "scene" | "place" | "window" | "view" | "tool" | "overlays" | "state" | "cine";
export type ViewerState = "loading" | "ready" | "error";

/** What is looked at, and how. The parts of the page read it and are told by name what changed. */
export class App extends EventTarget {
  scene: Scene;
  seriesIndex = 0;
  slots: Slot[] = [];
  place = 0;
  choice: Choice = { kind: "own" };
  inverted = false;
  applied: Applied | null = null;
  state: ViewerState = "loading";
  fault = "";
  private keys: string[] | null = null;
  private wanted = 0;

  constructor(
    readonly root: HTMLElement,
    readonly stage: Stage,
    scene: Scene,
  ) {
    super();
    this.scene = scene;
    stage.addEventListener("image", () => this.applyWindow());
    stage.addEventListener("moved", () => this.tell("view"));
    stage.addEventListener("rendered", () => this.tell("view"));
  }

  get series(): SceneSeries {
    return this.scene.series[this.seriesIndex] ?? NO_SERIES;
  }

  get slot(): Slot | undefined {
    return this.slots[this.place];
  }

  get image(): LoadedImage | null {
    const image = this.stage.image;
    return image && image.deepcap.slot.key === this.slot?.key ? image : null;
  }

  on(names: AppEvent | AppEvent[], listener: () => void): void {
    for (const name of [names].flat()) this.addEventListener(name, listener);
  }

  tell(name: AppEvent): void {
    this.dispatchEvent(new Event(name));
  }

  /** Shows a scene from its selected image on; what belonged to the one before is let go. */
  async open(scene: Scene): Promise<void> {
    const { image, frame } = scene.selected;
    const before = this.slots;
    this.scene = scene;
    this.setSeries(seriesOf(scene, image));
    this.place = Math.max(0, indexOf(this.slots, image, frame));
    this.tell("scene");
    await this.show();
    const kept = new Set(this.slots.map(({ key }) => key));
    forgetSlots(before.filter(({ key }) => !kept.has(key)));
  }

  async openSeries(index: number): Promise<void> {
    if (index === this.seriesIndex || !this.scene.series[index]) return;
    this.setSeries(index);
    this.place = 0;
    this.tell("scene");
    await this.show();
  }

  private setSeries(index: number): void {
    this.seriesIndex = index;
    this.slots = slotsOf(this.series);
    this.choice = { kind: "own" };
    this.inverted = false;
    this.keys = null;
    this.stage.turn = UPRIGHT;
    registerSlots(this.slots, `${this.scene.study.id}/${index}`);
  }

  async goTo(place: number): Promise<void> {
    const next = Math.min(Math.max(place, 0), this.slots.length - 1);
    if (next === this.place && this.state === "ready") return;
    this.place = next;
    this.tell("place");
    await this.show();
  }

  step(by: number, around = false): Promise<void> {
    const count = this.slots.length;
    const next = this.place + by;
    return this.goTo(around && count ? (next + count) % count : next);
  }

  /** Loads and shows the current place; its fault becomes a sentence on the canvas. */
  async show(): Promise<void> {
    const wanted = ++this.wanted;
    const slow = setTimeout(() => wanted === this.wanted && this.setState("loading"), 150);
    try {
      if (!this.slots.length) throw new RefusedError(404, gettext("This study has no images."));
      const shown = await this.stage.show(this.stackKeys(), this.place);
      clearTimeout(slow);
      if (!shown || wanted !== this.wanted) return;
      this.applyWindow();
      await nextPaint();
      if (wanted === this.wanted) this.setState("ready");
    } catch (error) {
      clearTimeout(slow);
      if (wanted === this.wanted) this.fail(error);
    }
  }

  fail(error: unknown): void {
    this.fault = sentenceOf(error);
    this.setState("error");
  }

  setState(state: ViewerState): void {
    this.state = state;
    this.root.dataset.viewerState = state;
    this.tell("state");
  }

  choose(choice: Choice): void {
    this.choice = choice;
    const keys = this.keys;
    this.keys = null;
    const changed = this.stackKeys();
    if (keys?.[this.place] === changed[this.place]) this.applyWindow();
    else void this.show();
  }

  /** A window dragged by hand, as a ramp in output units. */
  setRamp(ramp: Ramp): void {
    this.choose({ kind: "manual", window: windowOf(ramp) });
  }

  toggleInvert(): void {
    this.inverted = !this.inverted;
    this.applyWindow();
  }

  resetView(): void {
    this.inverted = false;
    this.stage.turn = UPRIGHT;
    this.choose({ kind: "own" });
    this.stage.fit();
  }

  get isGrey(): boolean {
    return this.image ? this.image.deepcap.pixels.components === 1 : !!this.slot && isGrey(this.slot.image);
  }

  get isCt(): boolean {
    return this.series.modality === "CT" || this.slot?.image.rescale.units === "HU";
  }

  private applyWindow(): void {
    const image = this.stage.image;
    if (!image || !this.slot) return;
    this.applied = applyChoice(image, this.choice);
    this.stage.setRamp(this.applied.sampleRamp, this.applied.invert !== this.inverted);
    this.tell("window");
  }

  private stackKeys(): string[] {
    this.keys ??= this.slots.map((slot) => {
      const curve = curveFor(slot, this.choice);
      return curve ? curvedKey(slot, curve) : slot.key;
    });
    return this.keys;
  }

  idsOf(): { study: Id; image: Id | undefined; frame: number } {
    return { study: this.scene.study.id, image: this.slot?.image.id, frame: this.slot?.frame ?? 1 };
  }
}

function nextPaint(): Promise<void> {
  return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve())));
}

/** Cornerstone wraps what a loader threw. */
function sentenceOf(thrown: unknown): string {
  const error = typeof thrown === "object" && thrown !== null && "error" in thrown ? thrown.error : thrown;
  if (error instanceof RefusedError) {
    if (error.status === 404) return error.detail || gettext("This image is no longer there.");
    if (error.status === 401 || error.status === 403) return error.detail || gettext("You may not see this image.");
    return error.detail || gettext("The server could not deliver this image.");
  }
  if (error instanceof TypeError) return gettext("The server cannot be reached.");
  if (error instanceof DOMException && error.name === "TimeoutError")
    return gettext("The server takes too long to answer.");
  return error instanceof Error && error.message ? error.message : gettext("This image could not be shown.");
}
