import { gettext, interpolate } from "../i18n";
import { ApiError, type Dataset, type ReceivedPart, type Session, type UploadApi } from "./api";
import { passesByItself, retrying, StillFailing, type Surroundings } from "./retry";
import type { SessionRecord, SessionStore } from "./sessions";
import type { Source } from "./sources";
import { SpeedMeter } from "./speed";
import { UnreadableFile } from "./virtual-zip";

/**
 * waiting       for its turn in the queue
 * uploading     parts are being sent; `offline` tells that the connection is awaited
 * finishing     every part arrived, the server puts them together
 * paused        by the person, or because the server kept failing (`message` says so)
 * needs-source  the same files must be chosen again: known from an earlier visit, or one could not be read any more
 * done, failed, cancelled: final
 */
export type UploadState =
  | "waiting"
  | "uploading"
  | "finishing"
  | "paused"
  | "needs-source"
  | "done"
  | "failed"
  | "cancelled";

/** What an upload works with; shared by all of a queue. */
export interface Workshop {
  api: UploadApi;
  store: SessionStore;
  surroundings: Surroundings;
  /** The server's list of datasets has changed: an upload was begun or given up there. */
  onServerChange(): void;
  /** Runs the task when one of the queue's few parallel requests is free. */
  inSlot<T>(task: () => Promise<T>, signal: AbortSignal): Promise<T>;
}

const PARALLEL_PARTS = 4;
const SESSIONS_AT_MOST = 3;
const FORGOTTEN_CODES = new Set(["upload_expired", "upload_not_open"]);

type KnownSession = Pick<SessionRecord, "id" | "partSize" | "expiresAt">;

/** Somebody gave the upload up elsewhere, or deleted its dataset: it is not begun again behind their back. */
class GivenUp extends Error {}

/** One source on its way to the server. `onChange` is called after every change worth showing. */
export class Upload {
  readonly filename: string;
  readonly size: number;
  readonly fingerprint: string;
  readonly fileCount: number | undefined;
  state: UploadState;
  offline = false;
  /** Why it failed or paused, for people. */
  message = "";
  dataset: Dataset | undefined;
  readonly speed = new SpeedMeter();
  onChange: () => void = () => {};

  #name: string;
  #source: Source | undefined;
  #session: KnownSession | undefined;
  #received = new Map<number, ReceivedPart>();
  #onTheWay = new Map<number, number>();
  #run: AbortController | undefined;

  constructor(
    private readonly shop: Workshop,
    origin: { source: Source; name: string } | { record: SessionRecord },
  ) {
    const about = "source" in origin ? origin.source : origin.record;
    this.filename = about.filename;
    this.size = about.size;
    this.fingerprint = about.fingerprint;
    this.fileCount = about.fileCount;
    if ("source" in origin) {
      this.#source = origin.source;
      this.#name = origin.name;
      this.state = "waiting";
    } else {
      this.#session = origin.record;
      this.#name = origin.record.name;
      this.state = "needs-source";
    }
  }

  get name(): string {
    return this.#name;
  }

  get sessionId(): string | undefined {
    return this.#session?.id;
  }

  get isRunning(): boolean {
    return this.#run !== undefined;
  }

  /** True while closing the page would interrupt it. */
  get isActive(): boolean {
    return this.state === "waiting" || this.state === "uploading" || this.state === "finishing";
  }

