import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeMask, readCounts } from "../src/imaging/rle.ts";
import masks from "./rle-masks.json";

describe("COCO run lengths", () => {
  it("are read as pycocotools writes them", () => {
    for (const { size, counts, mask } of masks) {
      expect([...decodeMask({ size: size as [number, number], counts })].join("")).toBe(mask);
    }
  });

  it("of any mask give it back", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 1, max: 12 }),
        fc.infiniteStream(fc.boolean()),
        (rows, columns, bits) => {
          const mask = Uint8Array.from({ length: rows * columns }, () => (bits.next().value ? 1 : 0));
          const counts: number[] = [0];
          let inside = 0;
          for (let place = 0; place < mask.length; place++) {
            const bit = mask[(place % rows) * columns + Math.floor(place / rows)] as number;
            if (bit !== inside) {
              counts.push(0);
              inside = bit;
            }
            counts[counts.length - 1] = (counts.at(-1) as number) + 1;
          }
          expect(decodeMask({ size: [rows, columns], counts })).toEqual(mask);
        },
      ),
    );
  });

  it("that do not fill the image are refused", () => {
    expect(() => decodeMask({ size: [2, 2], counts: [1, 2] })).toThrow(RangeError);
    expect(() => decodeMask({ size: [2, 2], counts: [1, 9] })).toThrow(RangeError);
    expect(() => readCounts("o")).toThrow(RangeError);
  });
});
