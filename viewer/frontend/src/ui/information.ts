import { element, icon } from "@console/dom.ts";
import { gettext } from "@console/i18n.ts";
import type { App } from "../app.ts";
import { fetchJson } from "../imaging/fetching.ts";
import { valuesOf } from "../scene/slots.ts";
import type { SceneImage, TagRow } from "../scene/types.ts";
import { backend } from "../viewport/engine.ts";
import { control, term } from "./controls.ts";

const SYNTAXES: Record<string, string> = {
  "1.2.840.10008.1.2": gettext("Implicit VR, little endian"),
  "1.2.840.10008.1.2.1": gettext("Explicit VR, little endian"),
  "1.2.840.10008.1.2.2": gettext("Explicit VR, big endian"),
  "1.2.840.10008.1.2.1.99": gettext("Deflated"),
  "1.2.840.10008.1.2.4.50": "JPEG baseline",
  "1.2.840.10008.1.2.4.51": "JPEG extended",
  "1.2.840.10008.1.2.4.57": "JPEG lossless",
  "1.2.840.10008.1.2.4.70": "JPEG lossless, SV1",
  "1.2.840.10008.1.2.4.80": "JPEG-LS lossless",
  "1.2.840.10008.1.2.4.81": "JPEG-LS near-lossless",
  "1.2.840.10008.1.2.4.90": "JPEG 2000 lossless",
  "1.2.840.10008.1.2.4.91": "JPEG 2000",
  "1.2.840.10008.1.2.4.201": "HTJ2K lossless",
  "1.2.840.10008.1.2.4.202": "HTJ2K lossless, RPCL",
  "1.2.840.10008.1.2.4.203": "HTJ2K",
  "1.2.840.10008.1.2.5": "RLE lossless",
};

/** A dialog about the image: file, geometry and grey values, all tags of a DICOM file with a search, the original. */
export class Information {
  readonly element = element("dialog", {
    class: "dialog information",
    id: "information",
    "aria-labelledby": "information-title",
  });

  constructor(private readonly app: App) {
    this.element.addEventListener("click", (event) => event.target === this.element && this.element.close());
  }

  open(): void {
    const { slot } = this.app;
    if (!slot) return;
    const { image } = slot;
    const close = control({ icon: "x", label: gettext("Close"), onClick: () => this.element.close() });
    const title = element("h2", { id: "information-title" }, gettext("Information"));
    const download = element(
      "a",
      { class: "control download", href: image.file_url, download: image.name || true },
      icon("download"),
      gettext("Download the original"),
    );
    const body = element("div", { class: "dialog-body" }, this.facts(image), download);
    if (image.format === "DICOM") body.append(this.tags(image));
    this.element.replaceChildren(element("header", {}, title, close), body);
    this.element.showModal();
  }

  private facts(image: SceneImage): HTMLElement {
    const { slot, series, scene, applied } = this.app;
    if (!slot) return element("dl");
    const { rescale, spacing } = valuesOf(slot);
    const grey = this.app.isGrey;
    return element(
      "dl",
      { class: "facts" },
      ...term(gettext("Path"), image.path),
      ...term(gettext("Dataset"), scene.dataset.name),
      ...term(
        gettext("Format"),
        image.format === "DICOM"
          ? `DICOM, ${SYNTAXES[image.transfer_syntax_uid] ?? image.transfer_syntax_uid}`
          : image.format,
      ),
      ...term(gettext("Size"), `${image.width} × ${image.height}${image.frames > 1 ? ` × ${image.frames}` : ""}`),
      ...term(gettext("File size"), formatBytes(image.size_bytes)),
      ...term(
        gettext("Samples"),
        `${image.photometric_interpretation}, ${image.bits_stored} / ${image.bits_allocated} bit${image.signed ? `, ${gettext("signed")}` : ""}`,
      ),
      ...term(gettext("Window"), applied ? applied.reason : ""),
      ...term(
        gettext("Rescale"),
        grey && (rescale.slope !== 1 || rescale.intercept !== 0)
          ? `${rescale.slope} × ${gettext("sample")} ${rescale.intercept < 0 ? "−" : "+"} ${Math.abs(rescale.intercept)} ${rescale.units}`
          : "",
      ),
      ...term(
        gettext("Pixel spacing"),
        spacing
          ? `${spacing.row} × ${spacing.column} mm (${spacing.source})`
          : gettext("not stated: lengths are in pixels"),
      ),
      ...term(
        gettext("Slice"),
        image.slice_position === null || image.slice_position === undefined
          ? ""
          : `${image.slice_position.toFixed(2)} mm`,
      ),
      ...term(gettext("Modality"), image.modality || series.modality),
      ...term(gettext("Body part"), image.body_part),
      ...term(
        gettext("Series"),
        [series.number === null ? "" : `#${series.number}`, series.description].filter(Boolean).join(" "),
      ),
      ...term(gettext("Instance number"), image.instance_number === null ? "" : String(image.instance_number)),
      ...term(gettext("Lossy compression"), image.lossy ? gettext("yes") : ""),
      ...term(gettext("Burned-in text"), image.burned_in_risk ? gettext("possible") : ""),
      ...term(gettext("Decoded"), this.decodedBy()),
    );
  }

