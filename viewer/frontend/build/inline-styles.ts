import type { Plugin } from "vite";

const FILE = "drawingSvg/drawTextBox.js";
const BEFORE = "textElement.setAttribute('style', combinedStyle)";
const AFTER = "textElement.style.cssText = combinedStyle";

/**
 * The tools library writes one style as an attribute, which the page's policy forbids; the same text through the object
 * model is allowed. The build fails where a new version of the library has changed that line.
 */
export function inlineStyles(): Plugin {
  let met = false;
  return {
    name: "deepcap-inline-styles",
    apply: "build",
    transform(code, id) {
      if (!id.endsWith(FILE)) return null;
      if (!code.includes(BEFORE)) this.error(`${FILE} no longer sets its style as it did.`);
      met = true;
      return { code: code.replace(BEFORE, AFTER), map: null };
    },
    generateBundle() {
      if (!met) this.error(`${FILE} is not part of the build any more.`);
    },
  };
}
