import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Plugin } from "vite";

const ICON_FOLDER = "node_modules/lucide-static/icons";

/** Emits `icons.svg`: one `<symbol>` for each name listed in icons.json, in the listed order. */
export function iconSprite(root: string): Plugin {
  return {
    name: "deepcap-icon-sprite",
    apply: "build",
    generateBundle() {
      const names = JSON.parse(readFileSync(resolve(root, "icons.json"), "utf8")) as string[];
      const symbols = names.map((name) =>
        toSymbol(name, readFileSync(resolve(root, ICON_FOLDER, `${name}.svg`), "utf8")),
      );
      this.emitFile({
        type: "asset",
        fileName: "icons.svg",
        source: `<svg xmlns="http://www.w3.org/2000/svg"><!-- Lucide, ISC licence -->\n${symbols.join("\n")}\n</svg>\n`,
      });
    },
  };
}

function toSymbol(name: string, svg: string): string {
  const drawing = svg
    .slice(svg.indexOf(">", svg.indexOf("<svg")) + 1, svg.lastIndexOf("</svg>"))
    .replace(/\s+/g, " ")
    .replace(/> </g, "><")
    .trim();
  return (
    `<symbol id="${name}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" ` +
    `stroke-linecap="round" stroke-linejoin="round">${drawing}</symbol>`
  );
}
