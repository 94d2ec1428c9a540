import { ApiError, NetworkError } from "./api";

const FIRST_WAIT_MS = 800;
const LONGEST_WAIT_MS = 30_000;
const ATTEMPTS = 9;

/** Time, chance and the connection: what tests replace. */
export interface Surroundings {
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
  random(): number;
  now(): number;
  online(): boolean;
  /** Resolves when the browser is online again. */
  whenOnline(signal: AbortSignal): Promise<void>;
}

/** Every attempt failed for a reason that passes by itself. */
export class StillFailing extends Error {
  constructor(override readonly cause: Error) {
    super("It kept failing.");
  }
}

export function passesByItself(error: unknown): error is NetworkError | ApiError {
  if (error instanceof NetworkError) return true;
  return error instanceof ApiError && (error.status >= 500 || [408, 425, 429].includes(error.status));
}

/** Full jitter: anything up to the doubling bound, or what the server asked for. */
export function waitBefore(attempt: number, random: number, error: unknown): number {
  const asked = error instanceof ApiError ? (error.retryAfterMs ?? 0) : 0;
  return Math.max(asked, random * Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt));
}

/**
 * Runs the call until it succeeds, fails for good, or has failed nine times. Being offline costs no attempt: it waits.
 * Raises `StillFailing`, the error itself if it is final, or the reason of the abort.
 */
export async function retrying<T>(
  call: () => Promise<T>,
  {
    surroundings,
    signal,
    onOffline,
    retryable = passesByItself,
  }: {
    surroundings: Surroundings;
    signal: AbortSignal;
    onOffline?: (offline: boolean) => void;
    retryable?: (error: unknown) => boolean;
  },
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    signal.throwIfAborted();
    if (!surroundings.online()) {
      onOffline?.(true);
      await surroundings.whenOnline(signal);
      onOffline?.(false);
      signal.throwIfAborted();
    }
    try {
      return await call();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof Error) || !retryable(error)) throw error;
      if (!surroundings.online()) {
        attempt--;
        continue;
      }
      if (attempt + 1 >= ATTEMPTS) throw new StillFailing(error);
      await surroundings.sleep(waitBefore(attempt, surroundings.random(), error), signal);
    }
  }
}

/** The real browser. */
export const browserSurroundings: Surroundings = {
  sleep: (milliseconds, signal) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        signal.removeEventListener("abort", stop);
        resolve();
      }, milliseconds);
      const stop = (): void => {
        clearTimeout(timer);
        reject(signal.reason);
      };
      signal.addEventListener("abort", stop, { once: true });
    }),
  random: Math.random,
  now: () => performance.now(),
  online: () => navigator.onLine,
  whenOnline: (signal) =>
    new Promise((resolve, reject) => {
      addEventListener("online", () => resolve(), { once: true, signal });
      signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    }),
};
