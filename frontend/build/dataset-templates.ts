import { readdirSync, readFileSync } from "node:fs";
import { join, relative, resolve, sep } from "node:path";
import { zipSync } from "fflate";
import type { Plugin } from "vite";

/** The zips' time stamp: fixed, so that two builds are byte-identical (DOS time has no zone, hence local parts). */
const STAMP = new Date(2026, 0, 1, 0, 0, 0);

/** Emits `templates/NAME.zip` for each folder below `dataset-templates/`: what people download to see the layout. */
export function datasetTemplates(root: string): Plugin {
  return {
    name: "deepcap-dataset-templates",
    apply: "build",
    generateBundle() {
      const folder = resolve(root, "dataset-templates");
      for (const entry of readdirSync(folder, { withFileTypes: true })) {
        if (!entry.isDirectory()) continue;
        this.emitFile({
          type: "asset",
          fileName: `templates/${entry.name}.zip`,
          source: zipSync(read(join(folder, entry.name)), { level: 9, mtime: STAMP }),
        });
      }
    },
  };
}

function read(folder: string): Record<string, Uint8Array> {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  return Object.fromEntries(paths.map((path) => [relative(folder, path).split(sep).join("/"), readFileSync(path)]));
}
