import { fetchJson } from "../imaging/fetching.ts";
import { decodeMask } from "../imaging/rle.ts";
import type { Annotation, AnnotationDataInfo, AnnotationsOfStudy, Id, SceneLabel } from "../scene/types.ts";

export type Kind = "detection" | "segmentation";

export interface LoadedData {
  info: AnnotationDataInfo;
  images: Record<string, Annotation[]>;
}

/** Which annotation data are shown, which of their kinds and labels have their eye open. Nothing here is drawn. */
export class OverlayModel {
  readonly shown = new Map<string, LoadedData>();
  private readonly hidden = new Set<string>();
  private readonly masks = new WeakMap<Annotation, Uint8Array>();
  captions = true;
  opacity = 0.45;

  async load(info: AnnotationDataInfo): Promise<void> {
    const { images } = await fetchJson<AnnotationsOfStudy>(info.annotations_url);
    this.shown.set(String(info.id), { info, images });
  }

  remove(id: Id): void {
    this.shown.delete(String(id));
  }

  clear(): void {
    this.shown.clear();
  }

  isShown(id: Id): boolean {
    return this.shown.has(String(id));
  }

  /** Annotations of one frame of an image, in the file's order; those without a frame belong to all frames. */
  of(data: LoadedData, image: Id, frame: number): Annotation[] {
    return (data.images[String(image)] ?? []).filter((one) => one.frame === undefined || one.frame === frame);
  }

  setEye(open: boolean, data: Id, kind: Kind, label?: string): void {
    const key = eyeOf(data, kind, label);
    if (open) this.hidden.delete(key);
    else this.hidden.add(key);
  }

  isOpen(data: Id, kind: Kind, label?: string): boolean {
    return !this.hidden.has(eyeOf(data, kind, label));
  }

  isVisible(data: Id, kind: Kind, label: string): boolean {
    return this.isOpen(data, kind) && this.isOpen(data, kind, label);
  }

  /** The mask of an annotation, decoded once; null where there is none or where it is broken. */
  maskOf(annotation: Annotation): Uint8Array | null {
    if (!annotation.segmentation) return null;
    const known = this.masks.get(annotation);
    if (known) return known;
    try {
      const mask = decodeMask(annotation.segmentation);
      this.masks.set(annotation, mask);
      return mask;
    } catch (error) {
      if (error instanceof RangeError) return null; // the rest of the picture is still worth seeing
      throw error;
    }
  }
}

export function kindOf(annotation: Annotation): Kind | "classification" {
  if (annotation.segmentation || annotation.polygons?.length) return "segmentation";
  return annotation.bbox ? "detection" : "classification";
}

export function labelOf(data: LoadedData, name: string): SceneLabel {
  return data.info.labels.find((label) => label.name === name) ?? { id: name, name, color: "#26c6da" };
}

function eyeOf(data: Id, kind: Kind, label?: string): string {
  return JSON.stringify([String(data), kind, label ?? null]);
}
