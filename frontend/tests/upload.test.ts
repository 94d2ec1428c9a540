import { beforeEach, describe, expect, test, vi } from "vitest";
import { ApiError, NetworkError } from "../src/uploader/api";
import { UploadQueue } from "../src/uploader/queue";
import { SessionStore } from "../src/uploader/sessions";
import { folderSource, type Source, zipSource } from "../src/uploader/sources";
import type { Upload, UploadState } from "../src/uploader/upload";
import { UnreadableFile } from "../src/uploader/virtual-zip";
import { FakeServer, FakeSurroundings } from "./fake-server";

let server: FakeServer;
let surroundings: FakeSurroundings;
let queue: UploadQueue;

const store = (tab = "tab"): SessionStore => new SessionStore(localStorage, "ada", tab);
const newQueue = (tab?: string): UploadQueue => new UploadQueue({ api: server, store: store(tab), surroundings });

function zip(name = "chest.zip", length = 950): Source {
  const bytes = Uint8Array.from({ length }, (_, i) => (i * 7) & 255);
  return zipSource(new File([bytes], name, { lastModified: 5 }));
}

async function reaches(upload: Upload, state: UploadState): Promise<void> {
  await vi.waitFor(() => expect(upload.state).toBe(state));
}

/** Lets PUTs wait; the returned function lets them go on. */
function holdPuts(): () => void {
  let release = (): void => {};
  server.hold = new Promise((resolve) => {
    release = resolve;
  });
  return () => {
    server.hold = undefined;
    release();
  };
}

beforeEach(() => {
  localStorage.clear();
  server = new FakeServer();
  surroundings = new FakeSurroundings();
  queue = newQueue();
});

test("a file arrives byte for byte, in parts, under the given name", async () => {
  const source = zip();
  const upload = queue.add(source, "My chest");
  await reaches(upload, "done");
  expect(server.bytes("s1")).toEqual(new Uint8Array(await ((await source.read(0, 950)) as Blob).arrayBuffer()));
  expect(server.sessions.get("s1")).toMatchObject({ filename: "chest.zip", size: 950, name: "My chest" });
  expect(server.count("put")).toBe(10);
  expect(upload.dataset).toEqual({ id: 7, name: "My chest" });
  expect(upload.sentBytes).toBe(950);
});

test("a folder arrives as a zip", async () => {
  const files = ["f/a.dcm", "f/b.dcm"].map((path) => ({ path, file: new File([path.repeat(40)], path) }));
  const source = folderSource(files);
  await reaches(queue.add(source), "done");
  expect(server.bytes("s1")).toEqual(await source.read(0, source.size));
});

test("four parts at most are on their way at once, whatever the number of uploads", async () => {
  const uploads = [queue.add(zip("a.zip")), queue.add(zip("b.zip")), queue.add(zip("c.zip"))];
  expect(uploads.map(({ state }) => state)).toEqual(["uploading", "uploading", "waiting"]);
  for (const upload of uploads) await reaches(upload, "done");
  expect(server.mostParallel).toBe(4);
});

describe("trouble that passes by itself", () => {
  test("is waited out with growing pauses", async () => {
    server.fail("put s1/3", new NetworkError("cut"), 2);
    server.fail("put s1/3", new ApiError(503, "", "busy"));
    await reaches(queue.add(zip()), "done");
    expect(surroundings.sleeps).toEqual([800, 1600, 3200]);
  });

  test("is waited out as long as the server asks", async () => {
    server.fail("create", new ApiError(429, "throttled", "slow", 12_000));
    await reaches(queue.add(zip()), "done");
    expect(surroundings.sleeps).toEqual([12_000]);
  });

  test("pauses the upload when it does not pass, and nothing is lost", async () => {
    server.fail("put s1/10", new ApiError(502, "", "gateway"), 9);
    const upload = queue.add(zip());
    await reaches(upload, "paused");
    expect(upload.message).toMatch(/does not answer/);
    const sent = server.count("put");
    queue.resume(upload);
    await reaches(upload, "done");
    expect(server.count("put")).toBe(sent + 1);
  });

  test("an address that ran out is asked for anew", async () => {
    server.fail("put s1/2", new ApiError(403, "part_refused", "Request has expired"));
    await reaches(queue.add(zip()), "done");
    expect(server.count("partUrl")).toBe(11);
  });
});

describe("offline", () => {
  test("it waits without counting attempts and goes on when connected", async () => {
    surroundings.isOnline = false;
    const upload = queue.add(zip());
    await vi.waitFor(() => expect(upload.offline).toBe(true));
    expect(server.calls).toEqual([]);
    surroundings.connect();
    await reaches(upload, "done");
    expect(upload.offline).toBe(false);
    expect(surroundings.sleeps).toEqual([]);
  });

  test("it can be paused", async () => {
    surroundings.isOnline = false;
    const upload = queue.add(zip());
    await vi.waitFor(() => expect(upload.offline).toBe(true));
    upload.pause();
    surroundings.connect();
    await vi.waitFor(() => expect(upload.isRunning).toBe(false));
    expect(upload.state).toBe("paused");
    expect(server.calls).toEqual([]);
  });
});

