import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { inlineStyles } from "./build/inline-styles.ts";
import { dicomKeywords } from "./build/keywords.ts";
import { licences } from "./build/licences.ts";
import { preloadMain } from "./build/preload.ts";
import { iconSprite } from "./build/sprite.ts";

const root = fileURLToPath(new URL(".", import.meta.url));
const stub = `${root}build/stub.ts`;

/** Packages that only the decoding workers contain, which are bundled apart. */
const IN_WORKERS = [
  "@cornerstonejs/codec-charls",
  "@cornerstonejs/codec-libjpeg-turbo-8bit",
  "@cornerstonejs/codec-openjpeg",
  "@cornerstonejs/codec-openjph",
  "comlink",
  "@cornerstonejs/jpeg-lossless-decoder-js",
  "pako",
];

/**
 * `boot.js` and `viewer.css` have fixed names, because the template names them; what they load has a hash of its content.
 * Paths are relative, so that the build works below any STATIC_URL.
 */
export default defineConfig({
  root,
  base: "./",
  publicDir: false,
  plugins: [
    dicomKeywords(root),
    inlineStyles(),
    iconSprite(root),
    preloadMain(),
    licences(root, ["lucide-static", "dcmjs", ...IN_WORKERS]),
  ],
  resolve: {
    alias: [
      { find: "@console", replacement: fileURLToPath(new URL("../../frontend/src", import.meta.url)) },
      { find: /^(xmlbuilder2|clipper2-ts)$/, replacement: stub },
      { find: /^dcmjs$/, replacement: `${root}build/dcmjs.ts` },
      { find: /^\.\.\/WebGPU\/.*$/, replacement: stub },
      { find: /^(.*\/ColorTransferFunction)\/ColorMaps\.js$/, replacement: "$1/ColorMapsLite.js" },
      { find: /^.*decodeJPEGXL(\.js)?$/, replacement: stub },
    ],
  },
  worker: {
    format: "es",
    plugins: () => [dicomKeywords(root)],
    rolldownOptions: {
      output: {
        entryFileNames: "[name]-[hash].js",
        chunkFileNames: "[name]-[hash].js",
        assetFileNames: "[name]-[hash][extname]",
      },
    },
  },
  optimizeDeps: { exclude: ["@cornerstonejs/dicom-image-loader"], include: ["dicom-parser"] },
  build: {
    outDir: "../static/viewer",
    emptyOutDir: true,
    target: "es2022",
    cssTarget: ["chrome115", "firefox115", "safari16"],
    assetsInlineLimit: 0,
    modulePreload: false,
    cssCodeSplit: false,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 5000,
    rolldownOptions: {
      input: { boot: `${root}src/boot.ts` },
      output: {
        entryFileNames: "[name].js",
        chunkFileNames: "[name]-[hash].js",
        assetFileNames: (asset) =>
          asset.names.some((name) => name.endsWith(".css")) ? "viewer.css" : "[name]-[hash][extname]",
      },
    },
  },
  test: { environment: "happy-dom", include: ["tests/**/*.test.ts"], restoreMocks: true, testTimeout: 60_000 },
});
