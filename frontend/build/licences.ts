import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Plugin } from "vite";

/** Packages whose work is part of the built files, so that their licences must travel along. */
const SHIPPED = ["bootstrap", "htmx.org", "lucide-static", "@fontsource-variable/inter"];

/** Emits `LICENCES.txt`: the licence of each package that the built files contain. */
export function licences(root: string): Plugin {
  return {
    name: "deepcap-licences",
    apply: "build",
    generateBundle() {
      const chapters = SHIPPED.map((name) => {
        const folder = resolve(root, "node_modules", name);
        const { version } = JSON.parse(readFileSync(resolve(folder, "package.json"), "utf8")) as { version: string };
        return `${name} ${version}\n\n${readFileSync(resolve(folder, "LICENSE"), "utf8").trim()}\n`;
      });
      this.emitFile({ type: "asset", fileName: "LICENCES.txt", source: chapters.join(`\n${"-".repeat(80)}\n\n`) });
    },
  };
}
