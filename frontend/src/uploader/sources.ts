import { crc32 } from "./crc32";
import { UnreadableFile, VirtualZip } from "./virtual-zip";

/** Something that becomes one dataset: its bytes can be had by range, and the same files give the same fingerprint. */
export interface Source {
  /** As the server is told: always ends in ".zip". */
  filename: string;
  /** What the dataset is called unless the person says otherwise. */
  name: string;
  size: number;
  /** Number of files inside; undefined for a ready-made zip. */
  fileCount?: number;
  fingerprint: string;
  read(start: number, end: number, signal?: AbortSignal): Promise<Blob | Uint8Array<ArrayBuffer>>;
}

/** A file with its path below what was dropped or chosen: "chest/series 1/0001.dcm", "0001.dcm". */
export interface PathFile {
  path: string;
  file: File;
}

const JUNK = /(^|\/)(\.DS_Store|\._[^/]*|Thumbs\.db|desktop\.ini|__MACOSX(\/.*)?)$/i;

export const isJunk = (path: string): boolean => JUNK.test(path);

const isZip = ({ path }: PathFile): boolean => /\.zip$/i.test(path) && !path.includes("/");

/** Each zip is one source; everything else that came together is one more. Junk is left out. */
export function sourcesOf(files: readonly PathFile[]): Source[] {
  const useful = files.filter(({ path }) => !isJunk(path));
  const loose = useful.filter((file) => !isZip(file));
  const sources = useful.filter(isZip).map(({ file }) => zipSource(file));
  if (loose.length) sources.push(folderSource(loose));
  return sources;
}

/** A zip as it is on disk. */
export function zipSource(file: File): Source {
  return {
    filename: file.name,
    name: file.name.replace(/\.zip$/i, ""),
    size: file.size,
    fingerprint: `zip:${file.size}:${file.lastModified}:${file.name}`,
    async read(start, end) {
      const part = file.slice(start, end);
      try {
        await part.slice(0, 1).arrayBuffer(); // a request would fail as if the server had not answered
      } catch {
        throw new UnreadableFile(file.name);
      }
      return part;
    },
  };
}

/** Files as a virtual zip, in the order of their paths, so that choosing them again gives the same bytes. */
export function folderSource(files: readonly PathFile[]): Source {
  const byPath = underPathsOfTheirOwn(files);
  const paths = [...byPath.keys()].sort();
  const entries = paths.map((path) => {
    const file = byPath.get(path) as File;
    return { path, file, modified: new Date(file.lastModified) };
  });
  const zip = new VirtualZip(entries);
  const name = nameOf(files.map(({ path }) => path.normalize("NFC")).sort());
  return {
    filename: `${name}.zip`,
    name,
    size: zip.size,
    fileCount: paths.length,
    fingerprint: `${kindOf(paths)}:${fingerprintOf(paths, byPath, zip.size)}`,
    read: (start, end, signal) => zip.read(start, end, signal),
  };
}

/** Files of one path, chosen from several folders at once, get numbers: always the same ones for the same files. */
function underPathsOfTheirOwn(files: readonly PathFile[]): Map<string, File> {
  const sorted = files.map(({ path, file }) => ({ path: path.normalize("NFC"), file }));
  sorted.sort((a, b) => {
    if (a.path !== b.path) return a.path < b.path ? -1 : 1;
    return a.file.size - b.file.size || a.file.lastModified - b.file.lastModified;
  });
  const taken = new Map<string, File>();
  for (const { path, file } of sorted) {
    let own = path;
    for (let number = 2; taken.has(own); number++) own = numbered(path, number);
    taken.set(own, file);
  }
  return taken;
}

/** "a/b.dcm" and 2 give "a/b (2).dcm". */
function numbered(path: string, number: number): string {
  const name = path.lastIndexOf("/") + 1;
  const dot = path.lastIndexOf(".");
  const end = dot > name ? dot : path.length;
  return `${path.slice(0, end)} (${number})${path.slice(end)}`;
}

/** One folder, loose files, or both or several folders: by that it is known how they can be chosen again. */
function kindOf(paths: readonly string[]): "files" | "loose" | "mixed" {
  if (!paths.some((path) => path.includes("/"))) return "loose";
  const [top] = (paths[0] ?? "").split("/");
  return paths.every((path) => path.startsWith(`${top}/`)) ? "files" : "mixed";
}

function fingerprintOf(paths: string[], files: Map<string, File>, size: number): string {
  const encoder = new TextEncoder();
  const crc = paths.reduce((before, path) => {
    const file = files.get(path);
    return crc32(encoder.encode(`${path}\n${file?.size}\n${file?.lastModified}\n`), before);
  }, 0);
  return `${paths.length}:${size}:${crc.toString(16)}`;
}

/** The common folder's name, a single file's stem, or the first file's stem with the number of the others. */
export function nameOf(paths: readonly string[]): string {
  const [first = ""] = paths;
  const [top = ""] = first.split("/");
  if (first.includes("/") && paths.every((path) => path.startsWith(`${top}/`))) return top;
  const stem = (first.split("/").pop() ?? "").replace(/(.)\.[^.]+$/, "$1");
  return paths.length === 1 ? stem : `${stem} +${paths.length - 1}`;
}

/** What an `<input type="file">` holds. */
export function filesOfInput(list: FileList | readonly File[]): PathFile[] {
  return [...list].map((file) => ({ path: file.webkitRelativePath || file.name, file }));
}

/** All files of a drop, folders walked through. Must be called in the drop event itself; the walk goes on afterwards. */
export async function filesOfDrop(transfer: DataTransfer): Promise<PathFile[]> {
  const entries = [...transfer.items].filter(({ kind }) => kind === "file").map((item) => item.webkitGetAsEntry());
  const plain = [...transfer.files];
  if (entries.some((entry) => entry === null)) return filesOfInput(plain);
  const found: PathFile[] = [];
  for (const entry of entries) if (entry) await walk(entry, found);
  return found;
}

async function walk(entry: FileSystemEntry, found: PathFile[]): Promise<void> {
  const path = entry.fullPath.replace(/^\//, "");
  if (isJunk(path)) return;
  if (entry.isDirectory) {
    const reader = (entry as FileSystemDirectoryEntry).createReader();
    for (let batch = await readBatch(reader); batch.length; batch = await readBatch(reader)) {
      for (const child of batch) await walk(child, found);
    }
  } else {
    found.push({ path, file: await fileOf(entry as FileSystemFileEntry, path) });
  }
}

function readBatch(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  return new Promise((resolve, reject) => reader.readEntries(resolve, reject));
}

function fileOf(entry: FileSystemFileEntry, path: string): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, () => reject(new UnreadableFile(path))));
}
