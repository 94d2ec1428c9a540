import fc from "fast-check";
import { expect, test } from "vitest";
import { crc32, joinCrc32 } from "../src/uploader/crc32";

const text = (words: string): Uint8Array => new TextEncoder().encode(words);

test("the check value of the CRC catalogue is met", () => {
  expect(crc32(text("123456789"))).toBe(0xcbf43926);
  expect(crc32(new Uint8Array())).toBe(0);
});

test("continuing, or joining two halves, equals one pass over the whole", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.uint8Array({ maxLength: 300 }), (a, b) => {
      const whole = new Uint8Array([...a, ...b]);
      expect(crc32(b, crc32(a))).toBe(crc32(whole));
      expect(joinCrc32(crc32(a), crc32(b), b.length)).toBe(crc32(whole));
    }),
  );
});

/** CRC-32 of 2^exponent zero bytes, by joining a run of zeros with itself. */
function crcOfZeros(exponent: number): number {
  let crc = crc32(new Uint8Array(1));
  for (let n = 0; n < exponent; n++) crc = joinCrc32(crc, crc, 2 ** n);
  return crc;
}

test("joining works with lengths of more than four gigabytes", () => {
  expect(crcOfZeros(20)).toBe(crc32(new Uint8Array(2 ** 20)));
  const start = crc32(text("x"));
  const inOne = joinCrc32(start, crcOfZeros(33), 2 ** 33);
  const inTwo = joinCrc32(joinCrc32(start, crcOfZeros(32), 2 ** 32), crcOfZeros(32), 2 ** 32);
  expect(inOne).toBe(inTwo);
});
