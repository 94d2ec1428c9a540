import { closest } from "../dom";

/** Opens the dialog with this id as a modal; true if there is one (open already counts). */
export function openDialog(id: string): boolean {
  const dialog = document.getElementById(id);
  if (!(dialog instanceof HTMLDialogElement)) return false;
  if (!dialog.open) dialog.showModal();
  return true;
}

/**
 * `data-dialog-open="ID"` opens, `data-dialog-close` closes, so does a press on the backdrop (not where a word must be
 * typed). A dialog that htmx puts into `#dialog-host` opens by itself and is gone after closing. Focus trap, Esc and
 * the focus's way back are the browser's own.
 */
export function startDialogs(): void {
  document.addEventListener("click", (event) => {
    const opener = closest(event, "[data-dialog-open]");
    if (opener) openDialog(opener.dataset.dialogOpen ?? "");
    if (closest(event, "[data-dialog-close]")) closest<HTMLDialogElement>(event, "dialog")?.close();
  });
  document.addEventListener("pointerdown", (event) => {
    const dialog = event.target;
    if (!(dialog instanceof HTMLDialogElement) || dialog.querySelector("[data-confirm-word]")) return;
    const box = dialog.getBoundingClientRect();
    const inside =
      event.clientX >= box.left &&
      event.clientX <= box.right &&
      event.clientY >= box.top &&
      event.clientY <= box.bottom;
    if (!inside) dialog.close();
  });
  const host = document.getElementById("dialog-host");
  document.addEventListener("htmx:afterSettle", (event) => {
    const dialog = host?.querySelector("dialog");
    if (!host?.contains(event.target as Node) || !dialog || dialog.open) return;
    dialog.addEventListener("close", () => dialog.remove());
    dialog.showModal();
  });
}
