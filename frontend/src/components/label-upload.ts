import { element } from "../dom";

const HEAD_BYTES = 256 * 1024;

/**
 * `<form data-label-upload>`: once a CSV whose first row is a header is chosen in `[data-label-file]`, the fieldset
 * `[data-label-columns]` asks which column holds what, with a guess; it stays out of the form otherwise. While the form
 * is sent, `[data-upload-progress]` shows how far it is.
 */
export function startLabelUpload(): void {
  document.addEventListener("change", (event) => {
    const field = event.target;
    if (!(field instanceof HTMLInputElement) || field.dataset.labelFile === undefined) return;
    void askForColumns(field);
  });
  document.addEventListener("htmx:xhr:progress", (event) => {
    const { loaded, total, lengthComputable } = (event as CustomEvent<ProgressEvent>).detail;
    const bar = event.target instanceof Element ? event.target.querySelector("[data-upload-progress]") : null;
    if (!(bar instanceof HTMLProgressElement) || !lengthComputable) return;
    bar.hidden = false;
    bar.max = total;
    bar.value = loaded;
  });
}

async function askForColumns(field: HTMLInputElement): Promise<void> {
  const columns = field.form?.querySelector<HTMLFieldSetElement>("[data-label-columns]");
  if (!columns) return;
  const file = field.files?.[0];
  const rows = file && /\.(csv|tsv|txt)$/i.test(file.name) ? parse(await file.slice(0, HEAD_BYTES).text()) : [];
  if (field.files?.[0] !== file) return; // another file was chosen meanwhile
  const header = rows[0] ?? [];
  const guesses = guess(header, namesOf(columns));
  const isHeader = guesses.has("image") && !header.some(isNumber);
  columns.hidden = !isHeader;
  columns.disabled = !isHeader;
  if (isHeader) fill(columns, header, guesses);
}

/** The first rows of a CSV (RFC 4180), of at most `most` rows; a last row that was cut off is left out. */
export function parse(text: string, most = 20): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  let cell = "";
  let quoted = false;
  const body = text.replace(/^\uFEFF/, "");
  for (let place = 0; place < body.length && rows.length < most; place += 1) {
    const character = body[place] ?? "";
    if (quoted) {
      if (character !== '"') cell += character;
      else if (body[place + 1] === '"') {
        cell += '"';
        place += 1;
      } else quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === ",") {
      row.push(cell.trim());
      cell = "";
    } else if (character === "\n" || character === "\r") {
      if (character === "\r" && body[place + 1] === "\n") place += 1;
      row.push(cell.trim());
      if (row.some((value) => value !== "")) rows.push(row);
      row = [];
      cell = "";
    } else cell += character;
  }
  if (rows.length === 0 && (cell !== "" || row.length > 0)) rows.push([...row, cell.trim()]);
  return rows;
}

/** Column names by what they mean, as far as they tell; what is left over may be one column for each label. */
export function guess(header: string[], names: Map<string, Set<string>>): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const left: string[] = [];
  for (const column of header) {
    const plain = column.toLowerCase().replace(/[^a-z0-9]/g, "");
    const meaning = [...names].find(([, known]) => known.has(plain))?.[0];
    if (meaning && !found.has(meaning)) found.set(meaning, [column]);
    else left.push(column);
  }
  if (found.has("image") && !found.has("label") && left.length > 0) found.set("labels", left);
  return found;
}

function namesOf(columns: HTMLFieldSetElement): Map<string, Set<string>> {
  const selects = columns.querySelectorAll<HTMLSelectElement>("[data-column]");
  return new Map(
    [...selects].map(({ dataset }) => [
      dataset.column ?? "",
      new Set((dataset.names ?? "").split(" ").filter(Boolean)),
    ]),
  );
}

function fill(columns: HTMLFieldSetElement, header: string[], guesses: Map<string, string[]>): void {
  for (const select of columns.querySelectorAll<HTMLSelectElement>("[data-column]")) {
    const chosen = guesses.get(select.dataset.column ?? "") ?? [];
    const options = header.map((name) => element("option", { value: name }, name));
    select.replaceChildren(...(select.multiple ? [] : [element("option", { value: "" }, "–")]), ...options);
    for (const option of options) if (chosen.includes(option.value)) option.selected = true;
  }
}

function isNumber(text: string): boolean {
  return text !== "" && Number.isFinite(Number(text));
}
