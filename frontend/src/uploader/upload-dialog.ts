import { announce, element, icon, iconButton } from "../dom";
import { gettext, interpolate, ngettext } from "../i18n";
import type { UploadQueue } from "./queue";
import { filesOfDrop, filesOfInput, type PathFile, type Source, sourcesOf } from "./sources";
import { formatSize } from "./speed";
import { UnreadableFile } from "./virtual-zip";

/** The upload dialog (`includes/upload_dialog.html`): shows what was dropped or chosen, and starts it. */
export class UploadDialog {
  #chosen: Source[] = [];
  readonly #maxBytes: number;

  constructor(
    private readonly dialog: HTMLDialogElement,
    private readonly queue: UploadQueue,
  ) {
    this.#maxBytes = Number(dialog.dataset.maxBytes ?? Number.POSITIVE_INFINITY);
    for (const button of dialog.querySelectorAll<HTMLElement>("[data-upload-choose]")) {
      const input = this.#part<HTMLInputElement>(`[data-upload-input="${button.dataset.uploadChoose}"]`);
      button.addEventListener("click", () => input.click());
      input.addEventListener("change", () => {
        this.take(filesOfInput(input.files ?? []));
        input.value = "";
      });
    }
    this.#part("[data-upload-start]").addEventListener("click", () => this.#start());
    this.#part("[data-upload-name]").addEventListener("keydown", (event) => {
      if ((event as KeyboardEvent).key === "Enter") this.#start();
    });
    dialog.addEventListener("close", () => {
      this.#chosen = [];
      this.#draw();
    });
  }

  get isOpen(): boolean {
    return this.dialog.open;
  }

  open(): void {
    if (!this.dialog.open) this.dialog.showModal();
  }

  async takeDrop(transfer: DataTransfer): Promise<void> {
    const walk = filesOfDrop(transfer); // first: the drop's data is gone after this event
    this.open();
    try {
      this.take(await walk);
    } catch (error) {
      if (!(error instanceof UnreadableFile)) throw error;
      this.#complain(interpolate(gettext("%(path)s cannot be read."), { path: error.path }));
    }
  }

  take(files: readonly PathFile[]): void {
    const sources = sourcesOf(files);
    const fresh = sources.filter(({ fingerprint }) => !this.#chosen.some((known) => known.fingerprint === fingerprint));
    const tooLarge = fresh.filter(({ size }) => size > this.#maxBytes);
    this.#chosen.push(...fresh.filter(({ size }) => size <= this.#maxBytes));
    this.#draw();
    if (!sources.length) this.#complain(gettext("There are no files to upload in what you chose."));
    else if (tooLarge.length) {
      const names = tooLarge.map(({ name }) => name).join(", ");
      const limit = formatSize(this.#maxBytes);
      this.#complain(interpolate(gettext("%(names)s: larger than the limit of %(limit)s."), { names, limit }));
    }
  }

  #start(): void {
    if (!this.#chosen.length) return;
    const name = this.#chosen.length === 1 ? this.#part<HTMLInputElement>("[data-upload-name]").value.trim() : "";
    for (const source of this.#chosen) this.queue.add(source, name || source.name);
    this.dialog.close();
  }

  #complain(sentence: string): void {
    const note = this.#part("[data-upload-error]");
    note.textContent = sentence;
    note.hidden = false;
  }

  #draw(): void {
    const [first] = this.#chosen;
    this.#part("[data-upload-error]").hidden = true;
    this.#part("[data-upload-chosen]").hidden = !first;
    this.#part<HTMLButtonElement>("[data-upload-start]").disabled = !first;
    this.#part("[data-upload-list]").replaceChildren(...this.#chosen.map((source) => this.#line(source)));
    const field = this.#part<HTMLInputElement>("[data-upload-name]");
    this.#part("[data-upload-name-field]").hidden = this.#chosen.length !== 1;
    field.value = first?.name ?? "";
    if (!first) return;
    announce(
      interpolate(ngettext("%(n)s upload chosen", "%(n)s uploads chosen", this.#chosen.length), {
        n: this.#chosen.length,
      }),
    );
    if (this.#chosen.length === 1) field.select();
  }

  #line(source: Source): HTMLElement {
    const files = source.fileCount;
    const size = formatSize(source.size);
    const about =
      files === undefined
        ? size
        : interpolate(ngettext("%(n)s file · %(size)s", "%(n)s files · %(size)s", files), { n: files, size });
    const text = element(
      "span",
      {},
      element("strong", {}, files === undefined ? source.filename : source.name),
      element("small", {}, about),
    );
    const remove = iconButton("x", gettext("Remove"), () => {
      this.#chosen = this.#chosen.filter((other) => other !== source);
      this.#draw();
    });
    return element("li", {}, icon(files === undefined ? "file-archive" : "folder"), text, remove);
  }

  #part<E extends HTMLElement = HTMLElement>(selector: string): E {
    const found = this.dialog.querySelector<E>(selector);
    if (!found) throw new Error(`The upload dialog lacks ${selector}.`);
    return found;
  }
}
