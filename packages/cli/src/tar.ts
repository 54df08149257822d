import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { InputError } from "@cmodx/core";
import { unpackTar } from "modern-tar";
import { messageOf } from "./errors.js";

/** A file of an archive. */
export type ArchivedFile = { readonly path: string; readonly text: string };

/** The most bytes of an archive that is unpacked. */
const MOST_UNPACKED = 2 ** 28;

/**
 * The files of a tar archive that is packed with gzip whose names end like `ending`, in its order. Throws {@link InputError} for
 * anything else, and for an archive of more than 256 megabytes.
 */
export const readTarGz = async (packed: Uint8Array, file: string, ending: string): Promise<readonly ArchivedFile[]> => {
  let bytes: Buffer;
  try {
    bytes = await promisify(gunzip)(packed, { maxOutputLength: MOST_UNPACKED });
  } catch (error) {
    const { code } = error as { readonly code?: string };
    const why = code === "ERR_BUFFER_TOO_LARGE" ? `holds more than ${MOST_UNPACKED} bytes` : "is not packed with gzip";
    throw new InputError(`${file} ${why}.`, { file, cause: error, code: "unreadable" });
  }
  try {
    const entries = await unpackTar(bytes, {
      strict: true,
      filter: ({ type, name }) => type === "file" && name.endsWith(ending),
    });
    return entries.map(({ header, data }) => ({ path: header.name, text: Buffer.from(data ?? []).toString("utf8") }));
  } catch (error) {
    throw new InputError(`${file} is no tar archive, or is cut off: ${messageOf(error).replace(/\.$/, "")}.`, {
      file,
      cause: error,
      code: "unreadable",
    });
  }
};
