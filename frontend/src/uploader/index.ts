import { toast } from "../components/toast";
import { closest } from "../dom";
import { gettext, interpolate } from "../i18n";
import { HttpUploadApi } from "./api";
import { startDropZone } from "./drop-zone";
import { UploadPanel } from "./panel";
import { UploadQueue } from "./queue";
import { browserSurroundings } from "./retry";
import { SessionStore } from "./sessions";
import { UploadDialog } from "./upload-dialog";

const HEARTBEAT_MS = 5000;

/** Wires the upload dialog, the drop zone and the panel, if the page has them. */
export function startUploader(): void {
  const panel = document.querySelector<HTMLElement>("[data-upload-panel]");
  const dialogElement = document.querySelector<HTMLDialogElement>("[data-upload-dialog]");
  const user = document.body.dataset.user;
  if (!panel || !dialogElement || !user) return;
  const store = new SessionStore(localStorage, user, tabId());
  const queue = new UploadQueue({ api: new HttpUploadApi(), store, surroundings: browserSurroundings });
  new UploadPanel(panel, queue);
  const dialog = new UploadDialog(dialogElement, queue);
  startDropZone(dialog);

  const tell = (name: string, detail = {}): void => {
    document.body.dispatchEvent(new CustomEvent(name, { bubbles: true, detail }));
  };
  queue.onServerChange = () => tell("deepcap:datasets-changed");
  queue.onDone = ({ dataset, name }) => {
    tell("deepcap:dataset-created", { dataset });
    tell("deepcap:datasets-changed");
    const text = interpolate(gettext("“%(name)s” is uploaded and being prepared."), { name: dataset?.name || name });
    toast(text, { level: "success" });
  };
  document.addEventListener("click", (event) => {
    if (closest(event, "[data-upload-open]")) dialog.open();
  });
  addEventListener("beforeunload", (event) => {
    if (queue.active.length) event.preventDefault();
  });
  setInterval(() => {
    queue.heartbeat();
    queue.recall();
  }, HEARTBEAT_MS);
}

/** The same after a reload, another one in another tab. */
function tabId(): string {
  const known = sessionStorage.getItem("deepcap.tab");
  const id = known ?? Math.random().toString(36).slice(2);
  sessionStorage.setItem("deepcap.tab", id);
  return id;
}
