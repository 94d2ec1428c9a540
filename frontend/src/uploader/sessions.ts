/** What must be known to go on with an upload after the page was loaded anew. */
export interface SessionRecord {
  id: string;
  partSize: number;
  filename: string;
  name: string;
  size: number;
  fingerprint: string;
  fileCount?: number;
  expiresAt: string;
  /** The tab that sends it, and when it last said so: other tabs leave it alone meanwhile. */
  tab: string;
  touchedAt: number;
}

const STALE_MS = 20_000;

/**
 * The sessions of one person in this browser. Another person who signs in here does not see their file names.
 * Every change reads before it writes, because tabs share the list.
 */
export class SessionStore {
  readonly #key: string;

  constructor(
    private readonly storage: Storage,
    user: string,
    readonly tab: string,
    private readonly now: () => number = Date.now,
  ) {
    this.#key = `deepcap.uploads.${user}`;
  }

  /** Sessions that no other tab is busy with and that the server still knows. */
  unfinished(): SessionRecord[] {
    const now = this.now();
    const alive = this.#read().filter(({ expiresAt }) => !(Date.parse(expiresAt) <= now));
    return alive.filter(({ tab, touchedAt }) => tab === this.tab || now - touchedAt > STALE_MS);
  }

  save(record: Omit<SessionRecord, "tab" | "touchedAt">): void {
    const others = this.#read().filter(({ id }) => id !== record.id);
    this.#write([...others, { ...record, tab: this.tab, touchedAt: this.now() }]);
  }

  forget(id: string): void {
    this.#write(this.#read().filter((record) => record.id !== id));
  }

  /** Says that this tab is still busy with these. */
  touch(ids: ReadonlySet<string>): void {
    const now = this.now();
    this.#write(
      this.#read().map((record) => (ids.has(record.id) ? { ...record, tab: this.tab, touchedAt: now } : record)),
    );
  }

  #read(): SessionRecord[] {
    try {
      const list: unknown = JSON.parse(this.storage.getItem(this.#key) ?? "[]");
      return Array.isArray(list) ? (list as SessionRecord[]) : [];
    } catch (error) {
      if (error instanceof SyntaxError) return []; // written by something else: as good as nothing
      throw error;
    }
  }

  #write(records: SessionRecord[]): void {
    if (records.length) this.storage.setItem(this.#key, JSON.stringify(records));
    else this.storage.removeItem(this.#key);
  }
}
