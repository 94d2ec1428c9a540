import { element, svg } from "@console/dom.ts";
import { gettext } from "@console/i18n.ts";
import type { App } from "../app.ts";

const SIDE = 128;

/** When part of the picture is outside the window: the whole picture small, and what is seen of it in a red frame. */
export function buildNavigator(app: App): HTMLElement {
  const picture = element("canvas", { class: "navigator-picture" });
  const frame = svg("polygon", { class: "navigator-frame", points: "" });
  const drawing = svg("svg", { class: "navigator-drawing" }, frame);
  const host = element(
    "div",
    {
      class: "navigator",
      id: "navigator",
      hidden: true,
      role: "img",
      "aria-label": gettext("Part of the image that is seen"),
    },
    picture,
  );
  host.append(drawing);
  let drawnFor = "";

  app.on("view", () => {
    const { image, stage } = app;
    if (!image) return;
    const { clientWidth: width, clientHeight: height } = stage.element;
    const corners = [
      stage.toImage([0, 0]),
      stage.toImage([width, 0]),
      stage.toImage([width, height]),
      stage.toImage([0, height]),
    ];
    const inside = corners.every(([x, y]) => x <= 0 || y <= 0 || x >= image.columns || y >= image.rows);
    const seen = [stage.toCanvas([0, 0]), stage.toCanvas([image.columns, image.rows])];
    const whole = seen.every(([x, y]) => x > -2 && y > -2 && x < width + 2 && y < height + 2);
    host.hidden = whole && inside;
    if (host.hidden) return;
    const shape = (image.rows * image.rowPixelSpacing) / (image.columns * image.columnPixelSpacing);
    const size: [number, number] = shape > 1 ? [SIDE / shape, SIDE] : [SIDE, SIDE * shape];
    const key = `${image.imageId} ${app.applied?.sampleRamp.low} ${app.applied?.sampleRamp.high} ${app.inverted}`;
    if (key !== drawnFor) {
      drawnFor = key;
      draw(picture, app, size);
    }
    for (const part of [picture, drawing]) {
      part.style.width = `${size[0]}px`;
      part.style.height = `${size[1]}px`;
    }
    const clamp = (value: number, most: number) => Math.min(Math.max(value, 0), most);
    frame.setAttribute(
      "points",
      corners
        .map(
          ([x, y]) => `${clamp((x / image.columns) * size[0], size[0])},${clamp((y / image.rows) * size[1], size[1])}`,
        )
        .join(" "),
    );
  });
  return host;
}

/** Nearest samples through the ramp on screen: small enough to do at once. */
function draw(canvas: HTMLCanvasElement, app: App, [width, height]: [number, number]): void {
  const { image, applied } = app;
  const [columns, rows] = [Math.max(1, Math.round(width)), Math.max(1, Math.round(height))];
  Object.assign(canvas, { width: columns, height: rows });
  const context = canvas.getContext("2d");
  if (!context || !image || !applied) return;
  const samples = image.getPixelData();
  const { low, high } = applied.sampleRamp;
  const flip = applied.invert !== app.inverted;
  const out = context.createImageData(columns, rows);
  const parts = image.numberOfComponents;
  for (let y = 0, to = 0; y < rows; y++) {
    const row = Math.floor(((y + 0.5) / rows) * image.rows) * image.columns;
    for (let x = 0; x < columns; x++, to += 4) {
      const from = (row + Math.floor(((x + 0.5) / columns) * image.columns)) * parts;
      for (let part = 0; part < 3; part++) {
        const level = (((samples[from + (parts === 3 ? part : 0)] as number) - low) / (high - low)) * 255;
        out.data[to + part] = flip ? 255 - level : level;
      }
      out.data[to + 3] = 255;
    }
  }
  context.putImageData(out, 0, 0);
}
