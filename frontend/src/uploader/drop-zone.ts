import { element, icon } from "../dom";
import { gettext } from "../i18n";
import type { UploadDialog } from "./upload-dialog";

/**
 * Files may be dropped anywhere on a page that has `data-drop-zone` in it, and on the open upload dialog. Elsewhere a
 * drop does nothing: in particular it does not make the browser leave the page.
 */
export function startDropZone(dialog: UploadDialog): void {
  const overlay = element(
    "div",
    { class: "drop-overlay", hidden: true },
    icon("cloud-upload"),
    gettext("Drop to upload"),
  );
  document.body.append(overlay);
  let depth = 0; // dragenter and dragleave come in pairs for every element crossed
  const show = (over: boolean): void => {
    overlay.hidden = !over || dialog.isOpen;
    document.querySelector("[data-upload-drop]")?.toggleAttribute("data-over", over && dialog.isOpen);
  };
  const accepts = (): boolean => dialog.isOpen || document.querySelector("[data-drop-zone]") !== null;
  const ends = (): void => {
    depth = 0;
    show(false);
  };
  addEventListener("dragenter", (event) => {
    if (!carriesFiles(event)) return;
    depth++;
    show(accepts());
  });
  addEventListener("dragleave", (event) => {
    if (carriesFiles(event) && --depth <= 0) ends();
  });
  addEventListener("dragover", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = accepts() ? "copy" : "none";
  });
  addEventListener("drop", (event) => {
    if (!carriesFiles(event)) return;
    event.preventDefault();
    ends();
    if (accepts() && event.dataTransfer) void dialog.takeDrop(event.dataTransfer);
  });
}

function carriesFiles(event: DragEvent): boolean {
  return event.dataTransfer?.types.includes("Files") ?? false;
}
