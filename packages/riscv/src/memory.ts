import {
  type AccessKind,
  type BarrierOrder,
  type FetchModel,
  GRANTED,
  type Instruction,
  type MemoryOrder,
  MONITOR,
  type WaitingKind,
  type WindowModel,
  type WindowStep,
  window,
} from "@cmodx/core";
import { alternatives } from "./alternatives.js";
import { outputs, type RiscvInstruction } from "./isa/index.js";
import { inputs } from "./isa/inputs.js";
import { exclusive } from "./isa/memory-operations.js";

const accesses = ["read", "write"] as const;

/** What the letters of a FENCE stand for: `i` and `o` are what devices see, an interrupt to other harts among it. */
const before: { readonly [letter: string]: AccessKind | undefined } = { r: "read", w: "write" };
const behind: { readonly [letter: string]: WaitingKind } = { r: "read", w: "write", i: "request", o: "request" };

const subsets = Array.from({ length: 15 }, (_, i) => [..."iorw"].filter((_, bit) => ((i + 1) >> bit) & 1).join(""));

const order = (from: string, to: string): BarrierOrder => ({
  from: [...from].flatMap((letter) => before[letter] ?? []),
  to: [...new Set([...to].map((letter) => behind[letter] as WaitingKind))],
});

const fences: { readonly [step: string]: WindowStep } = Object.fromEntries(
  subsets.flatMap((from) =>
    subsets.flatMap((to): readonly (readonly [string, WindowStep])[] => {
      const step: WindowStep = { is: "barrier", orders: [order(from, to)] };
      return [
        [`fence ${from},${to}`, step],
        [`${from},${to}`, step],
      ];
    }),
  ),
);

/** The sets of the kernel's `mb`, `smp_wmb` and `smp_rmb` (arch/riscv/include/asm/barrier.h, 7.3). */
const kernelFences: { readonly [word: string]: string } = { mb: "iorw,iorw", wmb: "w,w", rmb: "r,r" };

/** FENCE.I: all accesses before it come before all fetches behind it ("Zifencei"). */
const fenceI: WindowStep = { is: "synchronise", after: accesses };

/**
 * What a program asks for with a FENCE.I comes no later for it: before a request to other harts the manual wants a data fence besides. But
 * under Ziccid the stores before it are visible to all.
 */
const programsFenceI = (isCoherent: boolean): WindowStep =>
  isCoherent ? fenceI : { is: "synchronise", ownStores: true };

const steps = (isCoherent: boolean): WindowModel["steps"] => ({
  ...fences,
  ...Object.fromEntries(Object.entries(kernelFences).map(([word, sets]) => [word, fences[sets] as WindowStep])),
  "fence.tso": { is: "barrier", orders: [order("r", "rw"), order("w", "w")] },
  "fence.i": fenceI,
  "context-synchronisation": programsFenceI(isCoherent),
});

const own = (insn: Instruction): RiscvInstruction => insn as RiscvInstruction;

/**
 * RVWMO on the machine of the fetch-ahead window: loads and stores take place out of order as far as fences, dependencies,
 * acquire and release leave it, and code is fetched ahead past branches that are not decided.
 */
const rvwmo = (isCoherent: boolean): MemoryOrder =>
  window({
    id: "rvwmo",
    source: 'RISC-V unprivileged ISA, "RVWMO Memory Consistency Model", "Zifencei" and "Ziccid"',
    steps: steps(isCoherent),
    tags: { acquire: "acquire", release: "release" },
    // Rule 11: a store waits for the branches before it; rule 13: and for the addresses of the accesses before it.
    afterBranches: ["write", "synchronise"],
    afterAddresses: ["write", "synchronise"],
    outputs: (insn) => outputs(own(insn)),
    selected: (insn) => inputs(own(insn)),
    alternatives: (insn) => alternatives(own(insn)),
    exclusive: (insn) => exclusive(own(insn).op),
    conditional: (insn) => (exclusive(own(insn).op) === "store" ? { [MONITOR]: GRANTED } : undefined),
    ahead: { instructions: 64, same: 3 },
  });

/** The memory order of a hart with this fetch model. */
export const rvwmoFor = ({ stale }: FetchModel): MemoryOrder => rvwmo(stale === "in-order");
