import { arm64 } from "@cmodx/arm64";
import type { Architecture, FlipSite, PatchStrategy, Scenario, Site } from "@cmodx/core";

/* What the entries of arm64 share. */

/** Where the site of an entry lies. */
export const AT = arm64().base;

/** arm64 with the weakest fetch model, on which a fix has to hold. */
export const weakest = (): Architecture => arm64();

/** The only site of a flip. */
export const only = (sites: readonly FlipSite[]): FlipSite => {
  const [site] = sites;
  if (site === undefined) throw new Error("A flip has a site.");
  return site;
};

/** One flip of one site by one strategy, an executor on each other CPU. */
export const oneFlip = (
  name: string,
  strategy: PatchStrategy,
  site: Omit<Site, "address">,
  more: Partial<Scenario> = {},
): Scenario => ({
  name,
  sites: [{ address: AT, ...site }],
  patchers: [{ strategy, sites: [0], flips: 1 }],
  cpus: 2,
  ...more,
});

/** A jump label. */
export const label = { old: "nop", new: "b" };

/** An address in assembler text. */
export const hex = (address: bigint): string => `0x${address.toString(16)}`;

/** Eight bytes of data, little-endian. */
export const quad = (value: bigint): readonly number[] =>
  Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));
