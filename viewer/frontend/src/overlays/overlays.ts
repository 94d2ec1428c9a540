import { gettext } from "@console/i18n.ts";
import { remember, remembered } from "@console/preferences.ts";
import type { App } from "../app.ts";
import type { AnnotationDataInfo } from "../scene/types.ts";
import { Masks } from "./masks.ts";
import { type Kind, OverlayModel } from "./model.ts";
import { Shapes } from "./shapes.ts";

/** Loads what is to be shown above the picture and keeps it in step with the picture. */
export class Overlays {
  readonly model = new OverlayModel();
  readonly faults = new Map<string, string>();
  private readonly shapes: Shapes;
  private readonly masks: Masks;
  private drawnFor = "";

  constructor(private readonly app: App) {
    this.shapes = new Shapes(app, this.model);
    this.masks = new Masks(app, this.model);
    this.model.captions = remembered("viewer.captions") !== "off";
    this.model.opacity = Number(remembered("viewer.opacity") ?? 0.45);
    app.on("scene", () => void this.followScene());
    app.on("view", () => this.move());
    app.on("place", () => this.clear());
  }

  get elements(): Element[] {
    return [this.masks.element, this.shapes.element];
  }

  async setShown(info: AnnotationDataInfo, shown: boolean): Promise<void> {
    this.faults.delete(String(info.id));
    if (shown) await this.load(info);
    else this.model.remove(info.id);
    this.draw();
    this.app.tell("overlays");
  }

  setOpacity(opacity: number): void {
    this.model.opacity = opacity;
    remember("viewer.opacity", String(opacity));
    this.draw();
  }

  toggleCaptions(): void {
    this.model.captions = !this.model.captions;
    remember("viewer.captions", this.model.captions ? null : "off");
    this.draw();
    this.app.tell("overlays");
  }

  /** Closes the eyes of a kind where one is open, opens all otherwise. */
  toggleKind(kind: Kind): void {
    const ids = [...this.model.shown.values()].map(({ info }) => info.id);
    const open = ids.some((id) => this.model.isOpen(id, kind));
    for (const id of ids) this.model.setEye(!open, id, kind);
    this.draw();
    this.app.tell("overlays");
  }

  draw(): void {
    this.drawnFor = this.app.image?.deepcap.slot.key ?? "";
    this.shapes.draw();
    this.masks.draw();
  }

  private move(): void {
    const key = this.app.image?.deepcap.slot.key ?? "";
    if (key !== this.drawnFor) {
      this.draw();
      return;
    }
    this.shapes.move();
    this.masks.move();
  }

  /** Shapes of one image are never seen above another, not even while that is loading. */
  private clear(): void {
    if (this.app.image?.deepcap.slot.key !== this.drawnFor) this.draw();
  }

  private async followScene(): Promise<void> {
    const { scene } = this.app;
    const chosen = new Set(scene.selected.annotation_data.map(String));
    this.model.clear();
    this.faults.clear();
    this.draw();
    await Promise.all(scene.annotation_data.filter(({ id }) => chosen.has(String(id))).map((info) => this.load(info)));
    if (scene !== this.app.scene) return;
    this.draw();
    this.app.tell("overlays");
  }

  private async load(info: AnnotationDataInfo): Promise<void> {
    try {
      await this.model.load(info);
    } catch (error) {
      const reason = error instanceof Error ? error.message : "";
      this.faults.set(String(info.id), `${gettext("These annotations could not be loaded.")} ${reason}`.trim());
    }
  }
}
