import { resolve } from "node:path";
import {
  type Architecture,
  assemble,
  didYouMean,
  type FlipSite,
  InputError,
  isImpossible,
  type PatchStrategy,
  type TimedCall,
} from "@cmodx/core";
import { findSites, isPadding, type PatchSite } from "@cmodx/image";
import { siteFromText } from "./ask.js";
import { type Catalogue, create, defaultSiteOf } from "./catalogue.js";
import { readBinary } from "./from-binary.js";
import { replacementsFor, strategyFor } from "./replacements.js";

/** Sites that are changed by one call each, and the architecture that they are of. */
export type Groups = {
  readonly architecture: string;
  readonly mode: string;
  /** What Linux uses there; undefined where the sites are of no file. */
  readonly strategy?: string;
  readonly groups: readonly (readonly FlipSite[])[];
};

/** Which sites of a file. */
export type Chosen = { readonly key?: string; readonly allKeys?: boolean; readonly ftrace?: boolean };

/** Sites of code lie so far from each other where there is no file. */
const APART = 64n;

/** So many copies of a strategy's site, one after the other. */
export const copiesOf = (
  strategy: PatchStrategy,
  text: string | undefined,
  architecture: Architecture,
  count: number,
): Groups => {
  const said = text ?? defaultSiteOf(strategy, architecture);
  if (said === undefined)
    throw new InputError(`${strategy.id} has no default site; name one with --site.`, {
      place: "--site",
      code: "usage",
    });
  const site = siteFromText(said, architecture.base);
  const mode = architecture.instructionSet.modes?.[0] ?? "";
  const { base } = architecture;
  const of = (code: FlipSite["old"] | string) => assemble(code, base, mode, base, architecture);
  const [old, next] = [of(site.old), of(site.new)];
  const sites = Array.from({ length: count }, (_, i) => ({ address: base + APART * BigInt(i), old, next }));
  return { architecture: architecture.id, mode, groups: [sites] };
};

/** The sites of a kernel that are asked for, those of one key together. Throws {@link InputError} where there are none. */
export const sitesOfFile = async (
  file: string,
  chosen: Chosen,
  catalogue: Catalogue,
  folder: string,
): Promise<Groups> => {
  const elf = await readBinary(resolve(folder, file), file);
  const machine = elf.machine.name;
  const replacements = replacementsFor(machine, file);
  const made = create(catalogue.architecture(replacements.architecture), undefined);
  const all = findSites(elf).filter((site) => !isPadding(site) && site.init !== true);
  const wanted = all.filter(({ kind, key }) =>
    chosen.ftrace === true
      ? kind === "ftrace" || kind === "patchable-entry"
      : kind === "jump-label" && (chosen.key === undefined || key === chosen.key),
  );
  const [first] = wanted;
  if (first === undefined) throw nothing(file, chosen, all);
  if (!wanted.every(({ linked }) => linked))
    throw new InputError(`${file} is not linked, so its sites have no addresses yet; give a kernel.`, {
      file,
      code: "impossible",
    });
  const flips = new Map<string, FlipSite[]>();
  for (const site of wanted) {
    const { skip, old, new: next } = replacements.replace(site);
    const address = site.address + BigInt(skip);
    const of = (code: typeof old) => assemble(code, address, site.mode ?? "", address, made);
    const key = chosen.ftrace === true ? "" : (site.key ?? "");
    const group = flips.get(key) ?? [];
    group.push({ address, old: of(old), next: of(next) });
    flips.set(key, group);
  }
  const byAddress = (a: FlipSite, b: FlipSite): number => (a.address < b.address ? -1 : 1);
  return {
    architecture: replacements.architecture,
    mode: first.mode ?? "",
    strategy: strategyFor({ machine, file, site: first }).strategy,
    groups: [...flips.values()].map((sites) => sites.sort(byAddress)),
  };
};

const nothing = (file: string, { key, ftrace }: Chosen, all: readonly PatchSite[]): InputError => {
  const keys = new Set(all.flatMap((site) => (site.kind !== "jump-label" || site.key === undefined ? [] : [site.key])));
  const why =
    key !== undefined
      ? `${file} has no jump label of the key ${key}${didYouMean(key, keys)}`
      : `${file} has no ${ftrace === true ? "traced functions" : "jump labels"}.`;
  return new InputError(why, { file, place: key === undefined ? "file" : "--key", code: "unknown-name" });
};

/** The groups with the sites of each in an order that a seed chooses, as those of an unsorted list. */
export const shuffled = (given: Groups, seed: number): Groups => ({
  ...given,
  groups: given.groups.map((sites) =>
    sites
      .map((site, i) => ({ site, at: Math.imul(i + 1, 0x9e37_79b1) ^ Math.imul(seed + 1, 0x85eb_ca6b) }))
      .sort((a, b) => a.at - b.at)
      .map(({ site }) => site),
  ),
});

/** The calls of a strategy: one for each group, or for each site where the strategy patches one at a time. */
export function* callsOf(
  strategy: PatchStrategy,
  { groups, mode }: Groups,
  architecture: Architecture,
  cpus: number,
): Generator<TimedCall> {
  const context = {
    instructionSet: architecture.instructionSet,
    mode,
    cpus,
    reports: architecture.fetch.reports,
  };
  for (const sites of groups) {
    const pair = sites.slice(0, 2);
    const together = pair.length < 2 || !isImpossible(strategy.plan({ sites: pair }, context));
    if (together) yield { strategy, sites, mode };
    else for (const site of sites) yield { strategy, sites: [site], mode };
  }
}
