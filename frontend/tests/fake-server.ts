import {
  ApiError,
  type Dataset,
  NetworkError,
  type ReceivedPart,
  type Session,
  type UploadApi,
  type UploadStatus,
} from "../src/uploader/api";
import type { Surroundings } from "../src/uploader/retry";

interface Stored {
  filename: string;
  size: number;
  name?: string;
  parts: Map<number, Uint8Array>;
  dataset?: Dataset;
}

/** Keeps upload sessions in memory. `faults` are raised one by one by the named call; `hold` stops calls until released. */
export class FakeServer implements UploadApi {
  readonly sessions = new Map<string, Stored>();
  readonly calls: string[] = [];
  readonly faults: { call: string; error: Error; after?: boolean }[] = [];
  parallel = 0;
  mostParallel = 0;
  hold: Promise<void> | undefined;
  #count = 0;

  constructor(readonly partSize = 100) {}

  fail(call: string, error: Error, times = 1): void {
    for (let i = 0; i < times; i++) this.faults.push({ call, error });
  }

  /** The server does it, but its answer is lost. */
  loseAnswer(call: string): void {
    this.faults.push({ call, error: new NetworkError("lost"), after: true });
  }

  count(call: string): number {
    return this.calls.filter((made) => made.startsWith(call)).length;
  }

  create(upload: { filename: string; size: number; name?: string }): Promise<Session> {
    return this.#answer("create", () => {
      const id = `s${++this.#count}`;
      this.sessions.set(id, { ...upload, parts: new Map() });
      return { id, part_size: this.partSize, expires_at: "2099-01-01T00:00:00Z" };
    });
  }

  status(id: string): Promise<UploadStatus> {
    return this.#answer("status", () => {
      const { parts, dataset } = this.#session(id);
      const received: ReceivedPart[] = [...parts].map(([number, bytes]) => ({
        number,
        etag: etagOf(bytes),
        size: bytes.length,
      }));
      return { parts: received, ...(dataset && { dataset }) };
    });
  }

  partUrl(id: string, part: number): Promise<string> {
    return this.#answer("partUrl", () => {
      this.#session(id);
      return `${id}/${part}`;
    });
  }

  async put(
    url: string,
    body: Blob | Uint8Array,
    signal: AbortSignal,
    onProgress: (sent: number) => void,
  ): Promise<string> {
    this.parallel++;
    this.mostParallel = Math.max(this.mostParallel, this.parallel);
    try {
      const bytes = body instanceof Blob ? new Uint8Array(await body.arrayBuffer()) : body.slice();
      onProgress(bytes.length / 2);
      if (this.hold) await this.hold;
      signal.throwIfAborted();
      return await this.#answer(`put ${url}`, () => {
        const [id = "", part] = url.split("/");
        this.#session(id).parts.set(Number(part), bytes);
        return etagOf(bytes);
      });
    } finally {
      this.parallel--;
    }
  }

  complete(id: string, parts: { number: number; etag: string }[]): Promise<Dataset> {
    return this.#answer("complete", () => {
      const session = this.#session(id);
      if (session.dataset) throw new ApiError(409, "conflict", "Already complete.");
      const whole = parts.every(({ number, etag }) => etag === etagOf(session.parts.get(number) ?? new Uint8Array()));
      if (!whole || this.bytes(id).length !== session.size)
        throw new ApiError(400, "parts_missing", "Parts are missing.");
      session.dataset = { id: 7, name: session.name ?? session.filename };
      return session.dataset;
    });
  }

  async abort(id: string): Promise<void> {
    await this.#answer("abort", () => this.sessions.delete(id));
  }

  bytes(id: string): Uint8Array {
    const parts = [...this.#session(id).parts].sort(([a], [b]) => a - b);
    return Uint8Array.from(parts.flatMap(([, bytes]) => [...bytes]));
  }

  #session(id: string): Stored {
    const session = this.sessions.get(id);
    if (!session) throw new ApiError(404, "not_found", "There is no such upload.");
    return session;
  }

  async #answer<T>(call: string, act: () => T): Promise<T> {
    await Promise.resolve();
    this.calls.push(call);
    const index = this.faults.findIndex((fault) => call.startsWith(fault.call));
    const fault = index < 0 ? undefined : this.faults.splice(index, 1)[0];
    if (fault && !fault.after) throw fault.error;
    const answer = act();
    if (fault) throw fault.error;
    return answer;
  }
}

function etagOf(bytes: Uint8Array): string {
  return `"${bytes.length}-${bytes.reduce((sum, byte) => (sum * 31 + byte) >>> 0, 7)}"`;
}

/** No real waiting: sleeps are noted and over at once. */
export class FakeSurroundings implements Surroundings {
  readonly sleeps: number[] = [];
  isOnline = true;
  #clock = 0;
  #waiting: (() => void)[] = [];

  async sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.sleeps.push(milliseconds);
  }

  random(): number {
    return 1;
  }

  now(): number {
    this.#clock += 1000;
    return this.#clock;
  }

  online(): boolean {
    return this.isOnline;
  }

  whenOnline(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  connect(): void {
    this.isOnline = true;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
