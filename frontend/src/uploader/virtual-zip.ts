import { crc32, joinCrc32 } from "./crc32";
import {
  centralHeader,
  centralHeaderLength,
  dataDescriptor,
  descriptorLength,
  endLength,
  endRecords,
  localHeader,
  localHeaderLength,
  type Member,
  U16_MAX,
} from "./zip-records";

const READ_AT_ONCE = 4 * 1024 * 1024;

export interface ZipEntry {
  /** Path inside the zip, with forward slashes. */
  path: string;
  file: Blob;
  modified: Date;
}

/** A file that was readable when it was chosen and is not any more: moved, changed or on an unplugged disk. */
export class UnreadableFile extends Error {
  constructor(readonly path: string) {
    super(`${path} cannot be read.`);
  }
}

interface Piece {
  start: number;
  end: number;
  crc: number;
}

/**
 * A zip of stored members that exists only as arithmetic over the files: its size is known before a byte is read, and
 * any range of it can be produced, again and again, holding no more than that range in memory. The same entries give
 * the same bytes. CRCs come from the ranges read on the way; what is missing when one is needed is read for it alone.
 */
export class VirtualZip {
  readonly size: number;
  readonly #entries: readonly ZipEntry[];
  readonly #members: Member[];
  readonly #directoryStart: number;
  readonly #pieces: Piece[][];
  readonly #crcs = new Map<number, Promise<number>>();
  #tail: Promise<Uint8Array> | undefined;

  constructor(entries: readonly ZipEntry[]) {
    this.#entries = entries;
    const encoder = new TextEncoder();
    let offset = 0;
    this.#members = entries.map(({ path, file, modified }) => {
      const name = encoder.encode(path);
      if (name.length > U16_MAX) throw new RangeError("A path is longer than a zip can hold.");
      const member = { name, size: file.size, modified, offset };
      offset += localHeaderLength(name.length, file.size) + file.size + descriptorLength(file.size);
      return member;
    });
    this.#directoryStart = offset;
    this.#pieces = entries.map(() => []);
    const length = this.#members.reduce((sum, member) => sum + centralHeaderLength(member), 0);
    this.size = offset + length + endLength(entries.length, offset, length);
  }

  /** The bytes from `start` up to `end`. Raises `UnreadableFile`, or what `signal` was aborted with. */
  async read(start: number, end: number, signal?: AbortSignal): Promise<Uint8Array<ArrayBuffer>> {
    if (!(start >= 0 && start <= end && end <= this.size))
      throw new RangeError(`No bytes ${start}–${end} in this zip.`);
    const out = new Uint8Array(end - start);
    const put = (at: number, bytes: Uint8Array): void => {
      const from = Math.max(start - at, 0);
      const to = Math.min(end - at, bytes.length);
      if (from < to) out.set(bytes.subarray(from, to), at + from - start);
    };
    for (let i = this.#memberAt(start); i < this.#members.length; i++) {
      const member = this.#members[i] as Member;
      if (member.offset >= end) break;
      const dataStart = member.offset + localHeaderLength(member.name.length, member.size);
      const dataEnd = dataStart + member.size;
      if (start < dataStart) put(member.offset, localHeader(member));
      const from = Math.max(start, dataStart);
      const to = Math.min(end, dataEnd);
      if (from < to) put(from, await this.#data(i, from - dataStart, to - dataStart, signal));
      if (end > dataEnd && start < dataEnd + descriptorLength(member.size)) {
        put(dataEnd, dataDescriptor(member.size, await this.#crc(i, signal)));
      }
    }
    if (end > this.#directoryStart) put(this.#directoryStart, await this.#directory(signal));
    return out;
  }

  /** Index of the last member that starts at or before the offset. */
  #memberAt(offset: number): number {
    let low = 0;
    let high = this.#members.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#members[middle] as Member).offset <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  async #data(index: number, start: number, end: number, signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    const { file, path } = this.#entries[index] as ZipEntry;
    let bytes: Uint8Array;
    try {
      bytes = new Uint8Array(await file.slice(start, end).arrayBuffer());
    } catch (error) {
      if (error instanceof DOMException) throw new UnreadableFile(path);
      throw error;
    }
    if (bytes.length !== end - start) throw new UnreadableFile(path);
    this.#pieces[index]?.push({ start, end, crc: crc32(bytes) });
    return bytes;
  }

  #crc(index: number, signal?: AbortSignal): Promise<number> {
    let crc = this.#crcs.get(index);
    if (!crc) {
      crc = this.#joinPieces(index, signal);
      this.#crcs.set(index, crc);
      crc.catch(() => this.#crcs.delete(index)); // asked for again after a pause, it is computed again
    }
    return crc;
  }

  async #joinPieces(index: number, signal?: AbortSignal): Promise<number> {
    const { size } = this.#members[index] as Member;
    const pieces = this.#pieces[index] as Piece[];
    let crc = 0;
    let at = 0;
    while (at < size) {
      const piece = pieces.find(({ start }) => start === at);
      if (!piece) {
        const next = pieces.reduce((least, { start }) => (start > at ? Math.min(least, start) : least), size);
        await this.#data(index, at, Math.min(next, at + READ_AT_ONCE), signal);
        continue; // the piece is there now
      }
      crc = joinCrc32(crc, piece.crc, piece.end - piece.start);
      at = piece.end;
    }
    pieces.length = 0;
    return crc;
  }

  #directory(signal?: AbortSignal): Promise<Uint8Array> {
    if (!this.#tail) {
      this.#tail = this.#writeDirectory(signal);
      this.#tail.catch(() => {
        this.#tail = undefined;
      });
    }
    return this.#tail;
  }

  async #writeDirectory(signal?: AbortSignal): Promise<Uint8Array> {
    const tail = new Uint8Array(this.size - this.#directoryStart);
    let at = 0;
    for (const [index, member] of this.#members.entries()) {
      const header = centralHeader(member, await this.#crc(index, signal));
      tail.set(header, at);
      at += header.length;
    }
    tail.set(endRecords(this.#members.length, this.#directoryStart, at), at);
    return tail;
  }
}
