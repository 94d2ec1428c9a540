import { announce, element, icon, iconButton, svg } from "../dom";
import { gettext, interpolate, ngettext } from "../i18n";
import type { UploadQueue } from "./queue";
import { filesOfInput, sourcesOf } from "./sources";
import { formatDuration, formatSize } from "./speed";
import type { Upload } from "./upload";

const RING_RADIUS = 13;
const RING_LENGTH = 2 * Math.PI * RING_RADIUS;
const GLYPHS: Record<string, string> = {
  done: "M11 16.500l3.500 3.500 7-7.500",
  failed: "M16 10.500v6.500M16 21v.01",
  paused: "M13 12v8M19 12v8",
  "needs-source": "M13 12v8M19 12v8",
};
const ARROW_UP = "M16 21v-9M12 15.500l4-4 4 4";

/** The floating panel: one line for each upload. It draws at most once a frame. */
export class UploadPanel {
  readonly #rows = new Map<Upload, Row>();
  readonly #title = element("h2");
  readonly #subtitle = element("p");
  readonly #list = element("ul");
  readonly #fold = iconButton("chevron-down", gettext("Show or hide the list"), () => this.#toggle());
  readonly #close = iconButton("x", gettext("Close"), () => this.#dismissAll());
  #scheduled = false;
  #lastTitle = "";

  constructor(
    private readonly root: HTMLElement,
    private readonly queue: UploadQueue,
  ) {
    const head = element("div", { class: "upload-panel-head" }, element("div", {}, this.#title, this.#subtitle));
    this.#fold.setAttribute("aria-expanded", "true");
    head.append(this.#fold, this.#close);
    root.append(head, this.#list);
    queue.onChange = () => this.#schedule();
    this.#draw();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setTimeout(() => {
      this.#scheduled = false;
      this.#draw();
    }, 100);
  }

  #draw(): void {
    const { uploads } = this.queue;
    this.root.hidden = uploads.length === 0;
    for (const [upload, row] of this.#rows) {
      if (uploads.includes(upload)) continue;
      row.element.remove();
      this.#rows.delete(upload);
    }
    for (const upload of uploads) {
      let row = this.#rows.get(upload);
      if (!row) {
        row = new Row(upload, this.queue);
        this.#rows.set(upload, row);
        this.#list.append(row.element);
      }
      row.draw();
    }
    const title = titleOf(uploads);
    this.#title.textContent = title;
    if (title !== this.#lastTitle && uploads.length) announce(title);
    this.#lastTitle = title;
    const left = secondsLeft(uploads);
    this.#subtitle.textContent =
      left === undefined
        ? ""
        : interpolate(gettext("Estimated time remaining: %(time)s"), { time: formatDuration(left) });
    this.#close.hidden = uploads.some(({ state }) => !["done", "failed", "cancelled"].includes(state));
  }

  #toggle(): void {
    this.#list.hidden = !this.#list.hidden;
    this.#fold.setAttribute("aria-expanded", String(!this.#list.hidden));
  }

  #dismissAll(): void {
    for (const upload of [...this.queue.uploads]) this.queue.dismiss(upload);
  }
}

function titleOf(uploads: readonly Upload[]): string {
  const count = (...states: string[]): number => uploads.filter(({ state }) => states.includes(state)).length;
  const active = count("waiting", "uploading", "finishing");
  if (active) return interpolate(ngettext("Uploading %(n)s item", "Uploading %(n)s items", active), { n: active });
  const unfinished = count("paused", "needs-source");
  if (unfinished) {
    return interpolate(ngettext("%(n)s unfinished upload", "%(n)s unfinished uploads", unfinished), { n: unfinished });
  }
  if (count("failed")) return gettext("Upload failed");
  if (count("done")) return gettext("Upload complete");
  return uploads.length ? gettext("Upload cancelled") : "";
}

function secondsLeft(uploads: readonly Upload[]): number | undefined {
  const active = uploads.filter((upload) => upload.isActive);
  const speed = active.reduce((sum, upload) => sum + (upload.speed.bytesPerSecond ?? 0), 0);
  const bytes = active.reduce((sum, upload) => sum + upload.size - upload.sentBytes, 0);
  return speed > 0 && bytes > 0 ? bytes / speed : undefined;
}

class Row {
  readonly element: HTMLLIElement;
  readonly #status = element("small");
  readonly #buttons = element("span", { class: "upload-row-buttons" });
  readonly #value: SVGElement;
  readonly #glyph: SVGElement;
  #drawnButtons = "";
  #askingToCancel = false;

