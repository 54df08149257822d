import { arm64 } from "@cmodx/arm64";
import { type Architecture, InputError, own, windowOfCpu } from "@cmodx/core";
import { lastOf, littleEndian, numberText, split, withAddress, withDistance } from "./operands.js";
import type { LitmusTarget } from "./target.js";

/** Mnemonics whose last operand may be a label. */
const branches = /^(b|bl|b\.?(eq|ne|[hlcmpv]s|lo|[cv]c|mi|pl|hi|ge|lt|gt|le|al|nv)|cbn?z|tbn?z|adrp?)$/;

const architectures = new Map<string, Architecture>();

/** The cache type of a test: `CacheType=` with IDC, DIC or both; the instruction cache cannot be coherent without the data cache. */
const fetchOf = (cacheType = ""): string => {
  const words = cacheType.split(/[\s,]+/).filter((word) => word !== "");
  for (const word of words)
    if (word !== "IDC" && word !== "DIC")
      throw new InputError(`CacheType is IDC, DIC or both, not ${word}.`, { code: "unknown-name" });
  return words.includes("DIC") ? "idc+dic" : words.includes("IDC") ? "idc" : "none";
};

const architectureOf = (fetch: string): Architecture => {
  let found = architectures.get(fetch);
  if (found === undefined) {
    // Every location is taken to have a cache line of its own.
    found = arm64({ fetch, cmodx: "herd", line: 4 });
    architectures.set(fetch, found);
  }
  return found;
};

const general = /^[XW]([0-9]|[12][0-9]|30)$/;
const others: { readonly [name: string]: string } = { SP: "sp", ELR_EL1: "elr_el1", NZCV: "nzcv" };

const faults: { readonly [kind: string]: string } = { UndefinedInstruction: "ud", SupervisorCall: "svc" };

/** Litmus tests of AArch64, as herd7 reads them. */
export const aarch64: LitmusTarget = {
  name: "AArch64",
  fetchKey: "CacheType",
  fetchOf,
  fetchModels: ["none", "idc", "idc+dic"],
  architecture: architectureOf,
  register(name) {
    const upper = name.toUpperCase();
    const [, number] = general.exec(upper) ?? [];
    if (number !== undefined) return { shown: `X${number}`, is: `x${number}` };
    const is = own(others, upper);
    // Nothing is ever in the zero register.
    if (upper === "XZR" || upper === "WZR") return { shown: "XZR", is: "zr" };
    return is === undefined ? undefined : { shown: upper, is };
  },
  assemble: (text, at, label) => architectureOf("none").instructionSet.assemble(withAddress(text, branches, label), at),
  filler: "nop",
  addressed(text) {
    const parts = split(text);
    return parts.mnemonic === "adr" ? [lastOf(parts)] : [];
  },
  value: littleEndian,
  format(bytes) {
    const { instructionSet } = architectureOf("none");
    const insn = instructionSet.decode(bytes, "");
    if (typeof insn === "string") return numberText(bytes);
    const { mnemonic, operands } = withDistance(instructionSet.format(insn, BASE), branches, BASE);
    const decimal = (each: string): string =>
      each.replace(/#(-?)(0x[0-9a-f]+)/g, (_, sign, number) => `#${sign}${BigInt(number)}`);
    return `${mnemonic} ${operands.map((each) => decimal(each.trim())).join(",")}`.trim().toUpperCase();
  },
  fault: (kind) => own(faults, kind),
  flags: (text) => (/^dmb\s+(ish|nsh|osh)/i.test(text.trim()) ? ["Shareability-argument-for-DMB-is-deprecated"] : []),
  flagsOf({ cpus, memory }, { layout }) {
    const modified = Object.entries(memory.cells).filter(
      ([key, { latest }]) => layout.cells.get(BigInt(`0x${key}`)) !== latest,
    );
    return [
      ...(cpus.some((cpu) => windowOfCpu(cpu).raced === true) ? ["violates-CMODX-requirements"] : []),
      ...(modified.length > 1 ? ["Assuming-no-two-modified-instructions-are-on-the-same-cache-line"] : []),
    ];
  },
};

const BASE = 0x1000_0000n;
