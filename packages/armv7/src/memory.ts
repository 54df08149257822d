import {
  GRANTED,
  type Instruction,
  type MemoryOrder,
  MONITOR,
  type WindowModel,
  type WindowStep,
  window,
} from "@cmodx/core";
import { alternatives, conditional } from "./alternatives.js";
import { inputs } from "./isa/dataflow.js";
import { type Armv7Instruction, type Mode, outputs } from "./isa/index.js";

const memory = ["read", "write"] as const;
const caches = ["clean", "invalidate"] as const;
const everything = [...memory, ...caches, "synchronise", "request"] as const;

/** Shareability domains are not told apart: all CPUs are in one. */
const domains = ["", "ish", "nsh", "osh"];

const named = (name: string, suffix: "" | "st", step: WindowStep): readonly [string, WindowStep][] =>
  domains.map((domain) => [`${name} ${domain + suffix === "" ? "sy" : domain + suffix}`, step]);

/**
 * DMB orders loads, stores and cleans by address, which it takes for stores; DSB completes these and all cache maintenance before
 * anything behind it, DSB ST the stores and the maintenance (DDI 0406C, A3.8.3 and B2.2.9).
 */
const barriers: { readonly [step: string]: WindowStep } = Object.fromEntries([
  ...named("dmb", "", { is: "barrier", orders: [{ from: [...memory, "clean"], to: [...memory, "clean", "request"] }] }),
  ...named("dmb", "st", { is: "barrier", orders: [{ from: ["write", "clean"], to: ["write", "clean"] }] }),
  ...named("dsb", "", { is: "barrier", orders: [{ from: [...memory, ...caches], to: everything }], completes: true }),
  ...named("dsb", "st", { is: "barrier", orders: [{ from: ["write", ...caches], to: everything }], completes: true }),
]);

/** What the kernel's `mb`, `smp_wmb` and `smp_rmb` are (arch/arm/include/asm/barrier.h, 7.3). */
const kernelBarriers: { readonly [word: string]: string } = { mb: "dsb sy", wmb: "dmb ishst", rmb: "dmb ish" };

const steps: WindowModel["steps"] = {
  ...barriers,
  ...Object.fromEntries(Object.entries(kernelBarriers).map(([word, step]) => [word, barriers[step] as WindowStep])),
  isb: { is: "synchronise" },
  "context-synchronisation": { is: "synchronise" },
  dccmvau: { is: "clean" },
  dccmvac: { is: "clean" },
  dccimvac: { is: "clean" },
  icimvau: { is: "invalidate" },
  icialluis: { is: "invalidate" },
};

const own = (insn: Instruction): Armv7Instruction => insn as Armv7Instruction;

const exclusive = ({ op }: Armv7Instruction): "load" | "store" | undefined =>
  op === "ldrex" ? "load" : op === "strex" ? "store" : undefined;

/**
 * The memory order of ARMv7, on the machine of the fetch-ahead window. Unlike AArch64 it has neither load-acquire nor store-release,
 * DSB ST completes cache maintenance too, and what may be modified while it is executed is judged by the list of the instruction set
 * state when it is fetched. An instruction with a condition waits for its flags. `state` is that of code that names no mode.
 */
export const armv7Memory = (state: Mode): MemoryOrder =>
  window({
    id: "armv7",
    source: "Arm ARM DDI 0406C, A3.8 and B2.2.9",
    steps,
    tags: {},
    afterBranches: ["write", ...caches, "synchronise"],
    afterAddresses: ["write", "synchronise"],
    outputs: (insn) => outputs(own(insn)),
    selected: (insn) => inputs(own(insn)),
    alternatives: (insn) => alternatives(own(insn)),
    exclusive: (insn) => exclusive(own(insn)),
    conditional: (insn) => (exclusive(own(insn)) === "store" ? { [MONITOR]: GRANTED } : conditional(own(insn))),
    pointer: (address, mode) => ((mode || state) === "t32" ? address | 1n : address),
    ahead: { instructions: 64, same: 3 },
  });
