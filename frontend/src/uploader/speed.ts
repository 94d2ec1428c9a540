import { gettext, interpolate, ngettext } from "../i18n";

const WINDOW_MS = 10_000;

/** Bytes per second over the last ten seconds. */
export class SpeedMeter {
  #samples: { at: number; bytes: number }[] = [];

  /** Notes how many bytes were through in all at this moment (milliseconds of any clock). */
  note(bytes: number, at: number): void {
    this.#samples.push({ at, bytes });
    while (this.#samples.length > 2 && at - (this.#samples[0]?.at ?? at) > WINDOW_MS) this.#samples.shift();
  }

  reset(): void {
    this.#samples = [];
  }

  /** Undefined until there is something to tell. */
  get bytesPerSecond(): number | undefined {
    const first = this.#samples[0];
    const last = this.#samples[this.#samples.length - 1];
    if (!first || !last || last.at - first.at < 500 || last.bytes <= first.bytes) return undefined;
    return ((last.bytes - first.bytes) * 1000) / (last.at - first.at);
  }
}

/** "0 KB", "510.31 KB", "22.2 MB": at most two decimals, 1 KB = 1024 bytes, as the server writes them. */
export function formatSize(bytes: number): string {
  const units = ["KB", "MB", "GB", "TB"];
  let value = bytes / 1024;
  let unit = 0;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${Number(value.toFixed(2))} ${units[unit]}`;
}

/** "5 secs", "3 mins", "2 h 10 min". */
export function formatDuration(seconds: number): string {
  const whole = Math.max(1, Math.round(seconds));
  if (whole < 60) return interpolate(ngettext("%(n)s sec", "%(n)s secs", whole), { n: whole });
  const minutes = Math.round(whole / 60);
  if (minutes < 60) return interpolate(ngettext("%(n)s min", "%(n)s mins", minutes), { n: minutes });
  return interpolate(gettext("%(h)s h %(m)s min"), { h: Math.floor(minutes / 60), m: minutes % 60 });
}
