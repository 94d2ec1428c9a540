import { gettext, interpolate } from "@console/i18n.ts";
import type { LoadedImage } from "../imaging/image.ts";

/** What Cornerstone counted under a shape, in samples and in millimetres (or pixels, where no spacing is known). */
export interface ShapeStatistics {
  length?: number;
  angle?: number;
  area?: number;
  mean?: number;
  stdDev?: number;
  min?: number;
  max?: number;
}

/** Lines beside a shape: lengths in mm where the file states a spacing, values in the modality's units. */
export function describeShape(stats: ShapeStatistics | undefined, image: LoadedImage | null): string[] {
  if (!stats || !image) return [];
  const { slot, slope, intercept, units, pixels } = image.deepcap;
  const known = slot.image.spacing !== null;
  const lines: string[] = [];
  if (stats.angle !== undefined) lines.push(`${format(stats.angle)}°`);
  if (stats.length !== undefined) lines.push(`${format(stats.length)} ${known ? "mm" : "px"}`);
  if (stats.area !== undefined) {
    lines.push(interpolate(gettext("Area %(area)s"), { area: `${format(stats.area)} ${known ? "mm²" : "px²"}` }));
  }
  if (stats.mean !== undefined && stats.stdDev !== undefined && pixels.components === 1) {
    const value = (sample: number) => format(slope * sample + intercept);
    const unit = units ? ` ${units}` : "";
    lines.push(
      interpolate(gettext("Mean %(mean)s ± %(deviation)s"), {
        mean: value(stats.mean),
        deviation: `${format(Math.abs(slope) * stats.stdDev)}${unit}`,
      }),
    );
    if (stats.min !== undefined && stats.max !== undefined) {
      const ends = [stats.min, stats.max].map((sample) => slope * sample + intercept).sort((a, b) => a - b);
      lines.push(
        interpolate(gettext("Min %(min)s, max %(max)s"), {
          min: format(ends[0] as number),
          max: `${format(ends[1] as number)}${unit}`,
        }),
      );
    }
  }
  return lines;
}

/** At most one decimal below 1,000, none above: more would claim a precision nobody measured. */
export function format(value: number): string {
  return Math.abs(value) >= 1000 ? value.toFixed(0) : value.toFixed(1).replace(/\.0$/, "");
}
