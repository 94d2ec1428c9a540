import { gettext } from "@console/i18n.ts";

/** A server that answers, but not with the bytes: `status` tells what kind of refusal it was. */
export class RefusedError extends Error {
  constructor(
    readonly status: number,
    readonly detail: string,
  ) {
    super(detail || `HTTP ${status}`);
  }
}

const PATIENCE = 60_000;

/** A request that is under way already. */
export interface Asked {
  url: string;
  response: Promise<Response>;
}

let expected: Asked | null = null;

/** Lets the next fetch of this address take a response that is under way. */
export function expectResponse(asked: Asked): void {
  expected = asked;
}

/**
 * Fetches from our own server, signed in as the page is. Links the server redirects to are signed anew by each request,
 * so an expired one (403 or 410 behind a redirect) is asked for once more without a word. So is whatever the network cut
 * off: storages that refuse without CORS headers look like that.
 */
export async function fetchOk(url: string, signal?: AbortSignal): Promise<Response> {
  const first = await (taken(url) ?? get(url, signal)).catch((error: unknown) => {
    if (error instanceof TypeError) return null;
    throw error;
  });
  if (first?.ok) return first;
  const expired = !first || (first.redirected && (first.status === 403 || first.status === 410));
  const response = expired ? await get(url, signal, "reload") : first;
  if (response.ok) return response;
  throw new RefusedError(response.status, await detailOf(response));
}

function taken(url: string): Promise<Response> | null {
  if (expected?.url !== url) return null;
  const { response } = expected;
  expected = null;
  return inTime(response, PATIENCE);
}

function get(url: string, signal?: AbortSignal, cache: RequestCache = "default"): Promise<Response> {
  const patience = AbortSignal.timeout(PATIENCE);
  return fetch(url, {
    credentials: "same-origin",
    cache,
    signal: signal ? AbortSignal.any([signal, patience]) : patience,
  });
}

export async function fetchJson<T>(url: string, signal?: AbortSignal): Promise<T> {
  const response = await fetchOk(url, signal);
  if (response.redirected && !response.headers.get("content-type")?.includes("json")) {
    throw new RefusedError(401, gettext("You have been signed out."));
  }
  return (await response.json()) as T;
}

async function detailOf(response: Response): Promise<string> {
  if (!response.headers.get("content-type")?.includes("json")) return "";
  const body: unknown = await response.json();
  return typeof body === "object" && body !== null && "detail" in body ? String(body.detail) : "";
}

/** Rejects where a promise does not settle in time: some codecs never do. */
export function inTime<T>(promise: Promise<T>, milliseconds: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(gettext("Decoding took too long."))), milliseconds);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
