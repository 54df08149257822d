import { type FileHandle, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "@cmodx/core";

/** The most bytes of a file of text: a litmus test, a saved counterexample, expectations. */
const MOST_TEXT = 2 ** 26;
/** The most bytes of a binary or an archive. */
export const MOST_BINARY = 2 ** 31 - 1;

const CHUNK = 2 ** 20;

/**
 * Reads a file, or what a pipe gives. Throws {@link InputError} where it cannot be read, or is longer than `most` bytes.
 *
 * `name`: what messages call it; `expected`: what it should be, as in `an ELF file`.
 */
export const readWhole = async (path: string, name: string, expected: string, most: number): Promise<Buffer> => {
  const fail = (what: string, cause?: unknown): InputError =>
    new InputError(`${name} ${what}; expected ${expected}.`, { file: name, cause, code: "unreadable" });
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    const { size } = await file.stat();
    if (size > most) throw fail(`has ${size} bytes, more than ${most}`);
    const chunks: Buffer[] = [];
    let length = 0;
    for (;;) {
      // A device or a pipe does not say how much there is; of a file one more byte says that this is its end.
      const chunk = Buffer.allocUnsafe(size >= length ? Math.min(size - length + 1, most) : CHUNK);
      const { bytesRead } = await file.read(chunk, 0, chunk.length);
      if (bytesRead === 0) return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, length);
      length += bytesRead;
      if (length > most) throw fail(`has more than ${most} bytes`);
      chunks.push(chunk.subarray(0, bytesRead));
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    const { code } = error as { readonly code?: string };
    const what = code === "ENOENT" ? "is not there" : code === "EISDIR" ? "is a directory" : `cannot be read (${code})`;
    throw fail(what, error);
  } finally {
    await file?.close();
  }
};

/** Reads a file of text; throws as {@link readWhole} does. */
export const readText = async (path: string, name: string, expected: string): Promise<string> =>
  (await readWhole(path, name, expected, MOST_TEXT)).toString("utf8");

/**
 * The paths of files in a folder and below whose names are wanted, as seen from it, in order; links are not followed. What goes away
 * while it is looked at is left out. Throws {@link InputError} for a folder that cannot be read.
 */
export const filesBelow = async (
  folder: string,
  name: string,
  wanted: (name: string) => boolean,
): Promise<readonly string[]> => {
  const found: string[] = [];
  const open = [""];
  for (let below = open.pop(); below !== undefined; below = open.pop()) {
    const within = below;
    const entries = await readdir(join(folder, within), { withFileTypes: true }).catch((error) => {
      const { code } = error as { readonly code?: string };
      if (code === "ENOENT" && within !== "") return [];
      throw new InputError(`${join(name, within)} cannot be read (${code}).`, {
        file: name,
        code: "unreadable",
        cause: error,
      });
    });
    for (const each of entries) {
      if (each.isDirectory()) open.push(join(within, each.name));
      else if (each.isFile() && wanted(each.name)) found.push(join(within, each.name));
    }
  }
  return found.sort();
};
