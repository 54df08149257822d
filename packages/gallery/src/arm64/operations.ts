import { type Context, type CpuState, cpuMap, rule, type Step, step, syncStep, type World } from "@cmodx/core";

/* Operations that programs of the gallery need beside those of core and arm64. */

declare module "@cmodx/core" {
  interface Operations {
    callPatchedCode: Readonly<Record<never, never>>;
    invalidateByTlb: { readonly address: bigint };
  }
  interface Events {
    "call-patched-code": { readonly entry: bigint };
    "invalidate-by-tlb": { readonly address: bigint };
  }
}

/** A program calls the patched code, which returns to it. */
export const callPatchedCode = (id: string, note?: string): Step => step(id, "callPatchedCode", {}, note);

/** The rule of {@link callPatchedCode}: the code runs above the program. That it returns to synchronises, which nobody looks at. */
export const callPatchedCodeRule = rule({
  id: "callPatchedCode",
  source: "a function that is traced or probed and that the stopper's loop calls",
  reads: ["cpu"],
  writes: ["cpu"],
  says: { "call-patched-code": () => "calls the patched code" },
  apply: ({ cpu }, _args: Readonly<Record<string, never>>, machine: World) =>
    machine.entries("irq").map((entry) => {
      const called: Context = {
        level: "irq",
        code: machine.enter("irq", entry),
        masked: true,
        preempts: true,
        marks: [],
      };
      const caller = machine.advance(cpu);
      return {
        set: { cpu: { ...caller, stack: [...caller.stack, called] } },
        observed: [{ what: "call-patched-code", detail: { entry } }],
      };
    }),
});

/**
 * An instruction-cache invalidation that is trapped and done by a broadcast TLB invalidation, which on this CPU throws away what the
 * other CPUs have prefetched from the line.
 */
export const invalidateByTlb = (id: string, address: bigint, note?: string): Step =>
  syncStep(id, "invalidateByTlb", { address }, note);

/** The rule of {@link invalidateByTlb}. */
export const invalidateByTlbRule = rule({
  id: "invalidateByTlb",
  source: "Arm Neoverse-N1 software developer errata notice, 1542419; arch/arm64/kernel/traps.c, CTR_EL0.DIC hidden",
  reads: ["cpu"],
  writes: ["cpu", "everyCpu"],
  maps: ["drop-prefetched"],
  says: { "invalidate-by-tlb": ({ address }, { place }) => `IC IVAU of ${place(address)}, trapped: TLBI, DSB` },
  apply: ({ cpu }, { address }: { readonly address: bigint }, machine: World) => [
    {
      set: { cpu: machine.advance(cpu) },
      everyCpu: { id: "drop-prefetched", args: { address } },
      observed: [{ what: "invalidate-by-tlb", detail: { address } }],
    },
  ],
});

/** One CPU no longer has anything from a line that it had prefetched. */
export const dropPrefetchedMap = cpuMap({
  id: "drop-prefetched",
  touches: ["stale"],
  apply(cpu, { address }: { readonly address: bigint }, machine: World): CpuState {
    const line = BigInt(machine.cache.line);
    const kept = Object.entries(cpu.stale).filter(([cell]) => BigInt(`0x${cell}`) / line !== address / line);
    return { ...cpu, stale: Object.fromEntries(kept) };
  },
});
