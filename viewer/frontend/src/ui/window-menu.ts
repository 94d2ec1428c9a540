import { element } from "@console/dom.ts";
import { gettext, interpolate } from "@console/i18n.ts";
import type { App } from "../app.ts";
import { voiLutsAt } from "../imaging/loader.ts";
import { windowOf } from "../imaging/windowing.ts";
import { type Choice, CT_PRESETS, lutName, lutUrl, toWindow } from "../imaging/windows.ts";
import type { Slot } from "../scene/slots.ts";
import { format } from "../viewport/measurements.ts";
import { placeBelow } from "./controls.ts";

const BYTES = { center: 128, width: 255 };

interface Row {
  choice: Choice;
  name: string;
  key?: string;
  values: string;
}

/** The menu of windows: the image's own, the file's others, presets, what the pixels say; below it the current one. */
export class WindowMenu {
  readonly element = element("div", {
    class: "menu window-menu",
    id: "window-menu",
    popover: "auto",
    role: "dialog",
    "aria-label": gettext("Window level"),
  });
  private readonly rows = element("div", { class: "menu-rows", role: "radiogroup", "aria-label": gettext("Windows") });
  private luts: { url: string; names: string[] } = { url: "", names: [] };
  private readonly current = element("p", { class: "menu-current", id: "window-current" });
  private readonly reason = element("p", { class: "menu-reason", id: "window-reason" });
  private readonly brightness = element("input", {
    type: "range",
    min: "0",
    max: "255",
    step: "1",
    id: "window-center",
  });
  private readonly contrast = element("input", { type: "range", min: "1", max: "510", step: "1", id: "window-width" });
  private readonly sliders = element(
    "div",
    { class: "menu-sliders" },
    element("label", { for: "window-center" }, gettext("Brightness")),
    this.brightness,
    element("label", { for: "window-width" }, gettext("Contrast")),
    this.contrast,
  );

  constructor(private readonly app: App) {
    this.element.append(
      element("h2", {}, `${gettext("Window Level")} (W)`),
      this.rows,
      this.sliders,
      this.current,
      this.reason,
    );
    app.on("window", () => this.reflect());
    app.on(["scene", "place"], () => this.isOpen && this.build());
    this.rows.addEventListener("keydown", (event) => this.walk(event));
    for (const slider of [this.brightness, this.contrast]) slider.addEventListener("input", () => this.slide());
  }

  get isOpen(): boolean {
    return this.element.matches(":popover-open");
  }

  toggle(anchor: HTMLElement): void {
    if (this.isOpen) {
      this.element.hidePopover();
      return;
    }
    this.build();
    this.element.showPopover();
    placeBelow(this.element, anchor);
    this.rows.querySelector<HTMLElement>("[tabindex='0']")?.focus();
  }

