/** What a key asks for, by name; `commands.ts` does it. Pure, so that it can be tested and shown in the help. */
export type Action =
  | "next-image"
  | "previous-image"
  | "next-ten"
  | "previous-ten"
  | "first-image"
  | "last-image"
  | "next-study"
  | "previous-study"
  | "next-series"
  | "previous-series"
  | "cine"
  | "cine-faster"
  | "cine-slower"
  | "window"
  | "pan"
  | "zoom"
  | "browse"
  | "magnify"
  | "length"
  | "angle"
  | "rectangle"
  | "ellipse"
  | "zoom-in"
  | "zoom-out"
  | "fit"
  | "one-to-one"
  | "invert"
  | "rotate"
  | "flip-horizontal"
  | "flip-vertical"
  | "reset"
  | "delete-measurements"
  | "captions"
  | "detections"
  | "segmentations"
  | "panel"
  | "info"
  | "help"
  | "close"
  | "retry"
  | `preset-${number}`;

export interface Press {
  key: string;
  code: string;
  altKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  shiftKey: boolean;
}

const PLAIN: Record<string, Action> = {
  ArrowRight: "next-image",
  ArrowLeft: "previous-image",
  ArrowDown: "next-image",
  ArrowUp: "previous-image",
  PageDown: "next-ten",
  PageUp: "previous-ten",
  Home: "first-image",
  End: "last-image",
  " ": "cine",
  ">": "cine-faster",
  "<": "cine-slower",
  w: "window",
  p: "pan",
  z: "zoom",
  b: "browse",
  g: "magnify",
  l: "length",
  a: "angle",
  e: "rectangle",
  o: "ellipse",
  "+": "zoom-in",
  "=": "zoom-in",
  "-": "zoom-out",
  f: "fit",
  1: "one-to-one",
  i: "invert",
  r: "rotate",
  h: "flip-horizontal",
  v: "flip-vertical",
  0: "reset",
  Delete: "delete-measurements",
  c: "captions",
  d: "detections",
  m: "segmentations",
  n: "panel",
  t: "info",
  "?": "help",
  x: "close",
  y: "retry",
  "[": "previous-series",
  "]": "next-series",
};

const WITH_ALT: Record<string, Action> = {
  ArrowRight: "next-study",
  ArrowLeft: "previous-study",
  ArrowDown: "next-study",
  ArrowUp: "previous-study",
};

/** Null for keys that are the browser's or nobody's. Shift+1 to Shift+7 go by the key's place: layouts differ. */
export function actionOf({ key, code, altKey, ctrlKey, metaKey, shiftKey }: Press): Action | null {
  if (ctrlKey || metaKey) return null;
  if (altKey) return WITH_ALT[key] ?? null;
  const digit = /^Digit([1-7])$/.exec(code)?.[1];
  if (shiftKey && digit) return `preset-${Number(digit)}`;
  const name = key.length === 1 ? key.toLowerCase() : key;
  return Object.hasOwn(PLAIN, name) ? (PLAIN[name] as Action) : null;
}