describe("pausing and resuming", () => {
  test("parts that arrived are not sent again", async () => {
    const release = holdPuts();
    const upload = queue.add(zip());
    await vi.waitFor(() => expect(server.parallel).toBe(4));
    upload.pause();
    expect(upload.state).toBe("paused");
    release();
    await vi.waitFor(() => expect(upload.isRunning).toBe(false));
    server.sessions.get("s1")?.parts.set(
      1,
      Uint8Array.from({ length: 100 }, (_, i) => (i * 7) & 255),
    );
    server.calls.length = 0;
    queue.resume(upload);
    await reaches(upload, "done");
    expect(server.count("create")).toBe(0);
    expect(server.count("put")).toBe(9);
  });

  test("resuming before the pause took effect still goes on", async () => {
    const release = holdPuts();
    const upload = queue.add(zip());
    await vi.waitFor(() => expect(server.parallel).toBe(4));
    upload.pause();
    queue.resume(upload);
    release();
    await reaches(upload, "done");
  });

  test("a part that the server has only half is sent again", async () => {
    const release = holdPuts();
    const upload = queue.add(zip());
    await vi.waitFor(() => expect(server.parallel).toBe(4));
    upload.pause();
    release();
    await vi.waitFor(() => expect(upload.isRunning).toBe(false));
    server.sessions.get("s1")?.parts.set(1, new Uint8Array(50));
    queue.resume(upload);
    await reaches(upload, "done");
    expect(server.count("put s1/1")).toBeGreaterThan(0);
  });
});

describe("after a reload", () => {
  async function interrupted(source: Source): Promise<void> {
    const release = holdPuts();
    const upload = queue.add(source, "My chest");
    await vi.waitFor(() => expect(server.parallel).toBe(4));
    upload.pause(); // the page goes away: its requests are cut
    release();
    await vi.waitFor(() => expect(upload.isRunning).toBe(false));
    server.sessions.get("s1")?.parts.set(
      1,
      Uint8Array.from({ length: 100 }, (_, i) => (i * 7) & 255),
    );
  }

  test("the upload is known, asks for its files, and sends only what is missing", async () => {
    await interrupted(zip());
    const fresh = newQueue();
    const [upload] = fresh.uploads;
    expect(upload).toMatchObject({ state: "needs-source", name: "My chest", size: 950 });
    server.calls.length = 0;
    expect(fresh.add(zip())).toBe(upload);
    await reaches(upload as Upload, "done");
    expect(server.count("put")).toBe(9);
    expect(newQueue().uploads).toEqual([]);
  });

  test("other files do not continue it", async () => {
    await interrupted(zip());
    const fresh = newQueue();
    fresh.add(zip("head.zip"));
    expect(fresh.uploads.map(({ filename }) => filename)).toEqual(["chest.zip", "head.zip"]);
    expect(fresh.uploads[0]?.state).toBe("needs-source");
  });

  test("another tab leaves it alone while this one is busy with it", async () => {
    await interrupted(zip());
    expect(newQueue("other tab").uploads).toEqual([]);
    vi.spyOn(Date, "now").mockReturnValue(Date.now() + 60_000);
    expect(newQueue("other tab").uploads).toHaveLength(1);
  });

  test("another person does not see it, and an expired one is gone", async () => {
    await interrupted(zip());
    expect(new SessionStore(localStorage, "bob", "tab").unfinished()).toEqual([]);
    expect(new SessionStore(localStorage, "ada", "tab", () => Date.parse("2100-01-01")).unfinished()).toEqual([]);
  });
});

