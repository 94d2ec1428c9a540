import { element, icon } from "@console/dom.ts";
import { gettext } from "@console/i18n.ts";
import type { App } from "../app.ts";
import { control } from "./controls.ts";

/** Loading and faults, told on the canvas. */
export function buildMessages(app: App): HTMLElement[] {
  const spinner = element(
    "div",
    { class: "spinner", role: "status", "aria-label": gettext("Loading"), hidden: true },
    icon("loader-circle"),
  );
  const sentence = element("p", { id: "fault" });
  const retry = control({
    id: "retry",
    icon: "refresh-cw",
    label: gettext("Try again"),
    text: gettext("Try again"),
    onClick: () => void app.show(),
  });
  const fault = element("div", { class: "fault", role: "alert", hidden: true }, icon("circle-alert"), sentence, retry);
  app.on("state", () => {
    spinner.hidden = app.state !== "loading";
    fault.hidden = app.state !== "error";
    sentence.textContent = app.state === "error" ? app.fault : "";
  });
  return [spinner, fault];
}
