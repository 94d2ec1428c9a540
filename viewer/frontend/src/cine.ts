import { remember, remembered } from "@console/preferences.ts";
import type { App } from "./app.ts";

export const CINE_SPEEDS = [1, 2, 5, 10, 15, 24, 30, 60] as const;

/** Plays the stack round and round; a frame that is not loaded yet is waited for, never skipped past. */
export class Cine {
  playing = false;
  speed = Number(remembered("viewer.cine")) || 10;
  private run = 0;

  constructor(private readonly app: App) {
    app.on("scene", () => {
      this.stop();
      const time = app.slot?.image.frame_time_ms;
      if (time) this.speed = nearest(1000 / time);
      app.tell("cine");
    });
    app.on("state", () => app.state === "error" && this.stop());
  }

  toggle(): void {
    if (this.playing) this.stop();
    else void this.play();
  }

  setSpeed(speed: number): void {
    this.speed = speed;
    remember("viewer.cine", String(speed));
    this.app.tell("cine");
  }

  stop(): void {
    this.run++;
    if (!this.playing) return;
    this.playing = false;
    this.app.tell("cine");
  }

  private async play(): Promise<void> {
    if (this.app.slots.length < 2) return;
    const run = ++this.run;
    this.playing = true;
    this.app.tell("cine");
    while (run === this.run) {
      const due = performance.now() + 1000 / this.speed;
      await this.app.step(1, true);
      await until(due);
    }
  }
}

export function nearest(speed: number): number {
  return CINE_SPEEDS.reduce<number>(
    (best, one) => (Math.abs(one - speed) < Math.abs(best - speed) ? one : best),
    CINE_SPEEDS[0],
  );
}

function until(due: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, due - performance.now())));
}