  private decodedBy(): string {
    const source = this.app.image?.deepcap.pixels.source;
    if (!source) return "";
    const where = {
      browser: gettext("in the browser"),
      server: gettext("by the server"),
      rendering: gettext("rendered by the server"),
    };
    return `${where[source]}, ${backend() === "gpu" ? gettext("drawn on the GPU") : gettext("drawn on the CPU")}`;
  }

  private tags(image: SceneImage): HTMLElement {
    const search = element("input", {
      type: "search",
      id: "tag-search",
      placeholder: gettext("Search tags"),
      "aria-label": gettext("Search tags"),
      autocomplete: "off",
    });
    const body = element("tbody");
    const status = element("p", { class: "tag-status", role: "status" }, gettext("Loading…"));
    const head = [gettext("Tag"), gettext("Name"), "VR", gettext("Value")].map((name) =>
      element("th", { scope: "col" }, name),
    );
    const table = element("table", { class: "tags" }, element("thead", {}, element("tr", {}, ...head)), body);
    void fetchJson<{ tags: TagRow[] }>(image.tags_url).then(
      ({ tags }) => {
        const rows = flatten(tags);
        const list = () => {
          const found = rows.filter((row) => row.text.includes(search.value.trim().toLowerCase()));
          body.replaceChildren(...found.map((row) => row.element));
          status.textContent = `${found.length} / ${rows.length}`;
        };
        search.addEventListener("input", list);
        list();
      },
      (error: unknown) => {
        status.textContent = `${gettext("The tags could not be loaded.")} ${error instanceof Error ? error.message : ""}`;
      },
    );
    return element(
      "section",
      { class: "tag-table" },
      element("div", { class: "tag-search" }, element("h3", {}, gettext("DICOM tags")), search, status),
      element(
        "div",
        { class: "tag-scroll", tabindex: "0", role: "region", "aria-label": gettext("DICOM tags") },
        table,
      ),
    );
  }
}

interface FlatRow {
  text: string;
  element: HTMLElement;
}

export function flatten(rows: readonly TagRow[], depth = 0): FlatRow[] {
  return rows.flatMap((row) => {
    const tag = `(${row.tag.slice(0, 4)},${row.tag.slice(4)})`;
    const first = element("td", { class: "tag" }, `${"› ".repeat(depth)}${tag}`);
    const line = element(
      "tr",
      {},
      first,
      element("td", { title: row.keyword }, row.name),
      element("td", {}, row.vr),
      element("td", { class: "value" }, row.value),
    );
    const text = [tag, row.tag, row.keyword, row.name, row.vr, row.value].join("\n").toLowerCase();
    return [{ text, element: line }, ...(row.children ?? []).flatMap((item) => flatten(item, depth + 1))];
  });
}

export function formatBytes(bytes: number): string {
  const units = ["B", "kB", "MB", "GB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit ? value.toFixed(1) : value} ${units[unit]}`;
}
