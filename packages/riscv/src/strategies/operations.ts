import {
  type Context,
  type CpuState,
  cpuMap,
  cpuPredicate,
  type Data,
  rule,
  running,
  type Step,
  step,
  syncStep,
  type World,
} from "@cmodx/core";

/* Operations that the strategies of RISC-V need beside those of core. */

declare module "@cmodx/core" {
  interface Operations {
    sbiRemoteFenceI: Readonly<Record<never, never>>;
    flushIcacheMm: Readonly<Record<never, never>>;
    flushIcacheDeferred: Readonly<Record<never, never>>;
    fixSavedRegisters: Fix;
  }
  interface Events {
    "flush-deferred": { readonly marked: boolean };
    "fix-saved": Readonly<Record<never, never>>;
  }
}

/**
 * `sbi_remote_fence_i(NULL)`: the firmware interrupts every other hart, whatever the kernel has masked there, and returns once each
 * has executed its FENCE.I, this one too. It waits for no handler of the kernel.
 */
export const sbiRemoteFenceI = (id: string, note?: string): Step => syncStep(id, "sbiRemoteFenceI", {}, note);

/** The rule of {@link sbiRemoteFenceI}. */
export const sbiRemoteFenceIRule = rule({
  id: "sbiRemoteFenceI",
  source: 'RISC-V SBI, "RFENCE Extension"; sbi_remote_fence_i, arch/riscv/kernel/sbi.c, 7.3',
  reads: ["cpu"],
  writes: ["cpu", "everyCpu"],
  maps: ["fence-i"],
  guard: () => ({ id: "fences-now", args: {} }),
  says: { "send-ipi": () => "the firmware has every hart execute fence.i" },
  // Each hart does so at a moment of its own between the request and its end. All at the end is every behaviour: until then a hart
  // may as well go on fetching what it could fetch.
  apply: ({ cpu }, _args, machine) => [
    {
      set: { cpu: machine.advance(cpu) },
      everyCpu: { id: "fence-i", args: {} },
      observed: [{ what: "send-ipi", detail: { handler: "firmware", self: false } }],
    },
  ],
});

/** The map of {@link sbiRemoteFenceI}. */
export const fenceIMap = cpuMap({
  id: "fence-i",
  touches: ["stack", "stale", "excludes", "behind", "fetching", "order"],
  apply: (cpu, _args, machine) => fenced(cpu, machine),
});

/** The predicate of {@link sbiRemoteFenceI}: nothing holds an interrupt back on this hart, or it is the one that asks. */
export const fencesNowPredicate = cpuPredicate({
  id: "fences-now",
  holds(cpu, _args, machine) {
    const code = running(cpu)?.code;
    // Its own stores need not be visible when the others execute theirs.
    const asks = code?.run === "program" && asking.has(machine.next(code)?.op ?? "");
    return asks || !machine.order.holdsBack(cpu, "event");
  },
});

const asking: ReadonlySet<string> = new Set(["sbiRemoteFenceI", "flushIcacheMm"]);

const fenced = (cpu: CpuState, machine: World): CpuState => {
  const { behind: _, ...rest } = machine.order.discard?.(cpu) ?? cpu;
  const fetches: CpuState = { ...rest, stale: {}, excludes: {}, fetching: null };
  return machine.order.narrow?.(fetches, machine) ?? fetches;
};

/** The per-CPU word of `flush_icache_mm`: this hart is to execute a FENCE.I before it runs the process again. */
export const ICACHE_STALE = "icache_stale_mask";

/** `flush_icache_mm`: this hart and all that run the process execute a FENCE.I; the others are marked, to do so later. */
export const flushIcacheMm = (id: string, note?: string): Step => syncStep(id, "flushIcacheMm", {}, note);

/** The rule of {@link flushIcacheMm}. */
export const flushIcacheMmRule = rule({
  id: "flushIcacheMm",
  source: "flush_icache_mm, arch/riscv/mm/cacheflush.c, 7.3",
  reads: ["cpu"],
  writes: ["cpu", "everyCpu"],
  maps: ["fence-or-mark"],
  ordering: () => "mb",
  guard: () => ({ id: "fences-now", args: {} }),
  says: { "send-ipi": () => "harts that run the process execute fence.i, the others are marked" },
  apply: ({ cpu }, _args, machine) => [
    {
      set: { cpu: machine.advance(cpu) },
      everyCpu: { id: "fence-or-mark", args: {} },
      observed: [{ what: "send-ipi", detail: { handler: "flush_icache_mm", self: false } }],
    },
  ],
});

