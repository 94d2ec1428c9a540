/** Stands in for packages that are bundled for file formats the viewer never reads: XML (VTP) and JPEG XL. */
export default function absent(): never {
  throw new Error("This package is not part of the viewer.");
}
export const create = absent;
export const builder = absent;
export const convert = absent;
export const fragment = absent;
