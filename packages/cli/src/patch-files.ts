import { resolve } from "node:path";
import { InputError } from "@cmodx/core";
import type { Io } from "./io.js";
import type { PatchJson } from "./json.js";
import { patchPage, patchPicture } from "./patch-plots.js";
import { patchCsv } from "./patch-text.js";
import { assertWritable, writeWhole } from "./save.js";

/** The files that `cmodx patch` writes. */
export type PatchFiles = { readonly svg?: string; readonly html?: string; readonly csv?: string };

const FORMS = { svg: patchPicture, html: patchPage, csv: patchCsv } as const;

const targets = (asked: PatchFiles): readonly (readonly [keyof PatchFiles, string])[] =>
  (Object.keys(FORMS) as readonly (keyof PatchFiles)[]).flatMap((form) => {
    const file = asked[form];
    return file === undefined ? [] : [[form, file] as const];
  });

/** Refuses files that cannot be written, that are the same, or that are read, and plots of no sweep, before anything is computed. */
export const assertPatchFiles = async (
  asked: PatchFiles & { readonly sweep?: unknown },
  read: readonly (string | undefined)[],
  folder: string,
): Promise<void> => {
  const taken = new Map<string, string>(
    read.flatMap((file) => (file === undefined ? [] : [[resolve(folder, file), "what is read"] as const])),
  );
  for (const [form, file] of targets(asked)) {
    const place = `--${form}`;
    if (form !== "csv" && asked.sweep === undefined)
      throw new InputError(`${place} plots a sweep; say --sweep cpus=N,N,… or --sweep sites=N,N,… too.`, {
        place,
        code: "usage",
      });
    const other = taken.get(resolve(folder, file));
    if (other !== undefined)
      throw new InputError(`${place} and ${other} name the same file ${file}.`, { file, place, code: "conflict" });
    taken.set(resolve(folder, file), place);
    await assertWritable(file, folder, place);
  }
};

/** Writes the files, each whole or not at all. Throws {@link InputError}. */
export const writePatchFiles = async (asked: PatchFiles, document: PatchJson, io: Io): Promise<void> => {
  for (const [form, file] of targets(asked)) await writeWhole(file, io, FORMS[form](document), `--${form}`);
};
