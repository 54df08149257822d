import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { InputError } from "@cmodx/core";
import type { LitmusFile } from "@cmodx/litmus";
import { filesBelow, MOST_BINARY, readText, readWhole } from "./files.js";
import { readTarGz } from "./tar.js";

/** A litmus file, and whether the user named it or it was found. */
export type FoundLitmusFile = LitmusFile & { readonly walked: boolean };

const ARCHIVE = /\.(tar\.gz|tgz)$/;

/** Reads litmus files, and all those in directories and packed archives. Throws {@link InputError} when there are none. */
export const readLitmusFiles = async (
  names: readonly string[],
  folder: string,
): Promise<readonly FoundLitmusFile[]> => {
  const found: FoundLitmusFile[] = [];
  for (const name of names) {
    const path = resolve(folder, name);
    const there = await stat(path).catch(() => undefined);
    if (there === undefined)
      throw new InputError(`${name} is not there; expected a litmus file, a directory or a .tar.gz.`, {
        file: name,
        code: "unreadable",
      });
    if (there.isDirectory()) for (const each of await walk(path, name)) found.push(each);
    else if (ARCHIVE.test(name)) {
      const packed = await readWhole(path, name, "an archive", MOST_BINARY);
      const inside = (await readTarGz(packed, name, ".litmus")).map(({ path: within, text }) => ({
        file: join(name, within),
        text,
        walked: true,
      }));
      if (inside.length === 0)
        throw new InputError(`${name} holds no .litmus file.`, { file: name, code: "unreadable" });
      for (const each of inside) found.push(each);
    } else found.push({ file: name, text: await readText(path, name, "a litmus file"), walked: false });
  }
  return found;
};

/** Litmus files in a directory and below, by name; links are not followed. */
const walk = async (folder: string, name: string): Promise<readonly FoundLitmusFile[]> => {
  const files = await filesBelow(folder, name, (each) => each.endsWith(".litmus"));
  if (files.length === 0) throw new InputError(`${name} holds no .litmus file.`, { file: name, code: "unreadable" });
  const read: FoundLitmusFile[] = [];
  // One after the other: there may be more than can be open at once.
  for (const path of files) {
    const file = join(name, path);
    read.push({ file, text: await readText(join(folder, path), file, "a litmus file"), walked: true });
  }
  return read;
};