describe("a session that the server forgot", () => {
  test("is replaced by a new one when its time has run out", async () => {
    server.fail("partUrl", new ApiError(404, "not_found", "gone"));
    const create = server.create.bind(server);
    vi.spyOn(server, "create").mockImplementationOnce(async (upload) => ({
      ...(await create(upload)),
      expires_at: new Date(Date.now() - 1).toISOString(),
    }));
    const upload = queue.add(zip());
    await reaches(upload, "done");
    expect(server.count("create")).toBe(2);
    expect(store().unfinished()).toEqual([]);
  });

  test.each([
    new ApiError(404, "not_found", "gone"),
    new ApiError(409, "upload_not_open", "The upload is complete or was given up."),
  ])("is not begun again when somebody gave it up: %s", async (error) => {
    server.fail("put s1/3", error);
    server.fail("status", new ApiError(404, "not_found", "gone"));
    const upload = queue.add(zip());
    await reaches(upload, "cancelled");
    expect(upload.message).toMatch(/cancelled elsewhere/);
    expect(server.count("create")).toBe(1);
    expect(store().unfinished()).toEqual([]);
  });

  test("is replaced as well when only the codes of a conflict tell", async () => {
    server.fail("put s1/3", new ApiError(409, "upload_expired", "The upload has expired: start it again."));
    await reaches(queue.add(zip()), "done");
    expect(server.count("create")).toBe(2);
    expect(surroundings.sleeps).toEqual([]);
  });

  test("is not replaced when another tab completed it", async () => {
    server.fail("partUrl", new ApiError(409, "upload_not_open", "The upload is complete or was given up."));
    const create = server.create.bind(server);
    vi.spyOn(server, "create").mockImplementationOnce(async (upload) => {
      const session = await create(upload);
      const stored = server.sessions.get(String(session.id));
      if (stored) stored.dataset = { id: 9, name: "Theirs" };
      return session;
    });
    const upload = queue.add(zip());
    await reaches(upload, "done");
    expect(upload.dataset?.id).toBe(9);
    expect(server.count("create")).toBe(1);
  });

  test("is replaced a few times only", async () => {
    server.fail("partUrl", new ApiError(410, "gone", "The upload has expired."), 99);
    const upload = queue.add(zip());
    await reaches(upload, "failed");
    expect(upload.message).toBe("The upload has expired.");
    expect(server.count("create")).toBe(3);
  });
});

describe("completing", () => {
  test("a lost answer does not make a second dataset", async () => {
    server.loseAnswer("complete");
    const upload = queue.add(zip());
    await reaches(upload, "done");
    expect(upload.dataset).toEqual({ id: 7, name: "chest.zip" });
    expect(server.count("create")).toBe(1);
  });

  test("parts that got lost on the server are sent again", async () => {
    const complete = server.complete.bind(server);
    vi.spyOn(server, "complete").mockImplementationOnce((id, parts) => {
      server.sessions.get(id)?.parts.delete(4);
      return complete(id, parts);
    });
    await reaches(queue.add(zip()), "done");
    expect(server.count("put s1/4")).toBe(2);
  });
});

describe("what cannot be mended", () => {
  test("fails with the server's sentence", async () => {
    server.fail("create", new ApiError(400, "quota_exceeded", "Your storage is full."));
    const upload = queue.add(zip());
    await reaches(upload, "failed");
    expect(upload.message).toBe("Your storage is full.");
    expect(upload.isActive).toBe(false);
  });

  test("a file that cannot be read is named; with the same files it goes on where it was", async () => {
    const whole = zip();
    let reads = 0;
    const source: Source = {
      ...whole,
      read: (start, end) => (++reads > 6 ? Promise.reject(new UnreadableFile("in/a.dcm")) : whole.read(start, end)),
    };
    const upload = queue.add(source);
    await reaches(upload, "needs-source");
    expect(upload.message).toMatch(/“in\/a.dcm” can no longer be read/);
    await vi.waitFor(() => expect(upload.isRunning).toBe(false));
    const sent = server.count("put");
    expect(queue.add(whole)).toBe(upload);
    await reaches(upload, "done");
    expect(server.count("put")).toBe(10);
    expect(sent).toBeGreaterThan(0);
    expect(server.count("create")).toBe(1);
  });

  test("being signed out pauses and can be resumed", async () => {
    server.fail("partUrl", new ApiError(403, "not_authenticated", "no"));
    const upload = queue.add(zip());
    await reaches(upload, "paused");
    expect(upload.message).toMatch(/signed out/);
    queue.resume(upload);
    await reaches(upload, "done");
  });

  test("one failed upload does not stop the next in the queue", async () => {
    server.fail("create", new ApiError(400, "format_unsupported", "No."), 2);
    const uploads = ["a.zip", "b.zip", "c.zip"].map((name) => queue.add(zip(name)));
    await reaches(uploads[2] as Upload, "done");
    expect(uploads.map(({ state }) => state)).toEqual(["failed", "failed", "done"]);
  });
});

test("the page is told when the server's list of datasets changes", async () => {
  const told = vi.fn();
  queue.onServerChange = told;
  await reaches(queue.add(zip()), "done");
  expect(told).toHaveBeenCalledTimes(1);
  server.fail("partUrl", new ApiError(400, "part_unknown", "No."));
  await reaches(queue.add(zip("head.zip")), "failed");
  await vi.waitFor(() => expect(told).toHaveBeenCalledTimes(3));
});

test("cancelling stops the requests and removes the session here and there", async () => {
  const release = holdPuts();
  const upload = queue.add(zip());
  await vi.waitFor(() => expect(server.parallel).toBe(4));
  await queue.cancel(upload);
  release();
  await vi.waitFor(() => expect(upload.isRunning).toBe(false));
  expect(upload.state).toBe("cancelled");
  expect(server.sessions.size).toBe(0);
  expect(queue.uploads).toEqual([]);
  expect(newQueue().uploads).toEqual([]);
});
