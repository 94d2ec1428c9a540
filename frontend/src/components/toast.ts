import { announce, element, icon, iconButton } from "../dom";
import { gettext } from "../i18n";

export type Level = "info" | "success" | "warning" | "error";
export interface ToastOptions {
  level?: Level;
  action?: { href: string; text: string };
}

const ICONS: Record<Level, string> = {
  info: "info",
  success: "circle-check",
  warning: "triangle-alert",
  error: "circle-alert",
};
const VISIBLE_MS = 7000;

/** Shows a sentence at the bottom. Errors stay until closed, the rest leaves by itself unless looked at. */
export function toast(text: string, { level = "info", action }: ToastOptions = {}): void {
  const region = document.getElementById("toasts");
  if (!region) return;
  const item = element(
    "div",
    { class: "toast-item", "data-level": level },
    icon(ICONS[level]),
    element("span", {}, text),
  );
  if (action) item.append(element("a", { href: action.href }, action.text));
  const close = (): void => {
    item.remove();
    if (!region.childElementCount) region.hidePopover();
  };
  item.append(iconButton("x", gettext("Close"), close));
  region.append(item);
  bringToFront(region);
  globalThis.htmx?.process(item);
  announce(text);
  if (level !== "error") leaveUnlessLookedAt(item, close);
}

/** A modal dialog opened meanwhile would lie above; the newest popover lies above it. */
function bringToFront(region: HTMLElement): void {
  if (region.matches(":popover-open")) region.hidePopover();
  region.showPopover();
}

function leaveUnlessLookedAt(item: HTMLElement, close: () => void): void {
  let timer = window.setTimeout(close, VISIBLE_MS);
  const stay = (): void => window.clearTimeout(timer);
  const leave = (): void => {
    stay();
    timer = window.setTimeout(close, VISIBLE_MS);
  };
  item.addEventListener("pointerenter", stay);
  item.addEventListener("focusin", stay);
  item.addEventListener("pointerleave", leave);
  item.addEventListener("focusout", leave);
}

/** Turns the server's messages in main, with the link one may hold, into toasts, and listens for `deepcap:toast` (also
 * from HX-Trigger headers). */
export function startToasts(): void {
  const takeMessages = (): void => {
    for (const message of document.querySelectorAll<HTMLElement>("#main [data-message]")) {
      const level = message.dataset.message ?? "";
      const link = message.querySelector("a");
      const action = link && { href: link.getAttribute("href") ?? "", text: link.textContent ?? "" };
      link?.remove();
      toast(message.textContent?.trim() ?? "", {
        level: level in ICONS ? (level as Level) : "info",
        ...(action && { action }),
      });
      message.remove();
    }
  };
  takeMessages();
  document.addEventListener("deepcap:page-changed", takeMessages);
  document.addEventListener("deepcap:toast", (event) => {
    const { text, level, action } = (event as CustomEvent<ToastOptions & { text: string }>).detail;
    toast(text, { ...(level && { level }), ...(action && { action }) });
  });
}
