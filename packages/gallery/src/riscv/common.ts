import type { Architecture, PatchStrategy, Scenario, Site } from "@cmodx/core";
import { nosync, riscv } from "@cmodx/riscv";

/* What the entries of RISC-V share. */

/** Where the site of an entry lies. */
export const AT = riscv().base;

/** RISC-V that fetches aligned words whole, without which Linux patches nothing while others run it. */
export const ziccif = (): Architecture => riscv({ fetch: "ziccif" });

/** A strategy that differs from {@link nosync} in its program alone. */
export const likeNosync = (
  strategy: Pick<PatchStrategy, "id" | "summary" | "source" | "plan"> & Partial<PatchStrategy>,
): PatchStrategy => ({ ...nosync(), ...strategy });

/** A jump label. */
export const LABEL = { old: "nop", new: "j" } as const;

/** One flip of one site by one strategy, an executor on each other CPU. */
export const oneFlip = (
  name: string,
  strategy: PatchStrategy,
  site: Omit<Site, "address"> & { readonly address?: bigint },
  more: Partial<Scenario> = {},
): Scenario => ({
  name,
  sites: [{ address: AT, ...site }],
  patchers: [{ strategy, sites: [0], flips: 1 }],
  cpus: 2,
  ...more,
});