  get sentBytes(): number {
    let sent = 0;
    for (const { size } of this.#received.values()) sent += size;
    for (const bytes of this.#onTheWay.values()) sent += bytes;
    return Math.min(sent, this.size);
  }

  /** The same files were chosen again. */
  attach(source: Source): void {
    if (source.fingerprint !== this.fingerprint) throw new Error("These are not the same files.");
    this.#source = source;
    this.#become("waiting");
  }

  /** Back into the queue. */
  resume(): void {
    if (this.state === "paused") this.#become(this.#source ? "waiting" : "needs-source");
  }

  pause(message = ""): void {
    if (!this.isActive || this.state === "finishing") return;
    this.#become("paused", message);
    this.#run?.abort();
  }

  /** Gives up for good and lets the server throw away what it has. */
  async cancel(): Promise<void> {
    if (this.state === "done" || this.state === "failed" || this.state === "cancelled") return;
    this.#become("cancelled");
    this.#run?.abort();
    await this.#discardSession();
  }

  /** Sends until done, paused, cancelled or failed; never rejects for a reason that the person can be told. */
  async run(): Promise<void> {
    if (this.state !== "waiting" || this.isRunning || !this.#source) return;
    const run = new AbortController();
    this.#run = run;
    this.#become("uploading");
    try {
      const dataset = await this.#send(this.#source, run.signal);
      this.dataset = dataset;
      if (this.#session) this.shop.store.forget(this.#session.id);
      this.#become("done");
    } catch (error) {
      if (!run.signal.aborted) await this.#stopFor(error);
    } finally {
      this.#run = undefined;
      this.#onTheWay.clear();
      this.offline = false;
      this.speed.reset();
      this.onChange();
    }
  }

  async #send(source: Source, signal: AbortSignal): Promise<Dataset> {
    for (let sessions = 1; ; sessions++) {
      try {
        const finished = await this.#openSession(source, signal);
        if (finished) return finished;
        await this.#sendMissingParts(source, signal);
        return await this.#complete(source, signal);
      } catch (error) {
        if (!isForgotten(error) || !this.#session || sessions >= SESSIONS_AT_MOST) throw error;
        const finished = await this.#finishedElsewhere(this.#session.id, signal);
        if (finished) return finished;
        const expired = this.#hasExpired(error);
        this.#forgetSession();
        if (!expired) throw new GivenUp();
        if (this.state === "finishing") this.#become("uploading");
      }
    }
  }

  #hasExpired(error: ApiError): boolean {
    return (
      error.code === "upload_expired" ||
      error.status === 410 ||
      Date.parse(this.#session?.expiresAt ?? "") <= Date.now()
    );
  }

  /** Another tab may have completed it. */
  async #finishedElsewhere(id: string, signal: AbortSignal): Promise<Dataset | undefined> {
    try {
      const { dataset } = await this.#retrying(() => this.shop.api.status(id, signal), signal);
      return dataset ? asDataset(dataset, this.#name) : undefined;
    } catch (error) {
      if (isForgotten(error)) return undefined;
      throw error;
    }
  }

  /** Asks what the server has, or opens a session. Returns the dataset if the upload turns out to be complete. */
  async #openSession(source: Source, signal: AbortSignal): Promise<Dataset | undefined> {
    if (this.#session) {
      const { id } = this.#session;
      const status = await this.#retrying(() => this.shop.api.status(id, signal), signal);
      if (status.dataset) return asDataset(status.dataset, this.#name);
      this.#adopt(status.parts);
      return undefined;
    }
    const request = { filename: this.filename, size: this.size, ...(this.#name && { name: this.#name }) };
    // Not to be broken off half way: the server would have a session that nobody knows of.
    const untilAnswered = new AbortController().signal;
    const session: Session = await this.#retrying(() => this.shop.api.create(request, untilAnswered), signal);
    this.#session = { id: String(session.id), partSize: session.part_size, expiresAt: session.expires_at };
    this.shop.store.save({
      ...this.#session,
      filename: this.filename,
      name: this.#name,
      size: this.size,
      fingerprint: source.fingerprint,
      ...(source.fileCount !== undefined && { fileCount: source.fileCount }),
    });
    this.shop.onServerChange();
    if (signal.aborted && this.state === "cancelled") await this.#discardSession();
    signal.throwIfAborted();
    return undefined;
  }

  #adopt(parts: readonly ReceivedPart[]): void {
    const whole = parts.filter(({ number, size }) => size === this.#lengthOf(number));
    this.#received = new Map(whole.map((part) => [part.number, part]));
    this.onChange();
  }

  #missing(): number[] {
    const { partSize } = this.#session as KnownSession;
    const numbers = Array.from({ length: Math.max(1, Math.ceil(this.size / partSize)) }, (_, index) => index + 1);
    return numbers.filter((number) => !this.#received.has(number));
  }

  #lengthOf(part: number): number {
    const { partSize } = this.#session as KnownSession;
    return Math.max(0, Math.min(partSize, this.size - (part - 1) * partSize));
  }

  async #sendMissingParts(source: Source, signal: AbortSignal): Promise<void> {
    const todo = this.#missing();
    const failure = new AbortController(); // one sender fails: the others need not go on
    const both = AbortSignal.any([signal, failure.signal]);
    const sender = async (): Promise<void> => {
      for (let part = todo.shift(); part !== undefined; part = todo.shift()) await this.#sendPart(source, part, both);
    };
    const senders = Array.from({ length: PARALLEL_PARTS }, () =>
      sender().catch((error: unknown) => {
        failure.abort(error);
        throw error;
      }),
    );
    const ends = await Promise.allSettled(senders);
    signal.throwIfAborted();
    if (failure.signal.aborted) throw failure.signal.reason;
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }

  async #sendPart(source: Source, part: number, signal: AbortSignal): Promise<void> {
    const { id, partSize } = this.#session as KnownSession;
    const start = (part - 1) * partSize;
    const size = this.#lengthOf(part);
    let sending = false;
    const attempt = async (): Promise<string> => {
      sending = false;
      const url = await this.shop.api.partUrl(id, part, signal);
      const body = await source.read(start, start + size, signal);
      sending = true;
      return this.shop.api.put(url, body, signal, (bytes) => this.#progress(part, Math.min(bytes, size)));
    };
    const send = (): Promise<string> =>
      this.#retrying(attempt, signal, (error) => {
        this.#onTheWay.delete(part);
        // A refused PUT mostly means that the part's signed address ran out; each attempt asks for a new one.
        if (isForgotten(error)) return false;
        return passesByItself(error) || (sending && error instanceof ApiError && error.status !== 413);
      });
    const etag = await this.shop.inSlot(send, signal);
    this.#onTheWay.delete(part);
    this.#received.set(part, { number: part, etag, size });
    this.#noteSpeed();
  }

  async #complete(source: Source, signal: AbortSignal): Promise<Dataset> {
    const { id } = this.#session as KnownSession;
    for (let round = 1; ; round++) {
      this.#become("finishing");
      const parts = [...this.#received.values()].sort((a, b) => a.number - b.number);
      const named = parts.map(({ number, etag }) => ({ number, etag }));
      try {
        return await this.#retrying(() => this.shop.api.complete(id, named, signal), signal);
      } catch (error) {
        if (!(error instanceof ApiError) || isForgotten(error) || round > 2) throw error;
        // The answer to an earlier try may have been lost, or a part did not arrive whole: the server knows.
        const status = await this.#retrying(() => this.shop.api.status(id, signal), signal);
        if (status.dataset) return asDataset(status.dataset, this.#name);
        this.#adopt(status.parts);
        if (!this.#missing().length) throw error;
        this.#become("uploading");
        await this.#sendMissingParts(source, signal);
      }
    }
  }

  #retrying<T>(call: () => Promise<T>, signal: AbortSignal, retryable?: (error: unknown) => boolean): Promise<T> {
    return retrying(call, {
      surroundings: this.shop.surroundings,
      signal,
      onOffline: (offline) => {
        this.offline = offline;
        this.speed.reset();
        this.onChange();
      },
      ...(retryable && { retryable }),
    });
  }

  #progress(part: number, bytes: number): void {
    this.#onTheWay.set(part, bytes);
    this.#noteSpeed();
  }

  #noteSpeed(): void {
    this.speed.note(this.sentBytes, this.shop.surroundings.now());
    this.onChange();
  }

  async #stopFor(error: unknown): Promise<void> {
    if (error instanceof StillFailing) {
      this.#become("paused", gettext("The server does not answer. Resume when it is back."));
    } else if (error instanceof ApiError && (error.status === 401 || error.code === "not_authenticated")) {
      this.#become("paused", gettext("You are signed out. Sign in again, then resume."));
    } else if (error instanceof GivenUp) {
      this.#become("cancelled", gettext("It was cancelled elsewhere, or its dataset was deleted."));
      this.shop.onServerChange();
    } else if (error instanceof UnreadableFile) {
      this.#source = undefined; // what has arrived stays: with the same files it goes on
      const text = gettext("“%(path)s” can no longer be read: it was moved or changed. Choose the same files again.");
      this.#become("needs-source", interpolate(text, { path: error.path }));
    } else if (error instanceof ApiError) {
      this.#become("failed", error.detail);
      await this.#discardSession();
    } else {
      this.#become("failed", gettext("The upload stopped because of a fault in this page."));
      throw error;
    }
  }

  async #discardSession(): Promise<void> {
    const id = this.#session?.id;
    if (id === undefined) return;
    this.#forgetSession();
    try {
      await this.shop.api.abort(id);
    } catch (error) {
      if (!(error instanceof ApiError) && !passesByItself(error)) throw error; // else it expires by itself
    }
    this.shop.onServerChange();
  }

  #forgetSession(): void {
    if (this.#session) this.shop.store.forget(this.#session.id);
    this.#session = undefined;
    this.#received.clear();
    this.#onTheWay.clear();
  }

  #become(state: UploadState, message = ""): void {
    this.state = state;
    this.message = message;
    this.onChange();
  }
}

/** The server no longer has the session: unknown, expired, or given up. */
function isForgotten(error: unknown): error is ApiError {
  return error instanceof ApiError && (error.status === 404 || error.status === 410 || FORGOTTEN_CODES.has(error.code));
}

function asDataset(dataset: Dataset | string | number, name: string): Dataset {
  return typeof dataset === "object" ? dataset : { id: dataset, name };
}
