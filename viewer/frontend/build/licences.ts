import { existsSync, readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Plugin } from "vite";

/** The innermost package folder that a bundled module lies in. */
const PACKAGE = /^.*\/node_modules\/(?:@[^/]+\/)?[^/]+/;

/** Emits `LICENCES.txt`: the licence of each package that the built files contain, read from the module graph. */
export function licences(root: string, also: readonly string[] = []): Plugin {
  return {
    name: "deepcap-licences",
    apply: "build",
    generateBundle() {
      const folders = new Set(also.map((name) => resolve(root, "node_modules", name)));
      for (const id of this.getModuleIds()) {
        const folder = PACKAGE.exec(id.replace(/^\0/, ""))?.[0];
        if (folder && existsSync(resolve(folder, "package.json"))) folders.add(folder);
      }
      const chapters = [...folders].map(chapter).sort();
      this.emitFile({
        type: "asset",
        fileName: "LICENCES.txt",
        source: `${chapters.join(`\n${"-".repeat(80)}\n\n`)}`,
      });
    },
  };
}

function chapter(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(resolve(folder, "package.json"), "utf8")) as {
    name: string;
    version: string;
    license?: string;
  };
  const file = readdirSync(folder).find((entry) => /^licen[cs]e(\.|-|$)/i.test(entry));
  const text = file ? readFileSync(resolve(folder, file), "utf8").trim() : `Licence: ${license ?? "not stated"}`;
  return `${name} ${version}\n\n${text}\n`;
}
