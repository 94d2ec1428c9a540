import { csrfToken } from "../dom";

export interface Session {
  id: string | number;
  part_size: number;
  expires_at: string;
}

export interface ReceivedPart {
  number: number;
  etag: string;
  size: number;
}

export interface Dataset {
  id: string | number;
  name: string;
}

export interface UploadStatus {
  parts: ReceivedPart[];
  dataset?: Dataset | string | number | null;
}

/** The server refused; `detail` is its sentence for people. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    readonly detail: string,
    readonly retryAfterMs?: number,
  ) {
    super(detail);
  }
}

/** No answer at all: the connection is gone or was cut. */
export class NetworkError extends Error {}

/** The upload sessions of `/api/v1/uploads/`, and the PUT of one part to wherever the server says. */
export interface UploadApi {
  create(upload: { filename: string; size: number; name?: string }, signal: AbortSignal): Promise<Session>;
  status(id: string, signal: AbortSignal): Promise<UploadStatus>;
  partUrl(id: string, part: number, signal: AbortSignal): Promise<string>;
  complete(id: string, parts: { number: number; etag: string }[], signal: AbortSignal): Promise<Dataset>;
  abort(id: string): Promise<void>;
  /** Sends the bytes; returns the part's ETag. `onProgress` gets the bytes of this part that are on their way. */
  put(
    url: string,
    body: Blob | Uint8Array<ArrayBuffer>,
    signal: AbortSignal,
    onProgress: (sent: number) => void,
  ): Promise<string>;
}

export class HttpUploadApi implements UploadApi {
  constructor(private readonly base = "/api/v1/") {}

  create(upload: { filename: string; size: number; name?: string }, signal: AbortSignal): Promise<Session> {
    return this.#call<Session>("POST", "uploads/", signal, upload);
  }

  status(id: string, signal: AbortSignal): Promise<UploadStatus> {
    return this.#call<UploadStatus>("GET", `uploads/${encodeURIComponent(id)}/`, signal);
  }

  async partUrl(id: string, part: number, signal: AbortSignal): Promise<string> {
    const { url } = await this.#call<{ url: string }>(
      "GET",
      `uploads/${encodeURIComponent(id)}/parts/${part}/`,
      signal,
    );
    return url;
  }

  complete(id: string, parts: { number: number; etag: string }[], signal: AbortSignal): Promise<Dataset> {
    return this.#call<Dataset>("POST", `uploads/${encodeURIComponent(id)}/complete/`, signal, { parts });
  }

  async abort(id: string): Promise<void> {
    await this.#call<null>("DELETE", `uploads/${encodeURIComponent(id)}/`, undefined);
  }

  put(
    url: string,
    body: Blob | Uint8Array<ArrayBuffer>,
    signal: AbortSignal,
    onProgress: (sent: number) => void,
  ): Promise<string> {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest(); // fetch tells no upload progress
      const stop = (): void => request.abort();
      request.open("PUT", url);
      if (new URL(url, location.href).origin === location.origin) request.setRequestHeader("X-CSRFToken", csrfToken());
      request.upload.onprogress = ({ loaded }) => onProgress(loaded);
      request.onerror = () => reject(new NetworkError("The connection was cut."));
      request.onabort = () => reject(signal.reason);
      request.onload = () => {
        const etag = request.getResponseHeader("ETag");
        if (request.status >= 200 && request.status < 300 && etag) resolve(etag);
        else reject(partRefused(request));
      };
      request.onloadend = () => signal.removeEventListener("abort", stop);
      signal.addEventListener("abort", stop);
      request.send(body);
    });
  }

  async #call<T>(method: string, path: string, signal: AbortSignal | undefined, body?: unknown): Promise<T> {
    let response: Response;
    try {
      response = await fetch(this.base + path, {
        method,
        credentials: "same-origin",
        redirect: "error",
        headers: { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": csrfToken() },
        ...(signal && { signal }),
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof TypeError) throw new NetworkError(error.message);
      throw error;
    }
    if (!response.ok) throw await refused(response);
    return (response.status === 204 ? null : await response.json()) as T;
  }
}

function partRefused(request: XMLHttpRequest): ApiError {
  const isJson = request.getResponseHeader("Content-Type")?.includes("json") ?? false;
  const answer = isJson ? (JSON.parse(request.responseText) as { code?: string; detail?: string }) : {};
  return new ApiError(request.status, answer.code ?? "part_refused", answer.detail ?? request.statusText);
}

async function refused(response: Response): Promise<ApiError> {
  const seconds = Number(response.headers.get("Retry-After"));
  const retryAfterMs = seconds > 0 ? seconds * 1000 : undefined;
  const isJson = response.headers.get("Content-Type")?.includes("json") ?? false;
  const answer = isJson ? ((await response.json()) as { code?: string; detail?: string }) : {};
  return new ApiError(response.status, answer.code ?? "", answer.detail ?? response.statusText, retryAfterMs);
}