  constructor(
    private readonly upload: Upload,
    private readonly queue: UploadQueue,
  ) {
    const circle = { cx: "16", cy: "16", r: String(RING_RADIUS) };
    const length = RING_LENGTH.toFixed(2);
    this.#value = svg("circle", {
      ...circle,
      class: "ring-value",
      "stroke-dasharray": length,
      "stroke-dashoffset": length,
    });
    this.#glyph = svg("path", { d: ARROW_UP });
    const ring = svg("svg", { class: "ring", viewBox: "0 0 32 32", "aria-hidden": "true" });
    ring.append(svg("circle", circle), this.#value, this.#glyph);
    const name = upload.name || upload.filename;
    const text = element("div", {}, element("strong", { title: name }, name), this.#status);
    this.element = element("li", { class: "upload-row" }, ring, text, this.#buttons);
  }

  draw(): void {
    const { upload } = this;
    const state = upload.offline ? "offline" : upload.state;
    const share = upload.state === "done" ? 1 : upload.size ? upload.sentBytes / upload.size : 0;
    this.element.dataset.state = state;
    this.#value.setAttribute("stroke-dashoffset", (RING_LENGTH * (1 - share)).toFixed(2));
    this.#glyph.setAttribute("d", GLYPHS[state] ?? ARROW_UP);
    this.#status.textContent = this.#askingToCancel ? gettext("Cancel this upload?") : statusOf(upload, share);
    const wanted = `${upload.state}${this.#askingToCancel}`;
    if (wanted === this.#drawnButtons) return; // a button that has the focus must stay
    this.#drawnButtons = wanted;
    const hadFocus = this.#buttons.contains(document.activeElement);
    this.#buttons.replaceChildren(...(this.#askingToCancel ? this.#question() : this.#controls()));
    if (hadFocus) this.#buttons.querySelector<HTMLElement>("button, a")?.focus();
  }

  #controls(): HTMLElement[] {
    const { upload, queue } = this;
    const close = (label: string): HTMLElement => iconButton("x", label, () => queue.dismiss(upload));
    switch (upload.state) {
      case "waiting":
      case "uploading":
        return [iconButton("pause", gettext("Pause"), () => upload.pause()), this.#cancelButton()];
      case "paused":
        return [iconButton("play", gettext("Resume"), () => queue.resume(upload)), this.#cancelButton()];
      case "needs-source":
        return [this.#chooseAgain(), this.#cancelButton()];
      case "done":
        return [this.#link(), close(gettext("Dismiss"))];
      case "finishing":
        return [];
      default:
        return [close(gettext("Dismiss"))];
    }
  }

  #cancelButton(): HTMLElement {
    return iconButton("x", gettext("Cancel upload"), () => this.#ask(true));
  }

  #question(): HTMLElement[] {
    const no = element("button", { type: "button", class: "btn btn-sm btn-quiet" }, gettext("No"));
    const yes = element("button", { type: "button", class: "btn btn-sm btn-danger" }, gettext("Yes"));
    no.addEventListener("click", () => this.#ask(false));
    yes.addEventListener("click", () => void this.queue.cancel(this.upload));
    return [no, yes];
  }

  #ask(asking: boolean): void {
    this.#askingToCancel = asking;
    this.draw();
  }

  #link(): HTMLElement {
    const id = encodeURIComponent(String(this.upload.dataset?.id ?? ""));
    const link = element("a", { class: "btn btn-sm btn-quiet", href: `/datasets/${id}/` }, gettext("View"));
    globalThis.htmx?.process(link.parentElement ?? link);
    return link;
  }

  /** After a reload the browser no longer has the files: they must be chosen once more. */
  #chooseAgain(): HTMLElement {
    const [kind] = this.upload.fingerprint.split(":");
    if (kind === "mixed") return element("small", {}, gettext("Drop the same files and folders here again"));
    const isFolder = kind === "files";
    const input = element("input", { type: "file", hidden: true, multiple: true, webkitdirectory: isFolder });
    input.addEventListener("change", () => {
      const source = sourcesOf(filesOfInput(input.files ?? [])).find(
        ({ fingerprint }) => fingerprint === this.upload.fingerprint,
      );
      input.value = "";
      if (source) this.queue.add(source);
      else this.#status.textContent = gettext("These are not the same files. Nothing was sent.");
    });
    const button = element("button", { type: "button", class: "btn btn-sm btn-outline-primary" });
    button.append(icon(isFolder ? "folder-open" : "file-archive"), gettext("Choose again"));
    button.addEventListener("click", () => input.click());
    return element("span", {}, button, input);
  }
}

function statusOf(upload: Upload, share: number): string {
  const percent = `${Math.floor(share * 100)}%`;
  if (upload.message) return upload.message;
  if (upload.offline) return interpolate(gettext("%(percent)s · Offline, goes on when you are connected"), { percent });
  switch (upload.state) {
    case "waiting":
      return interpolate(gettext("Waiting · %(size)s"), { size: formatSize(upload.size) });
    case "uploading": {
      const speed = upload.speed.bytesPerSecond;
      if (speed === undefined)
        return interpolate(gettext("%(percent)s of %(size)s"), { percent, size: formatSize(upload.size) });
      return interpolate(gettext("%(percent)s of %(size)s · %(speed)s/s · %(left)s left"), {
        percent,
        size: formatSize(upload.size),
        speed: formatSize(speed),
        left: formatDuration((upload.size - upload.sentBytes) / speed),
      });
    }
    case "finishing":
      return gettext("Finishing…");
    case "paused":
      return interpolate(gettext("Paused at %(percent)s"), { percent });
    case "needs-source":
      return gettext("Interrupted. Choose the same files to go on.");
    case "done":
      return gettext("Uploaded. The dataset is being prepared.");
    default:
      return gettext("Cancelled");
  }
}