/** The map of {@link flushIcacheMm}. */
export const fenceOrMarkMap = cpuMap({
  id: "fence-or-mark",
  touches: ["stack", "stale", "excludes", "behind", "fetching", "words", "order"],
  apply: (cpu, _args, machine) =>
    cpu.stack.length > 0 ? fenced(cpu, machine) : { ...cpu, words: { ...cpu.words, [ICACHE_STALE]: true } },
});

/** In the switch to a task: a FENCE.I where this hart is marked. */
export const flushIcacheDeferred = (id: string, note?: string): Step => syncStep(id, "flushIcacheDeferred", {}, note);

/** The rule of {@link flushIcacheDeferred}. */
export const flushIcacheDeferredRule = rule({
  id: "flushIcacheDeferred",
  source: "flush_icache_deferred, arch/riscv/mm/context.c, 7.3",
  reads: ["cpu"],
  writes: ["cpu"],
  ordering: () => "context-synchronisation",
  says: { "flush-deferred": ({ marked }) => (marked ? "is marked: executes fence.i" : "is not marked") },
  apply({ cpu }, _args, machine) {
    const marked = cpu.words[ICACHE_STALE] === true;
    const done = machine.advance(cpu);
    const words = { ...done.words, [ICACHE_STALE]: false };
    return [
      {
        set: { cpu: marked ? { ...fenced(done, machine), words } : done },
        observed: [{ what: "flush-deferred", detail: { marked } }],
      },
    ];
  },
});

type Places = readonly { readonly address: bigint; readonly length: number }[];

/**
 * While the machine is stopped: every interrupted thread that stands inside one of these places goes on at the place's start.
 * `nested`: the code that an exception interrupted as well, however deep; otherwise what was interrupted last alone.
 */
export const fixSavedRegisters = (id: string, places: Places, nested: boolean, note?: string): Step =>
  step(id, "fixSavedRegisters", { places, nested }, note);

type Fix = { readonly places: Places; readonly nested: boolean };

/** The rule of {@link fixSavedRegisters}. */
export const fixSavedRegistersRule = rule({
  id: "fixSavedRegisters",
  source: "named as a way out in the thread on CALL_OPS for riscv, linux-riscv 2024",
  reads: ["cpu", "parked"],
  writes: ["cpu", "parked", "everyCpu"],
  maps: ["fix-saved"],
  says: { "fix-saved": () => "sends every interrupted thread that stands inside back to the start" },
  apply: ({ cpu, parked }, args: Fix & { readonly [name: string]: Data }, machine) => [
    {
      set: {
        cpu: machine.advance(cpu),
        parked: { tasks: parked.tasks.map((task) => fixedContext(task, args.places)) },
      },
      everyCpu: { id: "fix-saved", args },
      observed: [{ what: "fix-saved", detail: {} }],
    },
  ],
});

/** The map of {@link fixSavedRegisters}. */
export const fixSavedMap = cpuMap({
  id: "fix-saved",
  touches: ["stack"],
  apply: (cpu, { places, nested }: Fix & { readonly [name: string]: Data }): CpuState => {
    // What runs has no saved registers.
    const interrupted = cpu.stack.slice(0, -1);
    const last = interrupted.findLastIndex(({ code }) => code.run === "machine");
    const fixed = interrupted.map((context, i) => (nested || i === last ? fixedContext(context, places) : context));
    return { ...cpu, stack: [...fixed, ...cpu.stack.slice(-1)] };
  },
});

const fixedContext = (context: Context, places: Places): Context => {
  const { code } = context;
  if (code.run !== "machine" || code.trapped !== null) return context;
  const place = places.find(({ address, length }) => code.pc > address && code.pc < address + BigInt(length));
  return place === undefined ? context : { ...context, code: { ...code, pc: place.address } };
};
