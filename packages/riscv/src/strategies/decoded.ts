import { type Bytes, type FlipSite, hexAddress, type Impossible } from "@cmodx/core";
import { type RiscvInstruction, riscvInstructionSet } from "../isa/index.js";

/* What strategies read off the code of their sites. */

/** The instructions of some code, each with its offset; undefined where it is none of the modelled subset. */
export const instructionsOf = (
  code: Bytes,
): readonly { readonly offset: number; readonly insn: RiscvInstruction }[] | undefined => {
  const found: { readonly offset: number; readonly insn: RiscvInstruction }[] = [];
  for (let offset = 0; offset < code.length; ) {
    const insn = riscvInstructionSet.decode(code.slice(offset), "");
    if (typeof insn === "string") return undefined;
    found.push({ offset, insn });
    offset += insn.length;
  }
  return found;
};

const PAIR_LENGTH = 8;

/** Where an AUIPC and the JALR behind it go; undefined where the code is no such pair. */
export const pairTarget = (code: Bytes, address: bigint): bigint | undefined => {
  const [auipc, jalr, ...more] = instructionsOf(code) ?? [];
  const isPair =
    auipc?.insn.op === "auipc" &&
    jalr?.insn.op === "jalr" &&
    jalr.offset === 4 &&
    more.length === 0 &&
    jalr.insn.rs1 === auipc.insn.rd;
  return isPair ? BigInt.asUintN(64, address + (auipc.insn.imm ?? 0n) + (jalr.insn.imm ?? 0n)) : undefined;
};

/** Why a site is no place for two instructions of four bytes; undefined where it is. */
export const refusePair = (site: FlipSite): Impossible | undefined => {
  if (site.next.length === PAIR_LENGTH) return undefined;
  return {
    impossible: `the site at ${hexAddress(site.address)} has ${site.next.length} bytes; an AUIPC and a JALR take ${PAIR_LENGTH}.`,
  };
};
