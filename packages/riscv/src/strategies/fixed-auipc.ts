import {
  type Bytes,
  type FlipSite,
  hexAddress,
  type Impossible,
  type Line,
  lock,
  type PatchStrategy,
  siteStep,
  storePromises,
  unlock,
} from "@cmodx/core";
import { withoutOptions } from "@cmodx/core/schema";
import { pcRelative, type RiscvInstruction } from "../isa/index.js";
import { instructionsOf, pairTarget } from "./decoded.js";
import { flushIcacheAll, patchInsnWrite } from "./text-patching.js";

const firstOf = (code: Bytes): RiscvInstruction | undefined => instructionsOf(code)?.[0]?.insn;

const SECOND = 4;

/** Where a site's call goes, in the version that has one. */
export const targetOf = ({ address, old, next }: FlipSite): bigint | undefined =>
  pairTarget(next, address) ?? pairTarget(old, address);

const JALR_REACH = { least: -0x800n, greatest: 0x7ffn };

/** Why a site cannot be switched by its second instruction alone; undefined where it can. */
export const refuseFixed = (site: FlipSite): Impossible | undefined => {
  const { address, old, next } = site;
  const [before, after] = [firstOf(old), firstOf(next)];
  const at = hexAddress(address);
  if (next.length !== 8 || before?.op !== "auipc" || after?.op !== "auipc") {
    return { impossible: `the code at ${at} does not begin with an AUIPC of a call in both versions.` };
  }
  if (before.rd !== after.rd)
    return { impossible: `the AUIPC at ${at} writes ${before.rd} and is to write ${after.rd}.` };
  if (before.imm === after.imm) return undefined;
  const fixed = BigInt.asUintN(64, address + (before.imm ?? 0n));
  const target = pairTarget(next, address) ?? pairTarget(old, address) ?? 0n;
  const low = pcRelative(target, address).low;
  return {
    impossible:
      `the AUIPC at ${at} stays as it is, at ${hexAddress(fixed)}, and its JALR goes ${JALR_REACH.least} to ${JALR_REACH.greatest} bytes around that; ` +
      `${hexAddress(target)} lies ${BigInt.asIntN(64, target - fixed)} bytes away. Its low 12 bits count as ${low}, so it needs another AUIPC.`,
  };
};

/** Writes the second instruction of a site's new code. */
export const writeSecond = (id: string, { address, next }: FlipSite, note: string): readonly Line[] =>
  patchInsnWrite(id, address + BigInt(SECOND), next.slice(SECOND), note);

/** The function tracer since 6.16: the AUIPC stays, and only `nop` and JALR are exchanged, by one aligned store. */
export const fixedAuipc = withoutOptions(
  "fixedAuipc",
  (): PatchStrategy => ({
    id: "fixed-auipc",
    summary: "ftrace since 6.16: the AUIPC was written once; one store switches nop and jalr behind it",
    source: "__ftrace_modify_call and ftrace_make_call, arch/riscv/kernel/ftrace.c, 7.3; b2137c3b6d7a, 5aa4ef955884",
    architectures: ["riscv"],
    defaultSite: "auipc t0, %pcrel_hi(.+0x1640)+nop:call t0",
    promises: storePromises,
    plan: ({ sites }) =>
      sites.map(refuseFixed).find((refused) => refused !== undefined) ?? {
        main: [
          lock("lock", "text_mutex"),
          ...sites.flatMap((site, i) =>
            writeSecond(siteStep("write-jalr", i, sites.length), site, "the AUIPC before it serves both"),
          ),
          ...flushIcacheAll("flush", "all harts now fetch the new instruction"),
          unlock("unlock", "text_mutex"),
        ],
      },
  }),
);
