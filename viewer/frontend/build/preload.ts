import type { Plugin } from "vite";

const PLACE = "__VIEWER_MAIN__";

/** Writes the hashed name of the viewer's script into `boot.js`, which asks for it before it runs it. */
export function preloadMain(): Plugin {
  return {
    name: "deepcap-preload-main",
    apply: "build",
    generateBundle(_, bundle) {
      const boot = bundle["boot.js"];
      const main = Object.values(bundle).find((one) => one.type === "chunk" && one.name === "main");
      if (boot?.type !== "chunk" || !main || !boot.code.includes(PLACE))
        this.error("boot.js has no place for the name of the viewer's script.");
      boot.code = boot.code.replace(PLACE, `./${main.fileName}`);
    },
  };
}
