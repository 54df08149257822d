import { gunzipSync } from "node:zlib";
import { InputError } from "@cmodx/core";

/** A file of an archive. */
export type ArchivedFile = { readonly path: string; readonly text: string };

const BLOCK = 512;

/**
 * The files of a tar archive that is packed with gzip, in its order: POSIX ustar, and GNU's long names. Throws {@link InputError} for
 * anything else.
 */
export const readTarGz = (packed: Uint8Array, file: string): readonly ArchivedFile[] => {
  let bytes: Buffer;
  try {
    bytes = gunzipSync(packed);
  } catch {
    throw new InputError(`${file} is not packed with gzip.`, { file });
  }
  const files: ArchivedFile[] = [];
  let long: string | undefined;
  for (let at = 0; at + BLOCK <= bytes.length && bytes[at] !== 0; ) {
    const field = (from: number, length: number): string =>
      bytes.toString("utf8", at + from, at + from + length).replace(/\0.*$/s, "");
    const size = Number.parseInt(field(124, 12).trim() || "0", 8);
    const begun = at + BLOCK;
    if (!Number.isInteger(size) || field(257, 5) !== "ustar" || begun + size > bytes.length)
      throw new InputError(`${file} is no tar archive, or is cut off.`, { file, place: `byte ${at}` });
    const content = (): string => bytes.toString("utf8", begun, begun + size);
    const type = field(156, 1);
    if (type === "L") long = content().replace(/\0.*$/s, "");
    else {
      // POSIX has a prefix where GNU has other fields.
      const prefix = field(257, 8) === "ustar" ? field(345, 155) : "";
      const path = long ?? (prefix === "" ? field(0, 100) : `${prefix}/${field(0, 100)}`);
      if (type === "0" || type === "") files.push({ path, text: content() });
      long = undefined;
    }
    at = begun + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
};
