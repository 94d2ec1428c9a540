import fc from "fast-check";
import { unzipSync } from "fflate";
import { describe, expect, test } from "vitest";
import { UnreadableFile, VirtualZip, type ZipEntry } from "../src/uploader/virtual-zip";
import { centralHeader, dataDescriptor, endRecords, localHeader, type Member } from "../src/uploader/zip-records";

const MODIFIED = new Date(Date.UTC(2026, 10, 24, 16, 14, 30));

function entry(path: string, bytes: Uint8Array): ZipEntry {
  return { path, file: new Blob([bytes as Uint8Array<ArrayBuffer>]), modified: MODIFIED };
}

const folders = fc
  .uniqueArray(
    fc.record({
      path: fc.stringMatching(/^[a-zA-Z0-9 ü影像é_-]{1,12}(\/[a-z0-9像]{1,8}){0,2}\.dcm$/),
      bytes: fc.uint8Array({ maxLength: 600 }),
    }),
    { selector: ({ path }) => path, maxLength: 8 },
  )
  .map((files) => files.map(({ path, bytes }) => entry(path, bytes)));

async function contents(entries: readonly ZipEntry[]): Promise<Record<string, Uint8Array>> {
  const pairs = entries.map(async ({ path, file }) => [path, new Uint8Array(await file.arrayBuffer())] as const);
  return Object.fromEntries(await Promise.all(pairs));
}

describe("a virtual zip", () => {
  test("is read by an independent unzip, whatever it holds", async () => {
    await fc.assert(
      fc.asyncProperty(folders, async (entries) => {
        const zip = new VirtualZip(entries);
        const bytes = await zip.read(0, zip.size);
        expect(bytes.length).toBe(zip.size);
        expect(unzipSync(bytes)).toEqual(await contents(entries));
      }),
    );
  });

  test("gives any range as the whole has it, in any order and as often as asked", async () => {
    await fc.assert(
      fc.asyncProperty(
        folders,
        fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true }))),
        async (entries, ranges) => {
          const whole = await new VirtualZip(entries).read(0, new VirtualZip(entries).size);
          const zip = new VirtualZip(entries);
          const wanted = ranges.map(([a, b]) => [
            Math.floor(Math.min(a, b) * zip.size),
            Math.ceil(Math.max(a, b) * zip.size),
          ]);
          const read = await Promise.all(wanted.map(([start = 0, end = 0]) => zip.read(start, end)));
          for (const [i, [start, end]] of wanted.entries()) expect(read[i]).toEqual(whole.slice(start, end));
        },
      ),
    );
  });

  test("is the same in parts of any size, sent four at a time", async () => {
    await fc.assert(
      fc.asyncProperty(folders, fc.integer({ min: 1, max: 700 }), async (entries, partSize) => {
        const zip = new VirtualZip(entries);
        const starts = Array.from({ length: Math.ceil(zip.size / partSize) }, (_, i) => i * partSize);
        const parts = new Map<number, Uint8Array>();
        const sender = async (): Promise<void> => {
          for (let start = starts.pop(); start !== undefined; start = starts.pop()) {
            parts.set(start, await zip.read(start, Math.min(start + partSize, zip.size)));
          }
        };
        await Promise.all([sender(), sender(), sender(), sender()]);
        const sorted = [...parts].sort(([a], [b]) => a - b).flatMap(([, bytes]) => [...bytes]);
        expect(unzipSync(Uint8Array.from(sorted))).toEqual(await contents(entries));
      }),
      { numRuns: 40 },
    );
  });

  test("holds more than 65,535 members with ZIP64 end records", async () => {
    const entries = Array.from({ length: 65_540 }, (_, i) => entry(`${i}.dcm`, new Uint8Array([i & 255])));
    const zip = new VirtualZip(entries);
    const names = Object.keys(unzipSync(await zip.read(0, zip.size)));
    expect(names).toHaveLength(65_540);
    const end = new DataView((await zip.read(zip.size - 22, zip.size)).buffer);
    expect(end.getUint16(10, true)).toBe(0xffff);
  });

  test("reads each byte once when its parts are read one after another", async () => {
    const file = new Blob([new Uint8Array(10_000).fill(7)]);
    let read = 0;
    const slice = file.slice.bind(file);
    file.slice = (start = 0, end = file.size) => {
      read += end - start;
      return slice(start, end);
    };
    const zip = new VirtualZip([{ path: "a.dcm", file, modified: MODIFIED }]);
    for (let at = 0; at < zip.size; at += 999) await zip.read(at, Math.min(at + 999, zip.size));
    expect(read).toBe(10_000);
  });

  test("names the file that can no longer be read", async () => {
    const gone = new Blob([new Uint8Array(10)]);
    gone.slice = () =>
      ({ arrayBuffer: () => Promise.reject(new DOMException("", "NotReadableError")) }) as unknown as Blob;
    const zip = new VirtualZip([{ path: "chest/gone.dcm", file: gone, modified: MODIFIED }]);
    await expect(zip.read(0, zip.size)).rejects.toEqual(new UnreadableFile("chest/gone.dcm"));
  });

  test("stops when told to", async () => {
    const zip = new VirtualZip([entry("a.dcm", new Uint8Array(10))]);
    await expect(zip.read(0, zip.size, AbortSignal.abort("enough"))).rejects.toBe("enough");
  });

  test("refuses ranges outside of it", async () => {
    const zip = new VirtualZip([]);
    expect(zip.size).toBe(22);
    await expect(zip.read(0, 23)).rejects.toThrow(RangeError);
  });
});

describe("the records of a member beyond four gigabytes", () => {
  const size = 5 * 2 ** 30;
  const member: Member = { name: new TextEncoder().encode("a.dcm"), size, modified: MODIFIED, offset: 6 * 2 ** 30 };
  const view = (bytes: Uint8Array): DataView => new DataView(bytes.buffer);

  test("announce ZIP64 in the local header, with the sizes in the descriptor", () => {
    const header = view(localHeader(member));
    expect(header.getUint16(4, true)).toBe(45);
    expect(header.getUint32(18, true)).toBe(0xffffffff);
    expect(header.getUint16(28, true)).toBe(20);
    const descriptor = view(dataDescriptor(size, 0x12345678));
    expect(descriptor.byteLength).toBe(24);
    expect(descriptor.getBigUint64(8, true)).toBe(BigInt(size));
  });

  test("carry sizes and offset in the central directory's extra field", () => {
    const header = view(centralHeader(member, 1));
    const extra = 46 + member.name.length;
    expect(header.getUint32(42, true)).toBe(0xffffffff);
    expect([header.getUint16(extra, true), header.getUint16(extra + 2, true)]).toEqual([1, 24]);
    expect([4, 12, 20].map((at) => header.getBigUint64(extra + at, true))).toEqual(
      [size, size, member.offset].map(BigInt),
    );
  });

  test("end with a ZIP64 record that says where the directory lies", () => {
    const end = view(endRecords(1, 11 * 2 ** 30, 80));
    expect(end.byteLength).toBe(22 + 76);
    expect(end.getBigUint64(48, true)).toBe(BigInt(11 * 2 ** 30));
    expect(end.getBigUint64(56 + 8, true)).toBe(BigInt(11 * 2 ** 30 + 80));
  });
});
