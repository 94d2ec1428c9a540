import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { datasetTemplates } from "./build/dataset-templates.ts";
import { licences } from "./build/licences.ts";
import { iconSprite } from "./build/sprite.ts";

const root = fileURLToPath(new URL(".", import.meta.url));

/** File names are fixed (no hashes): the build is committed, and Django's static storage adds the hashes. */
export default defineConfig({
  root,
  base: "./",
  publicDir: "public",
  plugins: [iconSprite(root), datasetTemplates(root), licences(root)],
  css: {
    preprocessorOptions: {
      scss: {
        loadPaths: [`${root}node_modules`],
        quietDeps: true,
        silenceDeprecations: ["import", "global-builtin", "color-functions", "if-function"],
      },
    },
  },
  build: {
    outDir: "../deepcap/static/console",
    emptyOutDir: true,
    target: "es2022",
    cssTarget: ["chrome115", "firefox115", "safari16"],
    assetsInlineLimit: 0,
    modulePreload: false,
    reportCompressedSize: false,
    rolldownOptions: {
      input: { console: `${root}src/console.ts`, boot: `${root}src/boot.ts` },
      output: { entryFileNames: "[name].js", chunkFileNames: "[name].js", assetFileNames: "[name][extname]" },
    },
  },
  test: { environment: "happy-dom", include: ["tests/**/*.test.ts"], restoreMocks: true, testTimeout: 60_000 },
});
