import type { Effect } from "../contract/effect.js";
import { cpuMap, cpuPredicate, rule } from "../contract/rule.js";
import { type Context, type CpuState, running, withRunning } from "../contract/state.js";
import { quiet } from "../contract/telling.js";
import { synchronize } from "../fetch/stale-code.js";
import { resumption } from "../fetch/text.js";
import { alone } from "./alone.js";
import { handlersOf, push } from "./entry.js";
import { leftOpen } from "./held.js";
import { exceptionReturn, listed } from "./said.js";
import { endsInSwitch } from "./scheduling.js";

/*
 * R10: interrupts. IRQs and interrupts between processors wait while they are masked or one of them is being handled; NMIs wait for
 * NMIs alone. An interrupt discards a partly fetched instruction, and synchronises only where the architecture says so.
 */

const calling = (entry: bigint | null): string => (entry === null ? "" : ", whose handler calls patched code");

/**
 * An interrupt from outside calls the patched code: it may start at any entry of the interrupt's routine. Where patch programs have
 * something to do in such interrupts, that comes first.
 */
const arrival = (level: "irq" | "nmi") =>
  rule({
    id: level,
    fromOutside: true,
    source: "R10",
    reads: ["cpu", "memory"],
    writes: ["cpu"],
    says: {
      irq: ({ entry }) => `takes an interrupt${calling(entry)}`,
      nmi: ({ entry }) => `takes an NMI${calling(entry)}`,
    },
    ordering: () => "event",
    apply({ cpu, memory }, _args, machine): readonly Effect[] {
      return handlersOf(level, machine).map(({ code, entry }): Effect => {
        const entered = push(cpu, { level, code, masked: true, preempts: true, marks: [] }, machine);
        const synchronized = machine.cpu.synchronizes.includes(`${level}-entry`)
          ? synchronize(entered, memory, machine)
          : entered;
        return { set: { cpu: synchronized }, observed: [{ what: level, detail: { entry } }] };
      });
    },
  });

/** An IRQ arrives. */
export const irqRule = arrival("irq");
/** An NMI arrives. */
export const nmiRule = arrival("nmi");

/** The handler of an interrupt from outside, after what patch programs do in it, calls the patched code. */
export const callPatchedRule = rule({
  id: "callPatched",
  source: "R10",
  reads: ["cpu"],
  writes: ["cpu"],
  says: {
    "call-patched": () => quiet("calls patched code"),
  },
  apply({ cpu }, _args, machine): readonly Effect[] {
    const context = running(cpu) as Context;
    const { level } = context;
    return machine.entries(level).map((entry) => ({
      set: { cpu: withRunning(cpu, { ...context, code: machine.enter(level, entry) }) },
      observed: [{ what: "call-patched", detail: { level, entry } }],
    }));
  },
});

/** Takes an interrupt that another CPU sent. */
export const takeIpiRule = rule({
  id: "take-ipi",
  source: "R10",
  turn: "posted",
  reads: ["cpu", "memory"],
  writes: ["cpu"],
  says: {
    "take-ipi": () => quiet("takes the IPI"),
  },
  ordering: () => "event",
  apply({ cpu, memory }, args: { readonly handler: string }, machine) {
    const context: Context = {
      level: "irq",
      code: machine.start(args.handler, {}, null),
      masked: true,
      preempts: true,
      marks: [],
    };
    const entered = push({ ...cpu, pending: cpu.pending.filter((name) => name !== args.handler) }, context, machine);
    const synchronized = machine.cpu.synchronizes.includes("irq-entry")
      ? synchronize(entered, memory, machine)
      : entered;
    return [{ set: { cpu: synchronized }, observed: [{ what: "take-ipi", detail: { handler: args.handler } }] }];
  },
});

/** Returns from an IRQ, an interrupt between processors or an NMI. */
export const returnFromInterruptRule = rule({
  id: "return-from-interrupt",
  source: "R10; x86: IRET, SDM vol. 3, 'Serializing instructions'",
  reads: ["cpu", "memory"],
  writes: ["cpu"],
  says: {
    "return-from-interrupt": ({ level }, telling) =>
      quiet(`${exceptionReturn(telling)} from the ${level === "nmi" ? "NMI" : "interrupt"}`),
  },
  ordering: () => "event",
  // To wait with a return while nothing else can happen on this CPU only narrows what it may fetch. A switch in its place is something.
  urgent: (cpu, machine) => alone(cpu, machine) && !endsInSwitch(cpu, machine),
  apply({ cpu, memory }, _args, machine) {
    const level = running(cpu)?.level === "nmi" ? "nmi" : "irq";
    const popped: CpuState = { ...cpu, stack: cpu.stack.slice(0, -1), fetching: null };
    const synchronized = machine.cpu.synchronizes.includes(`${level}-return`)
      ? synchronize(popped, memory, machine)
      : popped;
    const detail = { level, ...resumption(running(popped), memory, machine) } as const;
    const open = leftOpen(`A handler of an ${level === "nmi" ? "NMI" : "interrupt"} ended`, running(cpu) as Context);
    return [{ set: { cpu: synchronized }, observed: [{ what: "return-from-interrupt", detail }, ...open] }];
  },
});

