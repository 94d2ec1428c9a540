import type { App } from "../app.ts";
import type { Point } from "./stage.ts";

const WHEEL_STEP = 40;
const ZOOM_PER_WHEEL = 1.0025;

export interface WheelActions {
  browse(by: number): void;
  study(by: number): void;
}

/** Wheel: images; with Alt: studies; with Ctrl: zoom under the pointer. Two fingers: zoom and move together. */
export function bindGestures(app: App, host: HTMLElement, actions: WheelActions): void {
  let travelled = 0;
  host.addEventListener(
    "wheel",
    (event) => {
      event.preventDefault();
      const delta = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? event.deltaY * WHEEL_STEP : event.deltaY;
      if (event.ctrlKey || event.metaKey) {
        app.stage.zoomBy(ZOOM_PER_WHEEL ** -delta, placeIn(host, event));
        return;
      }
      travelled = Math.sign(travelled) === Math.sign(delta) ? travelled + delta : delta;
      const steps = Math.trunc(travelled / WHEEL_STEP);
      if (!steps) return;
      travelled -= steps * WHEEL_STEP;
      if (event.altKey) actions.study(Math.sign(steps));
      else actions.browse(Math.sign(steps) * Math.min(Math.abs(steps), 3));
    },
    { passive: false },
  );
  host.addEventListener("contextmenu", (event) => event.preventDefault());
  bindPinch(app, host);
}

function bindPinch(app: App, host: HTMLElement): void {
  let before: { middle: Point; distance: number } | null = null;
  host.addEventListener("touchstart", (event) => {
    before = event.touches.length === 2 ? pinchOf(host, event) : null;
  });
  host.addEventListener(
    "touchmove",
    (event) => {
      if (event.touches.length !== 2) return;
      event.preventDefault();
      const now = pinchOf(host, event);
      if (before) {
        app.stage.panBy([now.middle[0] - before.middle[0], now.middle[1] - before.middle[1]]);
        app.stage.zoomBy(now.distance / Math.max(before.distance, 1), now.middle);
      }
      before = now;
    },
    { passive: false },
  );
  host.addEventListener("touchend", () => {
    before = null;
  });
}

function pinchOf(host: HTMLElement, event: TouchEvent): { middle: Point; distance: number } {
  const [a, b] = [placeIn(host, event.touches[0] as Touch), placeIn(host, event.touches[1] as Touch)];
  return { middle: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2], distance: Math.hypot(a[0] - b[0], a[1] - b[1]) };
}

export function placeIn(host: HTMLElement, at: { clientX: number; clientY: number }): Point {
  const box = host.getBoundingClientRect();
  return [at.clientX - box.left, at.clientY - box.top];
}
