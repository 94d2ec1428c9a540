import type { UploadApi } from "./api";
import type { Surroundings } from "./retry";
import type { SessionStore } from "./sessions";
import type { Source } from "./sources";
import { Upload, type Workshop } from "./upload";

const RUNNING_AT_ONCE = 2;
const REQUESTS_AT_ONCE = 4;

/** All uploads of this page: two run at a time, sharing four requests; those left over from earlier visits wait. */
export class UploadQueue {
  readonly uploads: Upload[] = [];
  onChange: () => void = () => {};
  onDone: (upload: Upload) => void = () => {};
  onServerChange: () => void = () => {};

  readonly #shop: Workshop;
  readonly #slots = new Slots(REQUESTS_AT_ONCE);

  constructor(parts: { api: UploadApi; store: SessionStore; surroundings: Surroundings }) {
    this.#shop = {
      ...parts,
      inSlot: (task, signal) => this.#slots.run(task, signal),
      onServerChange: () => this.onServerChange(),
    };
    this.recall();
  }

  get active(): Upload[] {
    return this.uploads.filter((upload) => upload.isActive);
  }

  /** Takes up sessions of earlier visits, and of tabs that are gone. */
  recall(): void {
    const known = new Set(this.uploads.map((upload) => upload.sessionId));
    for (const record of this.#shop.store.unfinished()) {
      if (!known.has(record.id)) this.#enter(new Upload(this.#shop, { record }));
    }
  }

  /** Puts a source into the queue. If an unfinished upload waits for exactly these files, that one goes on. */
  add(source: Source, name = ""): Upload {
    const waiting = this.uploads.find(
      ({ state, fingerprint }) => state === "needs-source" && fingerprint === source.fingerprint,
    );
    if (waiting) waiting.attach(source);
    const upload = waiting ?? this.#enter(new Upload(this.#shop, { source, name }));
    this.#advance();
    return upload;
  }

  resume(upload: Upload): void {
    upload.resume();
    this.#advance();
  }

  /** Takes an upload that is over off the list. */
  dismiss(upload: Upload): void {
    if (!["done", "failed", "cancelled"].includes(upload.state)) return;
    this.uploads.splice(this.uploads.indexOf(upload), 1);
    this.onChange();
  }

  async cancel(upload: Upload): Promise<void> {
    const cancelled = upload.cancel();
    this.dismiss(upload);
    this.#advance();
    await cancelled;
  }

  /** To be called every few seconds, so that other tabs know who sends what. */
  heartbeat(): void {
    const busy = this.uploads.filter(({ state }) => state !== "needs-source").map(({ sessionId }) => sessionId);
    const ids = new Set(busy.filter((id) => id !== undefined));
    if (ids.size) this.#shop.store.touch(ids);
  }

  #enter(upload: Upload): Upload {
    upload.onChange = () => this.onChange();
    this.uploads.push(upload);
    this.onChange();
    return upload;
  }

  #advance(): void {
    const running = this.uploads.filter((upload) => upload.isRunning).length;
    const ready = this.uploads.filter((upload) => upload.state === "waiting" && !upload.isRunning);
    for (const upload of ready.slice(0, Math.max(0, RUNNING_AT_ONCE - running))) void this.#run(upload);
  }

  async #run(upload: Upload): Promise<void> {
    try {
      await upload.run();
      if (upload.state === "done") this.onDone(upload);
    } finally {
      this.#advance();
    }
  }
}

/** At most so many tasks at a time, first come first served. */
class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  async run<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T> {
    if (this.#free > 0) this.#free--;
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    try {
      signal.throwIfAborted();
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }
}
