import { existsSync } from "node:fs";
import { stat } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { type Architecture, InputError } from "@cmodx/core";
import { type Elf, findSites, isPadding, lineOffsets, type PatchSite, readImage, selectSite } from "@cmodx/image";
import { MOST_BINARY, readWhole } from "./files.js";
import { replacementsFor } from "./replacements.js";
import type { SiteRequest } from "./request.js";

/** What a kernel or a module may be, for messages. */
const EXPECTED = "an ELF file or a kernel";

/** Reads a kernel or a module, packed or not. `name` is what messages call it. */
export const readBinary = async (path: string, name: string): Promise<Elf> => {
  const there = await stat(path).catch(() => undefined);
  if (there?.isCharacterDevice())
    throw new InputError(`${name} is a device; expected ${EXPECTED}.`, { file: name, code: "unreadable" });
  return readImage(await readWhole(path, name, EXPECTED, MOST_BINARY), { name });
};

/** A site of a binary, and the architecture that the file is for. */
export type BinarySite = {
  readonly architecture: string;
  readonly machine: string;
  readonly file: string;
  readonly site: PatchSite;
};

/** All sites of a binary, call padding among them. Throws {@link InputError} where a selector stands behind the file. */
export const sitesFromBinary = async (
  from: string,
  folder: string,
): Promise<Omit<BinarySite, "site"> & { readonly sites: readonly PatchSite[] }> => {
  const { file, selector } = split(from, folder);
  if (selector !== undefined)
    throw new InputError(`--all is about every site of ${file}; leave out ${selector}.`, {
      place: "--all",
      code: "conflict",
    });
  const elf = await readBinary(resolve(folder, file), file);
  const { architecture } = replacementsFor(elf.machine.name, file);
  return { architecture, machine: elf.machine.name, file, sites: findSites(elf) };
};

/** Finds the site that `FILE[:SYMBOL|#N]` names; without a selector the first one of the file that is no call padding. */
export const siteFromBinary = async (from: string, folder: string): Promise<BinarySite> => {
  const { file, selector } = split(from, folder);
  const elf = await readBinary(resolve(folder, file), file);
  const { architecture } = replacementsFor(elf.machine.name, file);
  const sites = findSites(elf);
  const first = sites.find((site) => !isPadding(site));
  const chosen = selector ?? (first === undefined ? "#1" : `#${first.number}`);
  return { architecture, machine: elf.machine.name, file, site: selectSite(sites, chosen, { name: file }) };
};

/** A name may hold colons of its own, so a file of the whole name comes first. */
const split = (from: string, folder: string): { readonly file: string; readonly selector?: string } => {
  const whole = { file: from };
  if (existsSync(resolve(folder, from))) return whole;
  // The selector stands behind the folders, and the first character is the file's in any case.
  const begun = Math.max(1, from.lastIndexOf("/") + 1, from.lastIndexOf("\\") + 1);
  const colon = from.indexOf(":", begun);
  if (colon >= 0) return { file: from.slice(0, colon), selector: from.slice(colon + 1) };
  const hash = from.lastIndexOf("#");
  return hash >= begun && /^\d+$/.test(from.slice(hash + 1))
    ? { file: from.slice(0, hash), selector: from.slice(hash) }
    : whole;
};

/**
 * The requests for a site of a binary: one where its place in a line is certain, else one for each place that it can have.
 * In a relocatable file these lie in the architecture's default line.
 */
export const siteRequests = (
  { file, machine, site }: BinarySite,
  architecture: Architecture,
): readonly SiteRequest[] => {
  const { skip, old, new: next } = replacementsFor(machine, file).replace(site);
  const origin = `${basename(file)}:${site.symbol ?? `#${site.number}`}`;
  const mode = site.mode === undefined ? {} : { mode: site.mode };
  const at = (address: bigint): SiteRequest => ({
    address: `0x${address.toString(16)}`,
    old,
    new: next,
    ...mode,
    origin,
  });
  if (site.linked) return [at(site.address + BigInt(skip))];
  return lineOffsets(site).map((offset) => at(architecture.base + BigInt(offset + skip)));
};
