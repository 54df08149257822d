import { type Bytes, InputError, own } from "@cmodx/core";
import { fetchModels, integerRegisters, registersByName, riscv as riscvFor, riscvInstructionSet } from "@cmodx/riscv";
import { lastOf, littleEndian, numberText, split, withAddress, withDistance } from "./operands.js";
import type { LitmusTarget } from "./target.js";

/** Mnemonics whose last operand may be a label. */
const takesLabel = /^((c\.)?(jal|j|b(eq|ne)z?)|b(lt|ge)u?|call|tail|la)$/;

const known = fetchModels.map(({ id }) => id);

const registerNames = new RegExp(`\\b(${integerRegisters.join("|")})\\b`, "g");

const numbered = (name: string): string => `x${integerRegisters.indexOf(name as (typeof integerRegisters)[number])}`;

/** The exceptions by their names in the manual's table of causes (RISC-V privileged ISA, "Machine Cause Register"). */
const faults: { readonly [kind: string]: string } = {
  IllegalInstruction: "ud",
  Breakpoint: "ebreak",
  EnvironmentCall: "ecall",
  PageFault: "pf",
};

const assemble = (text: string, at: bigint): Bytes => {
  const { mnemonic, operands } = split(text);
  // Litmus files have both orderings of an atomic operation as `.aq.rl`, assemblers as `.aqrl`.
  if (mnemonic !== "la") return riscvInstructionSet.assemble(text.replace(/\.aq\.rl\b/i, ".aqrl"), at);
  const [register, target] = operands.map((each) => each.trim());
  return [
    ...riscvInstructionSet.assemble(`auipc ${register}, %pcrel_hi(${target})`, at),
    ...riscvInstructionSet.assemble(`addi ${register}, ${register}, %pcrel_lo(${target})`, at + 4n),
  ];
};

/** Litmus tests of RISC-V, as herd7 reads them, with instructions of two bytes besides. */
export const riscv: LitmusTarget = {
  name: "RISCV",
  fetchKey: "Fetch",
  fetchOf(line = "zifencei") {
    if (known.includes(line)) return line;
    throw new InputError(`Fetch is ${known.join(", ")}, not ${line}.`, { code: "unknown-name" });
  },
  fetchModels: known,
  architecture: (fetch) => riscvFor({ fetch }),
  register(name) {
    const is = registersByName.get(name.toLowerCase());
    return is === undefined ? undefined : { shown: numbered(is), is };
  },
  assemble: (text, at, label) => assemble(withAddress(text, takesLabel, label), at),
  filler: "c.nop",
  addressed(text) {
    const parts = split(text);
    return parts.mnemonic === "la" ? [lastOf(parts)] : [];
  },
  // A load of a halfword or a word extends the sign.
  value: (bytes) => BigInt.asUintN(64, BigInt.asIntN(8 * bytes.length, littleEndian(bytes))),
  format(bytes) {
    const insn = riscvInstructionSet.decode(bytes, "");
    if (typeof insn === "string") return numberText(bytes);
    const { mnemonic, operands } = withDistance(riscvInstructionSet.format(insn, BASE), takesLabel, BASE);
    const named = operands.map((each) => each.trim().replace(registerNames, numbered));
    return `${mnemonic} ${named.join(",")}`.trim();
  },
  fault: (kind) => own(faults, kind),
  flags: () => [],
  flagsOf: () => [],
};

const BASE = 0x1000_0000n;
