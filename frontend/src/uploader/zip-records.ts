/**
 * The records of a zip of stored members (PKWARE APPNOTE 6.3: 4.3.7 local header, 4.3.9 data descriptor, 4.3.12 central
 * header, 4.3.14 – 4.3.16 end records). Sizes and CRC follow the data (flag bit 3), names are UTF-8 (flag bit 11),
 * ZIP64 is used exactly where a number does not fit.
 */
export const U16_MAX = 0xffff;
export const U32_MAX = 0xffffffff;

const FLAGS = (1 << 3) | (1 << 11);
const STORED = 0;
const VERSION = 20;
const VERSION_ZIP64 = 45;
const UNIX = 3 << 8;
const REGULAR_FILE = (0o100644 << 16) >>> 0;

export interface Member {
  name: Uint8Array;
  size: number;
  modified: Date;
  offset: number;
}

export const isLarge = (size: number): boolean => size >= U32_MAX;

export const localHeaderLength = (nameLength: number, size: number): number =>
  30 + nameLength + (isLarge(size) ? 20 : 0);

export const descriptorLength = (size: number): number => (isLarge(size) ? 24 : 16);

export const centralHeaderLength = (member: Member): number => 46 + member.name.length + centralExtraLength(member);

export const endLength = (count: number, start: number, length: number): number =>
  22 + (needsZip64End(count, start, length) ? 76 : 0);

export function localHeader(member: Member): Uint8Array {
  const large = isLarge(member.size);
  const out = new Writer(localHeaderLength(member.name.length, member.size));
  out
    .u32(0x04034b50)
    .u16(large ? VERSION_ZIP64 : VERSION)
    .u16(FLAGS)
    .u16(STORED)
    .dosTime(member.modified)
    .u32(0);
  out
    .u32(large ? U32_MAX : 0)
    .u32(large ? U32_MAX : 0)
    .u16(member.name.length)
    .u16(large ? 20 : 0)
    .raw(member.name);
  if (large) out.u16(1).u16(16).u64(0).u64(0);
  return out.bytes;
}

export function dataDescriptor(size: number, crc: number): Uint8Array {
  const out = new Writer(descriptorLength(size)).u32(0x08074b50).u32(crc);
  return (isLarge(size) ? out.u64(size).u64(size) : out.u32(size).u32(size)).bytes;
}

export function centralHeader(member: Member, crc: number): Uint8Array {
  const { name, size, offset } = member;
  const extra = centralExtraLength(member);
  const large = isLarge(size);
  const version = extra ? VERSION_ZIP64 : VERSION;
  const out = new Writer(centralHeaderLength(member));
  out
    .u32(0x02014b50)
    .u16(UNIX | version)
    .u16(version)
    .u16(FLAGS)
    .u16(STORED)
    .dosTime(member.modified)
    .u32(crc);
  out
    .u32(large ? U32_MAX : size)
    .u32(large ? U32_MAX : size)
    .u16(name.length)
    .u16(extra)
    .u16(0)
    .u16(0)
    .u16(0);
  out.u32(REGULAR_FILE).u32(Math.min(offset, U32_MAX)).raw(name);
  if (extra) out.u16(1).u16(extra - 4);
  if (large) out.u64(size).u64(size);
  if (offset >= U32_MAX) out.u64(offset);
  return out.bytes;
}

/** What follows the central directory, which has `count` headers and lies at `start`, `length` bytes long. */
export function endRecords(count: number, start: number, length: number): Uint8Array {
  const out = new Writer(endLength(count, start, length));
  if (needsZip64End(count, start, length)) {
    out
      .u32(0x06064b50)
      .u64(44)
      .u16(UNIX | VERSION_ZIP64)
      .u16(VERSION_ZIP64)
      .u32(0)
      .u32(0);
    out.u64(count).u64(count).u64(length).u64(start);
    out
      .u32(0x07064b50)
      .u32(0)
      .u64(start + length)
      .u32(1);
  }
  const count16 = Math.min(count, U16_MAX);
  out.u32(0x06054b50).u16(0).u16(0).u16(count16).u16(count16);
  return out.u32(Math.min(length, U32_MAX)).u32(Math.min(start, U32_MAX)).u16(0).bytes;
}

function centralExtraLength({ size, offset }: Member): number {
  const fields = (isLarge(size) ? 16 : 0) + (offset >= U32_MAX ? 8 : 0);
  return fields ? 4 + fields : 0;
}

function needsZip64End(count: number, start: number, length: number): boolean {
  return count >= U16_MAX || start >= U32_MAX || length >= U32_MAX;
}

/** Writes little-endian numbers one after another. */
class Writer {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
    this.#view = new DataView(this.bytes.buffer);
  }

  u16(value: number): this {
    this.#view.setUint16(this.#at, value, true);
    this.#at += 2;
    return this;
  }

  u32(value: number): this {
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
    return this;
  }

  u64(value: number): this {
    this.#view.setBigUint64(this.#at, BigInt(value), true);
    this.#at += 8;
    return this;
  }

  raw(bytes: Uint8Array): this {
    this.bytes.set(bytes, this.#at);
    this.#at += bytes.length;
    return this;
  }

  /** MS-DOS time and date in UTC, so that the same files give the same bytes in every time zone; years 1980 – 2107. */
  dosTime(moment: Date): this {
    const year = moment.getUTCFullYear();
    if (!(year >= 1980)) return this.u16(0).u16(0x21);
    if (year > 2107) return this.u16(0xbf7d).u16(0xff9f);
    this.u16((moment.getUTCHours() << 11) | (moment.getUTCMinutes() << 5) | (moment.getUTCSeconds() >> 1));
    return this.u16(((year - 1980) << 9) | ((moment.getUTCMonth() + 1) << 5) | moment.getUTCDate());
  }
}
