/** CRC-32 of zip (IEEE 802.3, reflected polynomial EDB88320), four bytes a step, and the joining of two of them. */
const POLYNOMIAL = 0xedb88320;

const TABLES = makeTables();

function makeTables(): [Uint32Array, Uint32Array, Uint32Array, Uint32Array] {
  const first = Uint32Array.from({ length: 256 }, (_, byte) => {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ POLYNOMIAL : value >>> 1;
    return value;
  });
  const shifted = (table: Uint32Array): Uint32Array => table.map((value) => at(first, value & 0xff) ^ (value >>> 8));
  const second = shifted(first);
  const third = shifted(second);
  return [first, second, third, shifted(third)];
}

function at(table: Uint32Array, index: number): number {
  return table[index] as number;
}

/** CRC-32 of the bytes, continuing from the CRC of what went before (0: nothing did). */
export function crc32(bytes: Uint8Array, before = 0): number {
  const [one, two, three, four] = TABLES;
  let crc = ~before;
  let i = 0;
  for (const end = bytes.length - 3; i < end; i += 4) {
    const b = bytes as { [index: number]: number };
    crc ^= (b[i] as number) | ((b[i + 1] as number) << 8) | ((b[i + 2] as number) << 16) | ((b[i + 3] as number) << 24);
    crc = at(four, crc & 0xff) ^ at(three, (crc >>> 8) & 0xff) ^ at(two, (crc >>> 16) & 0xff) ^ at(one, crc >>> 24);
  }
  for (; i < bytes.length; i++) crc = at(one, (crc ^ (bytes[i] as number)) & 0xff) ^ (crc >>> 8);
  return ~crc >>> 0;
}

/** CRC-32 of A followed by B from the CRC of each and B's length: A's CRC advanced over B's length in zero bytes. */
export function joinCrc32(a: number, b: number, lengthOfB: number): number {
  let power = powerOfX(3); // x^8: one zero byte
  let advanced = a;
  for (let rest = lengthOfB; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2) advanced = multiply(power, advanced);
    power = multiply(power, power);
  }
  return (advanced ^ b) >>> 0;
}

/** x^(2^n) as a reflected polynomial. */
function powerOfX(n: number): number {
  let power = 0x40000000; // x
  for (let i = 0; i < n; i++) power = multiply(power, power);
  return power;
}

/** Product of two reflected polynomials over GF(2), modulo the CRC's. */
function multiply(a: number, b: number): number {
  let product = 0;
  for (let mask = 0x80000000; mask; mask >>>= 1) {
    if (a & mask) product ^= b;
    b = b & 1 ? (b >>> 1) ^ POLYNOMIAL : b >>> 1;
  }
  return product >>> 0;
}
