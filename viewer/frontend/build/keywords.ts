import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";
import type { Plugin } from "vite";

const NAME = "virtual:dicom-keywords";
const READERS = "node_modules/@cornerstonejs/metadata/dist/esm";

type Entry = { tag: string; vr: string; vm: string };

/** Gives those keywords of the DICOM dictionary that the library of metadata names somewhere: some hundreds. */
export function dicomKeywords(root: string): Plugin {
  return {
    name: "deepcap-dicom-keywords",
    resolveId: (id) => (id === NAME ? `\0${NAME}` : null),
    load(id) {
      if (id !== `\0${NAME}`) return null;
      const { data } = createRequire(resolve(root, "package.json"))("dcmjs") as {
        data: { DicomMetaDictionary: { nameMap: Record<string, Entry> } };
      };
      const { nameMap } = data.DicomMetaDictionary;
      const folder = resolve(root, READERS);
      const words = new Set<string>();
      for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
        if (!file.endsWith(".js")) continue;
        for (const [word] of readFileSync(resolve(folder, file), "utf8").matchAll(/\b[A-Z]\w+/g)) words.add(word);
      }
      const named = [...words].sort().filter((word) => Object.hasOwn(nameMap, word));
      const entries = named.map((word) => {
        const { tag, vr, vm } = nameMap[word] as Entry;
        return [word, { tag, vr, vm }];
      });
      return `export default ${JSON.stringify(Object.fromEntries(entries))};`;
    },
  };
}
