import { unzipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { filesOfDrop, folderSource, isJunk, nameOf, type PathFile, sourcesOf } from "../src/uploader/sources";

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

describe("the fingerprint", () => {
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
