import { unzipSync } from "fflate";
import { describe, expect, test, vi } from "vitest";
import {
  filesOfDrop,
  folderSource,
  isJunk,
  nameOf,
  type PathFile,
  sourcesOf,
  zipSource,
} from "../src/uploader/sources";
import { UnreadableFile } from "../src/uploader/virtual-zip";

function file(path: string, text = path, lastModified = 1_700_000_000_000): PathFile {
  return { path, file: new File([text], path.split("/").pop() ?? "", { lastModified }) };
}

test("each zip is a source of its own, the rest together is one", () => {
  const sources = sourcesOf([
    file("a.zip"),
    file("chest/1.dcm"),
    file("B.ZIP"),
    file("2.png"),
    file("chest/inner.zip"),
  ]);
  expect(sources.map(({ filename, fileCount }) => [filename, fileCount])).toEqual([
    ["a.zip", undefined],
    ["B.ZIP", undefined],
    ["2 +2.zip", 3],
  ]);
  expect(sources[0]?.name).toBe("a");
});

test("what operating systems leave behind is no file", () => {
  for (const junk of ["a/.DS_Store", "Thumbs.db", "x/desktop.ini", "__MACOSX/a/._1.dcm", "a/._1.dcm", "a/__MACOSX"]) {
    expect(isJunk(junk), junk).toBe(true);
  }
  for (const image of ["a/DS_Store.png", "thumbs.db.png", "a/1", "DICOMDIR"]) expect(isJunk(image), image).toBe(false);
  expect(sourcesOf([file("a/.DS_Store")])).toEqual([]);
});

test("a folder names its dataset; loose files are named after the first", () => {
  expect(nameOf(["chest/1.dcm", "chest/sub/2.dcm"])).toBe("chest");
  expect(nameOf(["chest/1.dcm", "head/2.dcm"])).toBe("1 +1");
  expect(nameOf(["study.v2.dcm"])).toBe("study.v2");
  expect(nameOf([".hidden"])).toBe(".hidden");
});

test("the paths in the zip are those of the folder, composed characters in the usual form", async () => {
  const source = folderSource([file("f/e\u0301.png"), file("f/b.png")]);
  const bytes = await source.read(0, source.size);
  expect(Object.keys(unzipSync(bytes as Uint8Array))).toEqual(["f/b.png", "f/\u00e9.png"]);
});

test("files of one path, chosen from several folders at once, are all there", async () => {
  const chosen = [
    file("IM1.dcm", "aa"),
    file("IM1.dcm", "b"),
    file("IM1.dcm", "ccc"),
    file("IM1 (2).dcm", "d"),
    file("x"),
  ];
  const source = folderSource(chosen);
  expect([source.fileCount, source.name]).toEqual([5, "IM1 (2) +4"]);
  const members = unzipSync((await source.read(0, source.size)) as Uint8Array);
  const texts = Object.fromEntries(
    Object.entries(members).map(([path, bytes]) => [path, new TextDecoder().decode(bytes)]),
  );
  expect(Object.values(texts).sort()).toEqual(["aa", "b", "ccc", "d", "x"]);
  expect(texts["IM1.dcm"]).toBe("b");
  expect(folderSource([...chosen].reverse()).fingerprint).toBe(source.fingerprint);
  const folders = folderSource([
    file("a.b/IM", "1"),
    file("a.b/IM", "22"),
    file("a.b/.hidden", "3"),
    file("a.b/.hidden", "44"),
  ]);
  expect(Object.keys(unzipSync((await folders.read(0, folders.size)) as Uint8Array))).toEqual([
    "a.b/.hidden",
    "a.b/.hidden (2)",
    "a.b/IM",
    "a.b/IM (2)",
  ]);
});

test("a zip that is gone from the disk is named", async () => {
  const { file: gone } = file("chest.zip");
  const part = { slice: () => ({ arrayBuffer: () => Promise.reject(new DOMException("gone", "NotFoundError")) }) };
  vi.spyOn(gone, "slice").mockReturnValue(part as unknown as Blob);
  await expect(zipSource(gone).read(0, 5)).rejects.toEqual(new UnreadableFile("chest.zip"));
});

describe("the fingerprint", () => {
  test("tells how the files can be chosen again", () => {
    const kinds = [
      [file("f/a"), file("f/b/c")],
      [file("a"), file("b")],
      [file("f/a"), file("b")],
      [file("f/a"), file("g/a")],
    ];
    expect(kinds.map((files) => folderSource(files).fingerprint.split(":")[0])).toEqual([
      "files",
      "loose",
      "mixed",
      "mixed",
    ]);
  });

  const chosen = [file("f/a.dcm"), file("f/b.dcm")];

  test("is the same for the same files in any order", () => {
    expect(folderSource([...chosen].reverse()).fingerprint).toBe(folderSource(chosen).fingerprint);
  });

  test("differs when a path, a size or a time of change does", () => {
    const others = [
      [file("f/a.dcm"), file("f/c.dcm", "f/b.dcm")],
      [file("f/a.dcm", "longer than that"), file("f/b.dcm")],
      [file("f/a.dcm", "f/a.dcm", 1), file("f/b.dcm")],
    ];
    const all = [chosen, ...others].map((files) => folderSource(files).fingerprint);
    expect(new Set(all).size).toBe(4);
  });
});

test("a dropped folder is walked to the end, though entries come in batches", async () => {
  const leaf = (path: string): object => ({
    isDirectory: false,
    fullPath: `/${path}`,
    file: (found: (file: File) => void) => found(new File(["x"], path)),
  });
  const batches = [[leaf("f/1"), leaf("f/2")], [leaf("f/.DS_Store"), leaf("f/3")], []];
  const folder = {
    isDirectory: true,
    fullPath: "/f",
    createReader: () => ({ readEntries: (found: (entries: object[]) => void) => found(batches.shift() ?? []) }),
  };
  const items = [{ kind: "file", webkitGetAsEntry: () => folder }, { kind: "string" }];
  const found = await filesOfDrop({ items, files: [] } as unknown as DataTransfer);
  expect(found.map(({ path }) => path)).toEqual(["f/1", "f/2", "f/3"]);
});
