import * as fc from "fast-check";
import { expect, it } from "vitest";
import { actionOf } from "../src/keyboard.ts";

const press = (key: string, more: Partial<Parameters<typeof actionOf>[0]> = {}) =>
  actionOf({ key, code: "", altKey: false, ctrlKey: false, metaKey: false, shiftKey: false, ...more });

it("keeps the product's hot keys", () => {
  expect(press("ArrowRight")).toBe("next-image");
  expect(press("ArrowLeft")).toBe("previous-image");
  expect(press(" ")).toBe("cine");
  expect(press("ArrowRight", { altKey: true })).toBe("next-study");
  expect(press("ArrowLeft", { altKey: true })).toBe("previous-study");
  expect(press("w")).toBe("window");
  expect(press("W", { shiftKey: true })).toBe("window");
});

it("reads presets by the place of the key, whatever the layout prints on it", () => {
  for (const [index, printed] of ["!", '"', "§", "$", "%", "&", "/"].entries()) {
    expect(press(printed, { shiftKey: true, code: `Digit${index + 1}` })).toBe(`preset-${index + 1}`);
  }
  expect(press("1", { code: "Digit1" })).toBe("one-to-one");
});

it("leaves the browser its own keys", () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 9 }), fc.boolean(), (key, meta) => {
      expect(press(key, { ctrlKey: !meta, metaKey: meta })).toBeNull();
    }),
  );
  expect(press("F5")).toBeNull();
  expect(press("Tab")).toBeNull();
  expect(press("constructor")).toBeNull();
});
