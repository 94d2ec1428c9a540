/** The JSON of `/viewer/studies/{id}/scene/`, as the server sends it. Frames count from 1, pixels from 0. */
export type Id = number | string;

export interface StudyReference {
  id: Id;
  name: string;
  url: string;
  scene_url: string;
}

export interface StudyInfo extends StudyReference {
  description: string;
  modality: string;
  study_date: string | null;
  image_count: number;
  /** Place among the dataset's studies, from 1. */
  position: number;
  total: number;
  previous: StudyReference | null;
  next: StudyReference | null;
}

export interface WindowValues {
  center: number;
  width: number;
  function?: string;
  explanation?: string;
}

export type WindowRule = "window" | "window_frame" | "voi_lut" | "min_max" | "stored" | "colour" | "palette";

export interface WindowDefault {
  rule: WindowRule;
  center?: number;
  width?: number;
  function?: string;
}

export interface Rescale {
  slope: number;
  intercept: number;
  /** "HU", another unit of the modality's output, or "". */
  units: string;
}

/** `voi_lut_url` answers with these: `entries` is base64 of little-endian uint16, `entries[0]` belongs to `first`. */
export interface VoiLuts {
  luts: { first: number; bits: number; white: number; explanation: string; entries: string }[];
}

/** What differs between the frames of an image, by frame (index frame - 1). */
export interface FrameValues {
  windows?: (WindowValues | null)[];
  rescales?: [number, number][];
  positions?: (number[] | null)[];
  orientations?: (number[] | null)[];
  spacings?: ([number, number] | null)[];
}

export interface Spacing {
  /** Millimetres between the centres of neighbouring rows, and of neighbouring columns. */
  row: number;
  column: number;
  source: string;
}

export type Delivery = "frame" | "samples" | "image" | "none";

/** How decoded samples come: row by row, little endian, interleaved. */
export interface SampleLayout {
  type: "uint8" | "int8" | "uint16" | "int16" | "uint32" | "int32" | "float32";
  samples_per_pixel: number;
  photometric_interpretation: string;
}

export interface SceneImage {
  id: Id;
  path: string;
  name: string;
  format: "DICOM" | "JPEG" | "PNG";
  width: number;
  height: number;
  frames: number;
  size_bytes: number;
  bits_stored: number;
  bits_allocated: number;
  signed: boolean;
  samples_per_pixel: number;
  photometric_interpretation: string;
  planar_configuration: number;
  transfer_syntax_uid: string;
  delivery: Delivery;
  samples: SampleLayout | null;
  frame_url: string;
  file_url: string;
  rendered_url: string;
  thumbnail_url: string | null;
  tags_url: string;
  rescale: Rescale;
  invert: boolean;
  window: WindowDefault;
  windows: WindowValues[];
  per_frame: FrameValues | null;
  voi_lut_url: string | null;
  spacing: Spacing | null;
  /** Height of a pixel divided by its width, as shown. */
  aspect: number;
  frame_time_ms: number | null;
  orientation: number;
  geometry: { position: number[]; orientation: number[]; frame_of_reference_uid: string } | null;
  slice_position: number | null;
  slice_thickness: number | null;
  patient_orientation: string;
  laterality: string;
  view_position: string;
  modality: string;
  body_part: string;
  lossy: boolean;
  duplicate: boolean;
  burned_in_risk: boolean;
  sop_instance_uid: string;
  instance_number: number | null;
  undrawable: string;
  undrawable_message: string;
}

export interface SceneSeries {
  id: Id | null;
  number: number | null;
  description: string;
  modality: string;
  series_instance_uid: string;
  images: SceneImage[];
}

export interface SceneLabel {
  id: Id;
  name: string;
  color: string;
}

export interface AnnotationDataInfo {
  id: Id;
  name: string;
  annotation_type: string;
  source_kind: string;
  role: "ground_truth" | "prediction";
  labels: SceneLabel[];
  annotations_url: string;
}

export interface Scene {
  study: StudyInfo;
  dataset: { id: Id; name: string; url: string };
  series: SceneSeries[];
  annotation_data: AnnotationDataInfo[];
  selected: { image: Id | null; frame: number; annotation_data: Id[] };
}

export interface Annotation {
  label: string;
  value?: string | number | boolean;
  bbox?: [number, number, number, number];
  segmentation?: { size: [number, number]; counts: string | number[] };
  polygons?: number[][];
  score?: number;
  frame?: number;
}

export interface AnnotationsOfStudy {
  annotation_data: AnnotationDataInfo;
  images: Record<string, Annotation[]>;
}

export interface TagRow {
  tag: string;
  keyword: string;
  name: string;
  vr: string;
  value: string;
  identifying: boolean;
  children?: TagRow[][];
}
