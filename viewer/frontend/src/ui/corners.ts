import { element } from "@console/dom.ts";
import { gettext } from "@console/i18n.ts";
import type { App } from "../app.ts";
import { colourAt, valueAt } from "../imaging/image.ts";
import { valuesOf } from "../scene/slots.ts";
import { placeIn } from "../viewport/gestures.ts";
import { format } from "../viewport/measurements.ts";
import { orientationLetters } from "../viewport/orientation.ts";
import { currentText } from "./window-menu.ts";

/** What is written on the picture: path, window and its rule, value under the pointer, directions of the patient. */
export function buildCorners(app: App, host: HTMLElement): HTMLElement[] {
  const path = element("div", { class: "corner top-left", id: "image-path" });
  const window = element("div", { class: "corner bottom-left-text", id: "window-text" });
  const value = element("div", { class: "corner top-right", id: "pixel-value", "aria-live": "off" });
  const note = element("div", { class: "corner top-middle note", id: "note", role: "status" });
  const letters = ["top", "right", "bottom", "left"].map((side) =>
    element("div", { class: `letter letter-${side}`, "aria-hidden": "true" }),
  );

  const writePath = () => {
    const { slot } = app;
    const frame = slot && slot.image.frames > 1 ? `  ${gettext("frame")} ${slot.frame} / ${slot.image.frames}` : "";
    path.textContent = slot ? slot.image.path + frame : "";
    app.stage.element.setAttribute("aria-label", path.textContent || gettext("Image"));
  };
  const writeNote = () => {
    const source = app.image?.deepcap.pixels.source;
    note.textContent =
      source === "rendering"
        ? gettext("This browser cannot decode the image: the server's rendering is shown, its window is fixed.")
        : "";
  };
  const writeWindow = () => {
    const { applied } = app;
    window.textContent = applied
      ? `${currentText(app)}\n${applied.reason}${app.inverted ? ` · ${gettext("inverted")}` : ""}`
      : "";
  };
  const writeLetters = () => {
    const orientation = app.slot ? valuesOf(app.slot).orientation : null;
    const texts = orientation ? orientationLetters(orientation, app.stage.turn) : ["", "", "", ""];
    letters.forEach((letter, index) => {
      if (letter.textContent !== texts[index]) letter.textContent = texts[index] ?? "";
    });
  };
  app.on(["scene", "place"], writePath);
  app.on("state", writeNote);
  app.on("window", writeWindow);
  app.on(["view", "place"], writeLetters);

  let pointer: [number, number] | null = null;
  const writeValue = () => {
    value.textContent = pointer ? valueText(app, pointer) : "";
  };
  host.addEventListener("pointermove", (event) => {
    pointer = placeIn(host, event);
    writeValue();
  });
  host.addEventListener("pointerleave", () => {
    pointer = null;
    writeValue();
  });
  app.on(["state", "place"], writeValue);
  return [path, window, value, note, ...letters];
}

function valueText(app: App, pointer: [number, number]): string {
  const { image } = app;
  if (!image) return "";
  const [x, y] = app.stage.toImage(pointer).map(Math.floor) as [number, number];
  const colour = colourAt(image, x, y);
  if (colour) return `${x}, ${y}   R ${colour[0]}  G ${colour[1]}  B ${colour[2]}`;
  const value = valueAt(image, x, y);
  return value === null ? "" : `${x}, ${y}   ${format(value)} ${image.deepcap.units}`.trimEnd();
}