/** A broadcast interrupt is one step: when it is delivered is free anyway. */
export const sendIpiRule = rule({
  id: "sendIpi",
  source: "smp_call_function_many, kernel/smp.c, 7.3",
  reads: ["cpu", "memory"],
  writes: ["cpu", "everyCpu"],
  says: {
    "send-ipi": ({ self }) => (self ? "IPI to all CPUs, synchronises itself" : "IPI to all other CPUs"),
  },
  maps: ["post"],
  // An interrupt is no memory: it overtakes whatever no barrier drained. on_each_cpu has one, in the list that it adds its call to.
  ordering: ({ self }: { readonly handler: string; readonly self: boolean }) => (self ? "atomic" : undefined),
  apply({ cpu, memory }, args: { readonly handler: string; readonly self: boolean }, machine) {
    const sent = machine.advance(args.self ? synchronize(cpu, memory, machine) : cpu);
    return [
      {
        set: { cpu: sent },
        otherCpus: { id: "post", args: { handler: args.handler } },
        observed: [{ what: "send-ipi", detail: { handler: args.handler, self: args.self } }],
      },
    ];
  },
});

/** Posts an interrupt; one that is pending already is not posted twice. */
export const postMap = cpuMap({
  id: "post",
  touches: ["pending"],
  apply: (cpu, args: { readonly handler: string }) =>
    cpu.pending.includes(args.handler) ? cpu : { ...cpu, pending: [...cpu.pending, args.handler].sort() },
});

/** Waits until every CPU acknowledged the interrupt. */
export const waitIpiRule = rule({
  id: "waitIpi",
  source: "csd_lock_wait, kernel/smp.c, 7.3",
  // on_each_cpu waits in one.
  preemptionOff: true,
  reads: ["cpu"],
  writes: ["cpu"],
  says: {
    "wait-ipi": () => "all CPUs have acknowledged",
  },
  // An acknowledgement stays; only the sender asks for a new one.
  urgent: () => true,
  guard: (args: { readonly handler: string }) => ({ id: "acknowledged", args }),
  outwaits: "sendIpi",
  waits({ handler }, { cpus }) {
    const late = cpus.flatMap(({ pending }, i) => (pending.includes(handler) ? [`CPU ${i}`] : []));
    return `for the interrupt to be acknowledged${late.length === 0 ? "" : `; ${listed(late)} did not take it`}`;
  },
  apply: ({ cpu }, args: { readonly handler: string }, machine) => [
    { set: { cpu: machine.advance(cpu) }, observed: [{ what: "wait-ipi", detail: { handler: args.handler } }] },
  ],
});

/** This CPU neither has the interrupt pending nor runs its handler before the acknowledgement. */
export const acknowledgedPredicate = cpuPredicate({
  id: "acknowledged",
  holds: (cpu, args: { readonly handler: string }) =>
    !cpu.pending.includes(args.handler) &&
    !cpu.stack.some(
      (context) =>
        context.code.run === "program" && context.code.program === args.handler && context.code.locals.acked !== true,
    ),
});

/** Tells the sender of an interrupt that its handler is done. */
export const ackRule = rule({
  id: "ack",
  source: "csd_unlock, kernel/smp.c, 7.3",
  reads: ["cpu"],
  writes: ["cpu"],
  says: {
    ack: () => quiet("acknowledges"),
  },
  ordering: () => "release",
  // It only lets the sender go on.
  urgent: () => true,
  apply: ({ cpu }, _args, machine) => [
    { set: { cpu: machine.advance(machine.setLocal(cpu, "acked", true)) }, observed: [{ what: "ack", detail: {} }] },
  ],
});

/** Synchronises the context of this CPU. */
export const syncCoreRule = rule({
  id: "syncCore",
  source: "R5; x86: sync_core, arch/x86/include/asm/sync_core.h, 7.3",
  reads: ["cpu", "memory"],
  writes: ["cpu"],
  says: {
    "sync-core": () => quiet("synchronises"),
  },
  ordering: () => "context-synchronisation",
  // First thing in an interrupt: an NMI before it could as well have come before the interrupt, and a store of others that comes
  // later leaves more to fetch.
  urgent: (cpu) => {
    const context = running(cpu);
    return context?.level === "irq" && context.code.run === "program" && context.code.at === 0;
  },
  apply: ({ cpu, memory }, _args, machine) => [
    { set: { cpu: machine.advance(synchronize(cpu, memory, machine)) }, observed: [{ what: "sync-core", detail: {} }] },
  ],
});

const mask = (id: "maskIrq" | "unmaskIrq", masked: boolean) =>
  rule({
    id,
    source: "local_irq_disable, local_irq_enable",
    reads: ["cpu"],
    writes: ["cpu"],
    says: {
      maskIrq: () => quiet("masks interrupts"),
      unmaskIrq: () => quiet("unmasks interrupts"),
    },
    apply({ cpu }, _args, machine) {
      const context = running(cpu) as Context;
      return [
        {
          set: { cpu: machine.advance(withRunning(cpu, { ...context, masked })) },
          observed: [{ what: id, detail: {} }],
        },
      ];
    },
  });

/** Masks interrupts on this CPU. */
export const maskIrqRule = mask("maskIrq", true);
/** Unmasks interrupts on this CPU. */
export const unmaskIrqRule = mask("unmaskIrq", false);
