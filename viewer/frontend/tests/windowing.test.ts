import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  levelOf,
  lutLevelOf,
  rampOf,
  roundHalfEven,
  toOutput,
  toStored,
  type Window,
} from "../src/imaging/windowing.ts";
import table from "./windowing-levels.json";

describe("grey levels", () => {
  it("equal those of the server's windowing.py, case by case", () => {
    expect(table.windows.length).toBeGreaterThan(50);
    for (const { value, center, width, function: name, level } of table.windows) {
      const got = levelOf(value, { center, width, function: name as Window["function"] });
      expect(Math.abs(got - level), `${name} ${center}/${width} at ${value}`).toBeLessThan(1e-6);
    }
  });

  it("of VOI LUTs equal the server's", () => {
    expect(table.tables.length).toBeGreaterThan(10);
    for (const { value, first, bits, entries, level } of table.tables) {
      expect(lutLevelOf(value, { first, bits, entries })).toBeCloseTo(level, 9);
    }
  });

  it("rise with the value, from black to white", () => {
    fc.assert(
      fc.property(
        fc.double({ min: -2000, max: 2000, noNaN: true }),
        fc.double({ min: 1, max: 4000, noNaN: true }),
        fc.constantFrom("LINEAR", "LINEAR_EXACT", "SIGMOID"),
        fc.double({ min: -4000, max: 4000, noNaN: true }),
        fc.double({ min: 0, max: 1000, noNaN: true }),
        (center, width, name, value, more) => {
          const window = { center, width, function: name } as Window;
          const [low, high] = [levelOf(value, window), levelOf(value + more, window)];
          expect(low).toBeGreaterThanOrEqual(0);
          expect(high).toBeLessThanOrEqual(255);
          expect(high).toBeGreaterThanOrEqual(low);
        },
      ),
    );
  });
});

describe("a ramp in stored values", () => {
  it("gives the level that the output value has", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1000, max: 1000 }),
        fc.integer({ min: 2, max: 4000 }),
        fc.double({ min: 0.01, max: 10, noNaN: true }),
        fc.boolean(),
        fc.integer({ min: -5000, max: 5000 }),
        fc.integer({ min: -32768, max: 65535 }),
        (center, width, size, negative, intercept, stored) => {
          const slope = negative ? -size : size;
          const window: Window = { center, width, function: "LINEAR" };
          const { ramp, flipped } = toStored(rampOf(window), slope, intercept);
          const part = Math.min(1, Math.max(0, (stored - ramp.low) / (ramp.high - ramp.low)));
          const level = 255 * (flipped ? 1 - part : part);
          expect(Math.abs(level - levelOf(slope * stored + intercept, window))).toBeLessThan(1e-3);
          const back = toOutput(ramp, slope, intercept);
          expect(back.low).toBeCloseTo(rampOf(window).low, 4);
        },
      ),
    );
  });
});

it("halves round to the even number", () => {
  expect([0.5, 1.5, 2.5, -0.5, -1.5, 2.4].map(roundHalfEven)).toEqual([0, 2, 2, 0, -2, 2]);
});
