import { arm64 } from "@cmodx/arm64";
import { type Architecture, type Bytes, InputError } from "@cmodx/core";
import type { LitmusTarget } from "./target.js";

/** Mnemonics whose last operand may be a label. */
const branches = /^(b|bl|b\.?(eq|ne|[hlcmpv]s|lo|[cv]c|mi|pl|hi|ge|lt|gt|le|al|nv)|cbn?z|tbn?z|adrp?)$/;

const architectures = new Map<string, Architecture>();

/** The cache type of a test: `CacheType=` with IDC, DIC or both; the instruction cache cannot be coherent without the data cache. */
const architectureOf = (info: ReadonlyMap<string, string>): Architecture => {
  const words = (info.get("CacheType") ?? "").split(/[\s,]+/).filter((word) => word !== "");
  for (const word of words)
    if (word !== "IDC" && word !== "DIC") throw new InputError(`CacheType is IDC, DIC or both, not ${word}.`);
  const fetch = words.includes("DIC") ? "idc+dic" : words.includes("IDC") ? "idc" : "none";
  let found = architectures.get(fetch);
  if (found === undefined) {
    // Every location is taken to have a cache line of its own.
    found = arm64({ fetch, cmodx: "herd", line: 4 });
    architectures.set(fetch, found);
  }
  return found;
};

const general = /^X([0-9]|[12][0-9]|30)$/;
const others: { readonly [name: string]: string } = { SP: "sp", ELR_EL1: "elr_el1", NZCV: "nzcv" };

const faults: { readonly [kind: string]: string } = { UndefinedInstruction: "ud", SupervisorCall: "svc" };

const split = (text: string): { readonly mnemonic: string; readonly operands: readonly string[] } => {
  const [mnemonic = "", ...rest] = text.trim().split(/\s+/);
  return { mnemonic: mnemonic.toLowerCase(), operands: rest.join(" ").split(/,(?![^[]*\])/) };
};

/** Litmus tests of AArch64, as herd7 reads them. */
export const aarch64: LitmusTarget = {
  name: "AArch64",
  architecture: architectureOf,
  register: (name) => (general.test(name) ? name.toLowerCase() : others[name]),
  instruction: 4,
  assemble(text, at, labels): Bytes {
    const { instructionSet } = architectureOf(new Map());
    const { mnemonic, operands } = split(text);
    const last = operands.at(-1)?.trim() ?? "";
    const target = branches.test(mnemonic) ? labels.get(last) : undefined;
    if (branches.test(mnemonic) && target === undefined && /^[A-Za-z_]/.test(last))
      throw new InputError(`No label ${last} is in this thread.`);
    const plain =
      target === undefined ? text : `${mnemonic} ${[...operands.slice(0, -1), ` 0x${target.toString(16)}`].join(",")}`;
    return instructionSet.assemble(plain, at);
  },
  addressed(text) {
    const { mnemonic, operands } = split(text);
    return mnemonic === "adr" ? [(operands.at(-1) ?? "").trim()] : [];
  },
  format(bytes) {
    const { instructionSet } = architectureOf(new Map());
    const insn = instructionSet.decode(bytes, "");
    if (typeof insn === "string")
      return `0x${[...bytes]
        .reverse()
        .map((byte) => byte.toString(16).padStart(2, "0"))
        .join("")}`;
    const text = instructionSet.format(insn, BASE);
    const { mnemonic, operands } = split(text);
    const last = operands.at(-1)?.trim() ?? "";
    const distance = branches.test(mnemonic) && last.startsWith("0x") ? BigInt(last) - BASE : undefined;
    const shown =
      distance === undefined ? operands : [...operands.slice(0, -1), ` .${distance < 0n ? "" : "+"}${distance}`];
    return `${mnemonic.toUpperCase()} ${shown.map((each) => each.trim().toUpperCase()).join(",")}`.trim();
  },
  fault: (kind) => faults[kind],
  flags: (text) => (/^dmb\s+(ish|nsh|osh)/i.test(text.trim()) ? ["Shareability-argument-for-DMB-is-deprecated"] : []),
};

const BASE = 0x1000_0000n;
