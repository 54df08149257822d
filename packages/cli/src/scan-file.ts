import { resolve } from "node:path";
import { InputError } from "@cmodx/core";
import { findSites, hazardKinds, hazards, otherTables, siteKinds } from "@cmodx/image";
import { isInputError } from "./errors.js";
import { readBinary } from "./from-binary.js";
import type { ScannedJson } from "./json.js";
import { filtered, rowOf, type SiteFilter, sitesAndPadding } from "./site-rows.js";

/** What is asked of each file of a scan. */
export type ScanAsked = {
  /** The folder that names are relative to. */
  readonly folder: string;
  readonly filter: SiteFilter;
  /** Whether the sites are listed, and not only counted. */
  readonly listing: boolean;
};

/** One file of a scan; plain data, so that threads can be sent it. */
export type ScanTask = { readonly file: string; readonly asked: ScanAsked };

/** The answer to one file, as plain data: what is in it, or why it cannot be read. */
export type ScanAnswer =
  | { readonly scanned: ScannedJson; readonly error?: undefined }
  | { readonly scanned?: undefined; readonly error: Refusal };

type Refusal = {
  readonly message: string;
  readonly code: InputError["code"];
  readonly file: string | undefined;
  readonly place: string | undefined;
};

/** The error that an answer tells of. */
export const errorOf = ({ message, code, file, place }: Refusal): InputError =>
  new InputError(message, {
    code,
    ...(file === undefined ? {} : { file }),
    ...(place === undefined ? {} : { place }),
  });

/** Counts the sites of a file; an error that is not the file's is thrown. */
export const scanFile = async ({ file, asked }: ScanTask): Promise<ScanAnswer> => {
  try {
    return { scanned: await scanned(file, asked) };
  } catch (error) {
    if (!isInputError(error)) throw error;
    const { message, code, file: of, place } = error;
    return { error: { message, code, file: of, place } };
  }
};

const scanned = async (file: string, { folder, filter, listing }: ScanAsked): Promise<ScannedJson> => {
  const elf = await readBinary(resolve(folder, file), file);
  const { sites: all, padding } = sitesAndPadding(findSites(elf));
  const sites = filtered(all, filter);
  const tally = <K extends string>(kinds: readonly K[], found: readonly K[]): { readonly [kind: string]: number } =>
    Object.fromEntries(kinds.map((kind) => [kind, found.filter((each) => each === kind).length]));
  return {
    file,
    machine: elf.machine.name,
    sites: tally(
      siteKinds,
      sites.map(({ kind }) => kind),
    ),
    hazards: tally(
      hazardKinds,
      sites.flatMap((site) => hazards(site)),
    ),
    padding,
    others: otherTables(elf),
    ...(listing && { rows: sites.map((site) => rowOf(site, elf.machine, file)) }),
  };
};
