import {
  GRANTED,
  type Instruction,
  type MemoryOrder,
  MONITOR,
  type WindowModel,
  type WindowStep,
  window,
} from "@cmodx/core";
import { alternatives } from "./alternatives.js";
import { type CmodxList, isInList } from "./cmodx.js";
import { type Arm64Instruction, outputs, selectedInputs } from "./isa/index.js";
import { accessing } from "./isa/memory-operations.js";

const memory = ["read", "write"] as const;
const caches = ["clean", "invalidate"] as const;
const everything = [...memory, ...caches, "synchronise"] as const;

/** Shareability domains are not told apart: all CPUs are in one. */
const domains = ["", "ish", "nsh", "osh"];

const named = (name: string, suffix: "" | "ld" | "st", step: WindowStep): readonly [string, WindowStep][] =>
  domains.map((domain) => [`${name} ${domain + suffix === "" ? "sy" : domain + suffix}`, step]);

/**
 * DSB: all accesses before it of the kinds it names are complete before anything behind it but a fetch. DMB orders loads, stores and
 * cleans, never an invalidation (Arm ARM, B2.3.12, B2.7.5).
 */
const barriers: readonly (readonly [string, WindowStep])[] = [
  ...named("dsb", "", { is: "barrier", orders: [{ from: [...memory, ...caches], to: everything }], completes: true }),
  ...named("dsb", "ld", { is: "barrier", orders: [{ from: ["read"], to: everything }] }),
  ...named("dsb", "st", { is: "barrier", orders: [{ from: ["write"], to: everything }] }),
  ...named("dmb", "", {
    is: "barrier",
    orders: [{ from: [...memory, "clean"], to: [...memory, "clean"] }],
  }),
  ...named("dmb", "ld", { is: "barrier", orders: [{ from: ["read"], to: memory }] }),
  ...named("dmb", "st", { is: "barrier", orders: [{ from: ["write"], to: ["write"] }] }),
];

/** What the kernel's `mb`, `smp_wmb` and `smp_rmb` are (arch/arm64/include/asm/barrier.h, 7.3). */
const kernelBarriers: { readonly [word: string]: string } = { mb: "dsb sy", wmb: "dmb ishst", rmb: "dmb ishld" };

const ofInstructions = Object.fromEntries(barriers);

const steps: WindowModel["steps"] = {
  ...ofInstructions,
  ...Object.fromEntries(
    Object.entries(kernelBarriers).map(([word, step]) => [word, ofInstructions[step] as WindowStep]),
  ),
  "context-synchronisation": { is: "synchronise" },
  isb: { is: "synchronise" },
  eret: { is: "synchronise" },
  "dc cvau": { is: "clean" },
  "ic ivau": { is: "invalidate" },
  "ic iallu": { is: "invalidate" },
  "ic ialluis": { is: "invalidate" },
};

const own = (insn: Instruction): Arm64Instruction => insn as Arm64Instruction;

const exclusive = ({ op }: Arm64Instruction): "load" | "store" | undefined => {
  const kind = accessing(op)?.kind;
  return kind === "reserve" ? "load" : kind === "exclusive" ? "store" : undefined;
};

/** The architectural memory order of Arm with a list of instructions that may be modified while they are executed. */
export const armMemory = (list: CmodxList): MemoryOrder =>
  window({
    id: "arm",
    source: "Arm ARM DDI 0487, B2.3 and B2.7.4; O. Hoff Simner et al., ARMv8-A system semantics, ESOP 2020",
    steps,
    tags: { acquire: "acquire", "acquire-pc": "acquire-pc", release: "release" },
    atomics: "load-and-store",
    afterBranches: ["write", ...caches, "synchronise"],
    afterAddresses: ["write", "synchronise"],
    outputs: (insn) => outputs(own(insn)),
    selected: (insn, registers) => selectedInputs(own(insn), registers),
    alternatives: (insn) => alternatives(own(insn)),
    exclusive: (insn) => exclusive(own(insn)),
    conditional: (insn) => (exclusive(own(insn)) === "store" ? { [MONITOR]: GRANTED } : undefined),
    races: {
      allowed: (value) => isInList(value, list),
      why: `it was modified while it was executed, and one of both values is not in the CMODX list (${list.id})`,
    },
    ahead: { instructions: 64, same: 3 },
  });
