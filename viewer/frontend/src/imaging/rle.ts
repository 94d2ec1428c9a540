/**
 * COCO run-length masks: runs of 0 and 1 in turn, column by column, beginning with 0. As a list of numbers, or as the
 * compact string of the COCO API: 5 bits a character from "0", bit 6 says that more follow, counts from the third on
 * are differences to the count two before.
 */
export interface RleMask {
  size: [number, number];
  counts: string | number[];
}

export function readCounts(text: string): number[] {
  const counts: number[] = [];
  let position = 0;
  while (position < text.length) {
    let value = 0;
    let shift = 0;
    let more = true;
    while (more) {
      if (position >= text.length) throw new RangeError("The mask's run lengths end in the middle of a number.");
      const code = text.charCodeAt(position++) - 48;
      value |= (code & 0x1f) << shift;
      more = (code & 0x20) !== 0;
      shift += 5;
      if (!more && code & 0x10) value |= -1 << shift;
    }
    if (counts.length > 2) value += counts[counts.length - 2] as number;
    counts.push(value);
  }
  return counts;
}

/** Row-major mask, 1 inside: `size` is [rows, columns]. Throws RangeError where the runs do not fill it exactly. */
export function decodeMask({ size: [rows, columns], counts }: RleMask): Uint8Array {
  const runs = typeof counts === "string" ? readCounts(counts) : counts;
  const mask = new Uint8Array(rows * columns);
  let place = 0;
  let inside = 0;
  for (const run of runs) {
    if (run < 0 || place + run > mask.length) throw new RangeError("The mask's runs are longer than the image.");
    if (inside) {
      for (let end = place + run; place < end; place++) {
        mask[(place % rows) * columns + Math.floor(place / rows)] = 1;
      }
    } else {
      place += run;
    }
    inside ^= 1;
  }
  if (place !== mask.length) throw new RangeError("The mask's runs do not fill the image.");
  return mask;
}
