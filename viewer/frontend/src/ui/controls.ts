import { element, icon } from "@console/dom.ts";

export interface ControlOptions {
  id?: string;
  icon?: string;
  /** What it is for: the name screen readers say, and the tooltip together with the key. */
  label: string;
  key?: string;
  text?: string;
  class?: string;
  pressed?: boolean;
  onClick?: () => void;
}

export function control(options: ControlOptions): HTMLButtonElement {
  const { label, key, text } = options;
  const button = element("button", {
    type: "button",
    class: `control ${options.class ?? ""}`.trim(),
    id: options.id,
    "aria-label": text ? undefined : label,
    title: key ? `${label} (${key})` : label,
    "aria-keyshortcuts": key,
    "aria-pressed": options.pressed === undefined ? undefined : String(options.pressed),
  });
  if (options.icon) button.append(icon(options.icon));
  if (text) button.append(element("span", {}, text));
  if (options.onClick) button.addEventListener("click", options.onClick);
  return button;
}

export function press(button: HTMLElement, pressed: boolean): void {
  button.setAttribute("aria-pressed", String(pressed));
}

/** An open or slashed eye. */
export function eyeButton(label: string, open: boolean, toggle: (open: boolean) => void): HTMLButtonElement {
  const button = control({ icon: open ? "eye" : "eye-off", label, pressed: open, class: "eye" });
  button.addEventListener("click", () => {
    const next = button.getAttribute("aria-pressed") !== "true";
    press(button, next);
    button.replaceChildren(icon(next ? "eye" : "eye-off"));
    toggle(next);
  });
  return button;
}

/** A menu below a button, kept on screen. */
export function placeBelow(popover: HTMLElement, anchor: HTMLElement): void {
  const box = anchor.getBoundingClientRect();
  const left = Math.max(8, Math.min(box.left, innerWidth - popover.offsetWidth - 8));
  popover.style.left = `${left}px`;
  popover.style.top = `${box.bottom + 4}px`;
}

/** A colour sample; colours come from data, so they are set through the object model (no inline styles). */
export function swatch(color: string): HTMLElement {
  const sample = element("span", { class: "swatch", "aria-hidden": "true" });
  sample.style.background = color;
  return sample;
}

export function term(name: string, value: string): HTMLElement[] {
  return value ? [element("dt", {}, name), element("dd", {}, value)] : [];
}
