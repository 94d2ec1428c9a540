/**
 * Stands in for packages that are bundled for what the viewer never does: XML (VTP), JPEG XL, contours cut out of contours,
 * drawing through WebGPU.
 */
export default function absent(): never {
  throw new Error("This package is not part of the viewer.");
}
export const create = absent;
export const builder = absent;
export const convert = absent;
export const fragment = absent;
export const Clipper = absent;
export const PolyTreeD = absent;
export const ClipType = {};
export const FillRule = {};
