import { hexAddress, toHex } from "../base/hex.js";
import type { OpaqueCode, OpaqueInstruction } from "../contract/layout.js";
import type { World } from "../contract/world.js";
import { HOME, STACK_BOTTOM, STACK_TOP } from "../program/reserved.js";

/*
 * R50: instructions of which no more is known than that they go on behind themselves and keep the stack and the registers that a function is
 * entered with. Where the code as it was written has one it is passed, with nothing changed, as long as nothing else that is modelled
 * depends on what it may change: no branch, no address, no access beyond the stack. Otherwise, and in a torn mix, its effect is unknown.
 */

const keyOf = (at: bigint, bytes: string): string => `${at} ${bytes}`;

/** Looks through the code of a machine, once. */
export const opaqueCode = (machine: World): OpaqueCode => {
  const { layout, instructionSet } = machine;
  const found = new Map<string, OpaqueInstruction>();
  let dependent: string | undefined;
  for (const { address, bytes, mode, starts } of layout.code) {
    for (const offset of starts) {
      const insn = instructionSet.decode(bytes.slice(offset, offset + instructionSet.maxLength), mode);
      const at = address + BigInt(offset);
      if (typeof insn === "string") continue;
      const text = instructionSet.format(insn, at);
      if (insn.opaque) found.set(keyOf(at, toHex(bytes.slice(offset, offset + insn.length))), { at, text });
      else if (dependent === undefined && depends(machine, insn, at)) dependent = `${text} at ${hexAddress(at)}`;
    }
  }
  const instructions = [...found.values()].sort((a, b) => (a.at < b.at ? -1 : 1));
  return { instructions, known: new Set(found.keys()), dependent };
};

type Decoded = Exclude<ReturnType<World["instructionSet"]["decode"]>, string>;

/** Whether what an instruction is to the questions depends on more than the stack and the registers that a function is entered with. */
const depends = ({ instructionSet }: World, insn: Decoded, at: bigint): boolean => {
  const { registers } = instructionSet.enter(HOME, STACK_TOP);
  const reads = instructionSet.inputs(insn);
  if (reads.some(({ register, role }) => role !== "data" && !(register in registers))) return true;
  const outcome = instructionSet.execute(insn, at, registers);
  const accesses = outcome.do === "load" ? outcome.from : outcome.do === "retire" ? (outcome.stores ?? []) : [];
  return accesses.some(({ address }) => address < STACK_BOTTOM || address >= STACK_TOP);
};

/** Whether an opaque instruction at an address is passed; `opaque` where its effect could matter, `unsupported` where nobody wrote it. */
export const passing = (code: OpaqueCode, at: bigint, bytes: string): "passed" | "opaque" | "unsupported" => {
  if (!code.known.has(keyOf(at, bytes))) return "unsupported";
  return code.dependent === undefined ? "passed" : "opaque";
};
