const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const COLOUR_TYPE = 25;
const GREY = 0;

/**
 * Whether browsers show a PNG otherwise than the server: of an animation they take the first frame instead of the default
 * image, and they differ on the colour key (tRNS) of grey pictures. Reads the chunks before the first IDAT.
 */
export function isOddPng(bytes: Uint8Array): boolean {
  if (SIGNATURE.some((byte, index) => bytes[index] !== byte)) return false;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let start = SIGNATURE.length; start + 12 <= bytes.length; start += 12 + view.getUint32(start)) {
    const type = String.fromCharCode(...bytes.subarray(start + 4, start + 8));
    if (type === "IDAT") return false;
    if (type === "acTL" || (type === "tRNS" && bytes[COLOUR_TYPE] === GREY)) return true;
  }
  return false;
}