  /** Arrows choose the row above or below, as in any group of radio buttons. */
  private walk(event: KeyboardEvent): void {
    const by = { ArrowDown: 1, ArrowUp: -1, ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const buttons = [...this.rows.querySelectorAll<HTMLElement>(".menu-row")];
    const from = buttons.indexOf(document.activeElement as HTMLElement);
    if (!by || from < 0) return;
    event.preventDefault();
    const next = buttons[(from + by + buttons.length) % buttons.length];
    next?.focus();
    next?.click();
  }

  private build(): void {
    const { slot } = this.app;
    const hadFocus = this.rows.contains(document.activeElement);
    const rows = this.rowsFor();
    if (slot?.image.voi_lut_url) void this.nameLuts(lutUrl(slot));
    this.rows.replaceChildren(
      ...rows.map((row) => {
        const button = element(
          "button",
          { type: "button", class: "menu-row", role: "radio", "aria-checked": "false" },
          element("span", { class: "menu-name" }, row.name),
          element("span", { class: "menu-key" }, row.key ?? ""),
          element("span", { class: "menu-values" }, row.values),
        );
        button.dataset.choice = JSON.stringify(row.choice);
        button.addEventListener("click", () => this.app.choose(row.choice));
        return button;
      }),
    );
    this.sliders.hidden = slot?.image.format === "DICOM";
    this.reflect();
    if (hadFocus) this.rows.querySelector<HTMLElement>("[tabindex='0']")?.focus();
  }

  /** Asks for the names of the file's VOI LUTs, and lists them once they are known. */
  private async nameLuts(url: string): Promise<void> {
    if (this.luts.url === url) return;
    try {
      const { luts } = await voiLutsAt(url);
      this.luts = { url, names: luts.map(({ explanation }, index) => lutName({ explanation, index })) };
      if (this.isOpen) this.build();
    } catch {
      // the picture that needs the table says what is wrong
    }
  }

  private lutRows(slot: Slot): Row[] {
    if (!slot.image.voi_lut_url || this.luts.url !== lutUrl(slot)) return [];
    const ownIsFirst = slot.image.window.rule === "voi_lut";
    return this.luts.names
      .map((name, index): Row => ({ choice: { kind: "lut", index }, name, values: gettext("lookup table") }))
      .slice(ownIsFirst ? 1 : 0);
  }

  private rowsFor(): Row[] {
    const { slot } = this.app;
    if (!slot) return [];
    const rows: Row[] = [
      { choice: { kind: "own" }, name: gettext("Preset"), key: "Shift+1", values: this.ownValues() },
    ];
    if (!this.app.isGrey) return rows;
    slot.image.windows.forEach((window, index) => {
      if (index === 0 && slot.image.window.rule === "window") return;
      const name = window.explanation || interpolate(gettext("Window %(number)s of the file"), { number: index + 1 });
      rows.push({ choice: { kind: "alternative", index }, name, values: valuesOf(toWindow(window)) });
    });
    rows.push(...this.lutRows(slot));
    if (this.app.isCt) {
      CT_PRESETS.forEach((preset, index) => {
        rows.push({
          choice: { kind: "preset", index },
          name: preset.name,
          key: `Shift+${index + 2}`,
          values: valuesOf(preset),
        });
      });
    }
    if (slot.image.window.rule !== "stored" || slot.image.bits_stored > 8) {
      rows.push({ choice: { kind: "percentile" }, name: gettext("1–99 percentile"), values: "" });
      rows.push({ choice: { kind: "full" }, name: gettext("Full range"), values: "" });
    }
    return rows;
  }

  private ownValues(): string {
    const { slot, applied, choice } = this.app;
    const window = slot?.image.window;
    if (window?.center !== undefined && window.width !== undefined) return valuesOf(toWindow(window));
    if (window?.rule === "voi_lut") return gettext("lookup table");
    if (window?.rule === "stored" || !this.app.isGrey) return valuesOf(BYTES);
    return choice.kind === "own" && applied ? valuesOf(windowOf(applied.ramp)) : gettext("lowest to highest");
  }

  private reflect(): void {
    const { applied } = this.app;
    if (!applied) return;
    this.current.textContent = currentText(this.app);
    this.reason.textContent = applied.functionName ? `${applied.reason} · ${applied.functionName}` : applied.reason;
    const choice = JSON.stringify(this.app.choice);
    const rows = [...this.rows.querySelectorAll<HTMLElement>(".menu-row")];
    const chosen = rows.find((row) => row.dataset.choice === choice);
    for (const row of rows) {
      row.setAttribute("aria-checked", String(row === chosen));
      row.tabIndex = row === (chosen ?? rows[0]) ? 0 : -1;
    }
    if (document.activeElement !== this.brightness && document.activeElement !== this.contrast) {
      const { center, width } = windowOf(applied.ramp);
      this.brightness.value = String(255 - center);
      this.contrast.value = String(511 - width);
    }
  }

  /** More brightness is a lower level, more contrast a narrower window. */
  private slide(): void {
    const [center, width] = [255 - Number(this.brightness.value), 511 - Number(this.contrast.value)];
    this.app.choose({ kind: "manual", window: { center, width, function: "LINEAR_EXACT" } });
  }
}

function valuesOf({ center, width }: { center: number; width: number }): string {
  return `${format(center)} / ${format(width)}`;
}

/** `WL: 40 / WW: 400`, as the file states it where its own window is shown. */
export function currentText({ applied, choice, slot }: App): string {
  if (!applied) return "";
  const stated = choice.kind === "own" && slot?.image.window.center !== undefined ? slot.image.window : null;
  const preset = choice.kind === "preset" ? CT_PRESETS[choice.index] : null;
  // Bytes as they are stored are written 128 / 255, though their exact middle is 127.5.
  const bytes = choice.kind === "own" && applied.ramp.low === 0 && applied.ramp.high === 255 ? BYTES : null;
  const exact = windowOf(applied.ramp);
  const center = preset?.center ?? stated?.center ?? bytes?.center ?? exact.center;
  const width = preset?.width ?? stated?.width ?? bytes?.width ?? exact.width;
  return interpolate(gettext("Current  WL: %(center)s / WW: %(width)s"), {
    center: format(center),
    width: format(width),
  });
}
