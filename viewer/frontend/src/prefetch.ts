import { cache, imageLoader } from "@cornerstonejs/core";
import type { App } from "./app.ts";
import { fetchJson } from "./imaging/fetching.ts";
import { registerSlots } from "./imaging/loader.ts";
import { indexOf, seriesOf, slotsOf } from "./scene/slots.ts";
import type { Scene, StudyReference } from "./scene/types.ts";

const TOGETHER = 3;
/** Milliseconds that the first picture has to reach the screen before others are fetched. */
const FIRST_PAUSE = 400;
/** Bytes of decoded pictures fetched ahead; the rest of the cache is for what was looked at. */
const BUDGET = 512 * 1024 ** 2;

/** Loads what will be looked at next: the rest of the stack from the current place outwards, then the next study. */
export class Prefetch {
  private run = 0;
  private readonly scenes = new Map<string, Promise<Scene>>();

  constructor(private readonly app: App) {
    let pause = FIRST_PAUSE;
    app.on("state", () => {
      if (app.state !== "ready") return;
      setTimeout(() => this.start(), pause);
      pause = 0;
    });
  }

  /** The scene of a study, fetched ahead or now. */
  sceneOf(study: StudyReference): Promise<Scene> {
    const known = this.scenes.get(study.scene_url);
    if (known) return known;
    const asked = fetchJson<Scene>(study.scene_url);
    this.scenes.set(study.scene_url, asked);
    asked.catch(() => this.scenes.delete(study.scene_url));
    return asked;
  }

  /** Order of the places around one: itself, then the nearer ones first, forward before backward. */
  static order(count: number, place: number): number[] {
    return Array.from({ length: count }, (_, index) => index).sort(
      (a, b) => Math.abs(a - place) - Math.abs(b - place) || b - a,
    );
  }

  private start(): void {
    const run = ++this.run;
    const { slots, place } = this.app;
    const order = Prefetch.order(slots.length, place).map((index) => slots[index]?.key ?? "");
    let next = 0;
    const work = async () => {
      while (run === this.run && next < order.length && cache.getCacheSize() < BUDGET) {
        const key = order[next++] as string;
        if (cache.getImageLoadObject(key)) continue;
        try {
          await imageLoader.loadAndCacheImage(key);
        } catch {}
      }
    };
    void Promise.all(Array.from({ length: TOGETHER }, work)).then(() => {
      if (run === this.run) void this.nextStudy();
    });
  }

  private async nextStudy(): Promise<void> {
    const { next, previous } = this.app.scene.study;
    for (const study of [next, previous]) {
      if (!study) continue;
      try {
        const scene = await this.sceneOf(study);
        const index = seriesOf(scene, scene.selected.image);
        const slots = scene.series[index] ? slotsOf(scene.series[index]) : [];
        registerSlots(slots, `${scene.study.id}/${index}`);
        const slot = slots[Math.max(0, indexOf(slots, scene.selected.image, scene.selected.frame))];
        if (slot && !cache.getImageLoadObject(slot.key)) await imageLoader.loadAndCacheImage(slot.key);
      } catch {
        // told when the person goes there
      }
    }
  }
}
