import {
  type FlipSite,
  hexAddress,
  type Impossible,
  lock,
  type PatchStrategy,
  siteStep,
  storePromises,
  unlock,
} from "@cmodx/core";
import { flag, oneOf, optional, withOptions } from "@cmodx/core/schema";
import { instructionsOf } from "./decoded.js";
import { fenceIMap, fencesNowPredicate, sbiRemoteFenceIRule } from "./operations.js";
import { flushIcacheAll, patchInsnWrite, type RemoteFence } from "./text-patching.js";

/** Variants of {@link nosync}. */
export type NosyncOptions = {
  /** How the other harts are reached. Default `ipi`. */
  readonly by?: RemoteFence;
  /** `flush_icache_all` begins with the data fence (since ca358692de41). Default true. */
  readonly dataFence?: boolean;
  /** The other harts are told at all. Default true. */
  readonly flush?: boolean;
};

/** What the kernel's own check lets a jump label reach, in bytes; the instruction would reach twice as far. */
const REACH = 0x8_0000n;

const refuse = ({ address, old, next }: FlipSite): Impossible | undefined => {
  for (const code of [old, next]) {
    const [only, ...more] = instructionsOf(code) ?? [];
    const distance = only?.insn.imm ?? 0n;
    const is = only?.insn.op === "jal" && only.insn.rd === "zero" ? "jump" : "other";
    if (only === undefined || more.length > 0)
      return { impossible: `the code at ${hexAddress(address)} is not one instruction, as a jump label's is.` };
    if (is === "jump" && (distance < -REACH || distance >= REACH)) {
      return {
        impossible: `the jump at ${hexAddress(address)} goes ${distance} bytes far; a jump label's target lies -${REACH} to ${REACH - 1n} bytes away.`,
      };
    }
  }
  return undefined;
};

/** A jump label: one aligned store of a `nop` or a `jal`, and a FENCE.I on every hart when all sites are written. */
export const nosync = withOptions(
  "nosync",
  { by: optional(oneOf({ ipi: true, sbi: true })), dataFence: optional(flag), flush: optional(flag) },
  ({ by = "ipi", dataFence = true, flush = true }: NosyncOptions): PatchStrategy => ({
    id: "nosync",
    summary: "a jump label: one store of nop or jal for each site, then fence.i on all harts",
    source: "arch_jump_label_transform_queue and _apply, arch/riscv/kernel/jump_label.c, 7.3",
    architectures: ["riscv"],
    defaultSite: "nop:j .+0x11450",
    promises: storePromises,
    rules: [sbiRemoteFenceIRule],
    maps: [fenceIMap],
    predicates: [fencesNowPredicate],
    plan: ({ sites }) =>
      sites.map(refuse).find((refused) => refused !== undefined) ?? {
        main: [
          lock("lock", "text_mutex"),
          ...sites.flatMap((site, i) => patchInsnWrite(siteStep("write", i, sites.length), site.address, site.next)),
          ...(flush ? flushIcacheAll("flush", "all harts now fetch the new instruction", { by, dataFence }) : []),
          unlock("unlock", "text_mutex"),
        ],
      },
  }),
);
