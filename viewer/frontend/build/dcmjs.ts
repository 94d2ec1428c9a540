/**
 * Stands in for dcmjs: 700 kB of a dictionary and of readers that the viewer never asks, because headers are read by the
 * server. What the libraries take from it while they load is here; its logger says warnings and errors, nothing else.
 */
import keywords from "virtual:dicom-keywords";
import absent from "./stub.ts";

const silent = (): void => undefined;

interface Logger {
  getLogger: (name: string) => Logger;
  getLevel: () => number;
  [method: string]: unknown;
}

/** Named loggers are one: whoever speaks says its name in its sentence. */
export const log: Logger = {
  getLogger: () => ({ ...log }),
  getLevel: () => 3, // warnings, as loglevel counts
  setLevel: silent,
  trace: silent,
  debug: silent,
  info: silent,
  log: silent,
  warn: (...said: unknown[]) => console.warn(...said),
  error: (...said: unknown[]) => console.error(...said),
};

export const constants = {
  IMPLICIT_LITTLE_ENDIAN: "1.2.840.10008.1.2",
  EXPLICIT_LITTLE_ENDIAN: "1.2.840.10008.1.2.1",
  DEFLATED_EXPLICIT_LITTLE_ENDIAN: "1.2.840.10008.1.2.1.99",
  EXPLICIT_BIG_ENDIAN: "1.2.840.10008.1.2.2",
};

const named = Object.entries(keywords).map(([name, entry]) => ({ name, ...entry }));

export default {
  log,
  async: { AsyncDicomReader: absent },
  data: {
    DicomMetaDictionary: {
      nameMap: Object.fromEntries(named.map((entry) => [entry.name, entry])),
      dictionary: Object.fromEntries(named.map((entry) => [entry.tag, entry])),
    },
  },
  utilities: { DicomMetadataListener: class {} },
};
