import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromRgba, quantise } from "../src/imaging/pixels.ts";
import { isOddPng } from "../src/imaging/png.ts";
import { readLayout, readSamples } from "../src/imaging/samples.ts";
import { extent, percentiles } from "../src/imaging/statistics.ts";

describe("samples", () => {
  it("are read as the header of the answer says", () => {
    const layout = readLayout('{"type": "int16", "samples_per_pixel": 1, "photometric_interpretation": "MONOCHROME2"}');
    expect(layout).toEqual({ type: "int16", samples_per_pixel: 1, photometric_interpretation: "MONOCHROME2" });
    if (!layout) return;
    const { samples, components } = readSamples(Int16Array.of(-5, 0, 7, 9).buffer, layout, 2, 2);
    expect([...samples]).toEqual([-5, 0, 7, 9]);
    expect(components).toBe(1);
    expect(() => readSamples(new ArrayBuffer(6), layout, 2, 2)).toThrow(RangeError);
    expect(() => readLayout('{"type": "float128"}')).toThrow(RangeError);
    expect(readLayout(null)).toBeNull();
  });

  it("of floats come back within a 65,535th of their range", () => {
    fc.assert(
      fc.property(
        fc.float32Array({ minLength: 1, noNaN: true, min: -1e6, max: 1e6, noDefaultInfinity: true }),
        (values) => {
          const { low, high } = extent(values);
          const { samples, slope, intercept } = quantise(values);
          samples.forEach((sample, index) => {
            expect(Math.abs(slope * sample + intercept - (values[index] as number))).toBeLessThanOrEqual(
              (high - low) / 65535 + 1e-6,
            );
          });
        },
      ),
    );
  });

  it("of a grey picture become one component, of a coloured one three", () => {
    expect(fromRgba(Uint8ClampedArray.of(5, 5, 5, 255, 9, 9, 9, 255))).toEqual({
      samples: Uint8Array.of(5, 9),
      components: 1,
    });
    expect(fromRgba(Uint8ClampedArray.of(5, 5, 6, 255)).components).toBe(3);
  });

  it("have percentiles that leave out what they say", () => {
    fc.assert(
      fc.property(
        fc.uint16Array({ minLength: 1, maxLength: 500 }),
        fc.integer({ min: 1, max: 99 }),
        (values, percent) => {
          const { low } = percentiles(values, percent, 100);
          const below = values.filter((value) => value < low).length;
          const upTo = values.filter((value) => value <= low).length;
          expect(below).toBeLessThan(Math.ceil((percent / 100) * values.length) + 1e-9);
          expect(upTo).toBeGreaterThanOrEqual((percent / 100) * values.length);
        },
      ),
    );
  });
});

describe("a PNG", () => {
  const png = (colour: number, ...chunks: string[]) => {
    const bytes = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
    for (const name of ["IHDR", ...chunks]) {
      const body = name === "IHDR" ? [0, 0, 0, 1, 0, 0, 0, 1, 8, colour, 0, 0, 0] : [];
      bytes.push(0, 0, 0, body.length, ...[...name].map((letter) => letter.charCodeAt(0)), ...body, 0, 0, 0, 0);
    }
    return Uint8Array.from(bytes);
  };

  it("that is animated, or grey with a colour key, is the server's to decode", () => {
    expect(isOddPng(png(2, "acTL", "IDAT"))).toBe(true);
    expect(isOddPng(png(0, "tRNS", "IDAT"))).toBe(true);
    expect(isOddPng(png(2, "tRNS", "IDAT"))).toBe(false);
    expect(isOddPng(png(0, "IDAT", "acTL"))).toBe(false);
    expect(isOddPng(Uint8Array.of(0xff, 0xd8, 0xff))).toBe(false);
  });
});
