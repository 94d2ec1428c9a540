import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, it } from "vitest";

/** WCAG 2.2, 1.4.3 and 1.4.11. */
const TEXT = 4.5;
const GRAPHICS = 3;

const css = (name: string) => readFileSync(resolve(import.meta.dirname, `../src/styles/${name}.css`), "utf8");
const tokens = Object.fromEntries(
  [...css("frame").matchAll(/--([a-z-]+):\s*(#[0-9a-f]{6})/g)].map(([, name, value]) => [
    name as string,
    value as string,
  ]),
);

function luminance(color: string): number {
  const [red, green, blue] = [1, 3, 5].map((start) => {
    const part = Number.parseInt(color.slice(start, start + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (high + 0.05) / (low + 0.05);
}

it("measures contrast as WCAG defines it", () => {
  expect(contrast("#000000", "#ffffff")).toBeCloseTo(21, 5);
  expect(contrast("#777777", "#ffffff")).toBeCloseTo(4.48, 2);
});

const GROUNDS = ["ground", "bar", "raised"];
const hovered = [
  ...css("controls").matchAll(/:hover \{\s*background: (#[0-9a-f]{6})/g),
  ...css("panels").matchAll(/:hover \{\s*background: (#[0-9a-f]{6})/g),
].map((found) => found[1] as string);
const grounds = [...GROUNDS.map((name) => tokens[name] as string), ...hovered];

it("knows the grounds that text is written on", () => {
  expect(hovered).toHaveLength(2);
  expect(grounds.every((ground) => /^#[0-9a-f]{6}$/.test(ground))).toBe(true);
});

it.each(["text", "dim", "bright", "bad", "note"])("--%s can be read on every ground", (name) => {
  for (const ground of grounds) expect(contrast(tokens[name] as string, ground)).toBeGreaterThanOrEqual(TEXT);
});

it.each(["accent", "bright"])("--on-accent can be read on --%s", (name) => {
  expect(contrast(tokens["on-accent"] as string, tokens[name] as string)).toBeGreaterThanOrEqual(TEXT);
});

it("focus rings and pressed controls stand out from the bars", () => {
  for (const ground of grounds) {
    expect(contrast(tokens.bright as string, ground)).toBeGreaterThanOrEqual(GRAPHICS);
    expect(contrast(tokens.accent as string, ground)).toBeGreaterThanOrEqual(GRAPHICS);
  }
});
