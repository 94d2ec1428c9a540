import fc from "fast-check";
import { expect, it } from "vitest";
import { nativeFrame } from "../src/imaging/native.ts";
import type { SceneImage } from "../src/scene/types.ts";

const EXPLICIT = "1.2.840.10008.1.2.1";

function image(width: number, allocated: number, stored: number, signed: boolean): SceneImage {
  const layout = { width, height: 1, samples_per_pixel: 1, bits_allocated: allocated, bits_stored: stored, signed };
  return layout as unknown as SceneImage;
}

/** Stored bits written as PS3.5 says, with anything in the bits above them. */
const frames = fc
  .record({ allocated: fc.constantFrom(8, 16), signed: fc.boolean(), garbage: fc.nat(0xffff) })
  .chain(({ allocated, signed, garbage }) =>
    fc.integer({ min: 2, max: allocated }).chain((stored) => {
      const low = signed ? -(2 ** (stored - 1)) : 0;
      const values = fc.array(fc.integer({ min: low, max: low + 2 ** stored - 1 }), { minLength: 1, maxLength: 50 });
      return values.map((list) => ({ allocated, signed, stored, garbage, list }));
    }),
  );

it("reads the samples that were written, whatever lies above the stored bits", () => {
  fc.assert(
    fc.property(frames, ({ allocated, signed, stored, garbage, list }) => {
      const bytes = new DataView(new ArrayBuffer((list.length * allocated) / 8));
      const mask = 2 ** stored - 1;
      list.forEach((value, index) => {
        const bits = (value & mask) | (garbage & ~mask);
        if (allocated === 8) bytes.setUint8(index, bits & 0xff);
        else bytes.setUint16(index * 2, bits & 0xffff, true);
      });
      const frame = nativeFrame(bytes.buffer, EXPLICIT, image(list.length, allocated, stored, signed));
      expect(Array.from(frame?.samples ?? [])).toEqual(list);
    }),
  );
});

it("leaves compressed frames, colour and other depths to the decoders", () => {
  const bytes = new ArrayBuffer(64);
  expect(nativeFrame(bytes, "1.2.840.10008.1.2.4.90", image(4, 16, 16, false))).toBeNull();
  expect(nativeFrame(bytes, EXPLICIT, image(4, 32, 32, false))).toBeNull();
  expect(nativeFrame(bytes, EXPLICIT, { ...image(4, 8, 8, false), samples_per_pixel: 3 })).toBeNull();
});

it("refuses a frame that is too short", () => {
  expect(() => nativeFrame(new ArrayBuffer(6), EXPLICIT, image(4, 16, 16, false))).toThrow(RangeError);
});
