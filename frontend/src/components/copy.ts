import { announce, closest } from "../dom";
import { gettext } from "../i18n";

const TICK_MS = 1800;

/** `data-copy="TEXT"` copies the text and shows a tick for a moment. */
export function startCopyButtons(): void {
  document.addEventListener("click", async (event) => {
    const button = closest(event, "[data-copy]");
    if (!button) return;
    await copy(button.dataset.copy ?? "");
    button.setAttribute("data-copied", "");
    announce(gettext("Copied"));
    window.setTimeout(() => button.removeAttribute("data-copied"), TICK_MS);
  });
}

/** The clipboard API exists on secure origins only; a hospital's plain http address needs the old way. */
async function copy(text: string): Promise<void> {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "visually-hidden";
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}
