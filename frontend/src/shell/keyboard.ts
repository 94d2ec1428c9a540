import { openDialog } from "../components/dialog";
import { remember, remembered } from "../preferences";

/** Single keys, as the shortcuts dialog lists them. They can be switched off there (WCAG 2.1.4). */
export function startKeyboard(): void {
  const toggle = document.querySelector<HTMLInputElement>("[data-shortcuts-switch]");
  if (toggle) {
    toggle.checked = remembered("shortcuts") !== "off";
    toggle.addEventListener("change", () => remember("shortcuts", toggle.checked ? null : "off"));
  }
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (remembered("shortcuts") === "off" || typesText(event.target) || document.querySelector("dialog[open]")) return;
    if (act(event.key)) event.preventDefault();
  });
}

function act(key: string): boolean {
  if (key === "/") return focusSearch();
  if (key === "?") return openDialog("shortcuts-dialog");
  if (key === "u") return openDialog("upload-dialog");
  return false;
}

function focusSearch(): boolean {
  const field = document.querySelector<HTMLInputElement>("[data-search]");
  field?.focus();
  field?.select();
  return field !== null;
}

function typesText(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));
}
