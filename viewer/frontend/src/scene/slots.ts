import type { Id, Rescale, Scene, SceneImage, SceneSeries, Spacing, WindowDefault, WindowValues } from "./types.ts";

/** One place of a stack: a frame of an image. */
export interface Slot {
  /** What Cornerstone calls the image: unique among studies. */
  key: string;
  image: SceneImage;
  /** From 1. */
  frame: number;
}

export const SCHEME = "deepcap";

export function slotKey(image: Id, frame: number): string {
  return `${SCHEME}:${image}/${frame}`;
}

/** The frames of a series' images, in display order. */
export function slotsOf(series: SceneSeries): Slot[] {
  return series.images.flatMap((image) =>
    Array.from({ length: Math.max(1, image.frames) }, (_, index) => ({
      key: slotKey(image.id, index + 1),
      image,
      frame: index + 1,
    })),
  );
}

/** Index of the slot that shows a frame of an image, of its first frame otherwise; -1 where the image is not here. */
export function indexOf(slots: readonly Slot[], image: Id | null, frame = 1): number {
  const first = slots.findIndex((slot) => String(slot.image.id) === String(image));
  if (first < 0) return -1;
  const offset = Math.min(Math.max(frame, 1), Math.max(1, slots[first]?.image.frames ?? 1)) - 1;
  return first + offset;
}

/** Index of the series that holds an image; 0 where none does. */
export function seriesOf(scene: Scene, image: Id | null): number {
  const found = scene.series.findIndex((series) => series.images.some((one) => String(one.id) === String(image)));
  return Math.max(0, found);
}

export interface SlotValues {
  rescale: Rescale;
  window: WindowDefault;
  spacing: Spacing | null;
  position: number[] | null;
  orientation: number[] | null;
}

/** What holds for a slot: the frame's own values over the image's. */
export function valuesOf({ image, frame }: Slot): SlotValues {
  const own = image.per_frame;
  const at = frame - 1;
  const rescale = own?.rescales?.[at];
  const spacing = own?.spacings?.[at];
  return {
    rescale: rescale ? { ...image.rescale, slope: rescale[0], intercept: rescale[1] } : image.rescale,
    window: windowOf(image, own?.windows, at),
    spacing: spacing
      ? { row: spacing[0], column: spacing[1], source: image.spacing?.source ?? "PixelSpacing" }
      : image.spacing,
    position: own?.positions?.[at] ?? image.geometry?.position ?? null,
    orientation: own?.orientations?.[at] ?? image.geometry?.orientation ?? null,
  };
}

/** A frame without a window of its own is shown through the file's VOI LUT, else from its lowest to its highest value. */
function windowOf(image: SceneImage, windows: (WindowValues | null)[] | undefined, at: number): WindowDefault {
  if (!windows || !isGrey(image)) return image.window;
  const window = windows[at];
  if (!window) return { rule: image.voi_lut_url ? "voi_lut" : "min_max" };
  return { rule: "window_frame", center: window.center, width: window.width, function: window.function ?? "LINEAR" };
}

export function isGrey(image: SceneImage): boolean {
  const { rule } = image.window;
  return rule !== "colour" && rule !== "palette";
}
