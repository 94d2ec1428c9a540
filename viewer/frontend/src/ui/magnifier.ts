import { element } from "@console/dom.ts";
import type { App } from "../app.ts";
import { placeIn } from "../viewport/gestures.ts";
import type { Point } from "../viewport/stage.ts";
import type { Tools } from "../viewport/tools.ts";

const SIDE = 240;
const TIMES = 3;

/** While the magnifier is the tool and a button or finger is down: what is below it, three times as large. */
export function buildMagnifier(app: App, tools: Tools, host: HTMLElement): HTMLElement {
  const glass = element("canvas", { class: "magnifier", id: "magnifier", hidden: true, "aria-hidden": "true" });
  const show = (event: PointerEvent) => {
    const at = placeIn(host, event);
    glass.hidden = false;
    glass.style.left = `${at[0] - SIDE / 2}px`;
    glass.style.top = `${at[1] - SIDE / 2}px`;
    draw(glass, app, at);
  };
  host.addEventListener("pointerdown", (event) => {
    if (tools.active === "magnify" && event.button === 0 && event.isPrimary) show(event);
  });
  host.addEventListener("pointermove", (event) => {
    if (!glass.hidden && event.isPrimary) show(event);
  });
  const hide = () => {
    glass.hidden = true;
  };
  for (const name of ["pointerup", "pointercancel", "pointerleave"]) host.addEventListener(name, hide);
  return glass;
}

function draw(glass: HTMLCanvasElement, app: App, [x, y]: Point): void {
  const source = app.stage.canvas;
  const ratio = source.width / app.stage.element.clientWidth;
  const side = SIDE * ratio;
  Object.assign(glass, { width: side, height: side });
  const context = glass.getContext("2d");
  if (!context) return;
  context.fillRect(0, 0, side, side);
  const part = side / TIMES;
  context.drawImage(source, x * ratio - part / 2, y * ratio - part / 2, part, part, 0, 0, side, side);
}
