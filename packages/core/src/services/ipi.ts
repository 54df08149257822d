import type { Line, Step } from "../contract/program.js";
import { cpuMap, cpuPredicate, rule } from "../contract/rule.js";
import { type Context, type Posted, running } from "../contract/state.js";
import { quiet } from "../contract/telling.js";
import { synchronize } from "../fetch/stale-code.js";
import { step, syncStep } from "../program/builder.js";
import { push } from "./entry.js";
import { isPosted, post, without } from "./posted.js";
import { listed } from "./said.js";

/* R11: interrupts between processors, and the synchronisation that they mostly are sent for. */

type Handler = { readonly handler: string };

const ipi = ({ handler }: Handler): Posted => ({ kind: "ipi", handler });

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
  apply({ cpu, memory }, args: Handler, machine) {
    const context: Context = {
      level: "irq",
      code: machine.start(args.handler, {}, null),
      masked: true,
      preempts: true,
      marks: [],
    };
    const entered = push({ ...cpu, pending: without(cpu, ipi(args)) }, context, machine);
    const synchronized = machine.cpu.synchronizes.includes("irq-entry")
      ? synchronize(entered, memory, machine)
      : entered;
    return [{ set: { cpu: synchronized }, observed: [{ what: "take-ipi", detail: { handler: args.handler } }] }];
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
  posts: ipi,
  // An interrupt is no memory: it overtakes whatever no barrier drained. on_each_cpu has one, in the list that it adds its call to.
  ordering: ({ self }: Handler & { readonly self: boolean }) => (self ? "atomic" : undefined),
  apply({ cpu, memory }, args: Handler & { readonly self: boolean }, machine) {
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

/** Posts an interrupt to one CPU. */
export const postMap = cpuMap({
  id: "post",
  touches: ["pending"],
  apply: (cpu, args: Handler) => post(cpu, ipi(args)),
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
  guard: (args: Handler) => ({ id: "acknowledged", args }),
  outwaits: "sendIpi",
  waits({ handler }, { cpus }) {
    const late = cpus.flatMap((cpu, i) => (isPosted(cpu, ipi({ handler })) ? [`CPU ${i}`] : []));
    return `for the interrupt to be acknowledged${late.length === 0 ? "" : `; ${listed(late)} did not take it`}`;
  },
  apply: ({ cpu }, args: Handler, machine) => [
    { set: { cpu: machine.advance(cpu) }, observed: [{ what: "wait-ipi", detail: { handler: args.handler } }] },
  ],
});

/** This CPU neither has the interrupt pending nor runs its handler before the acknowledgement. */
export const acknowledgedPredicate = cpuPredicate({
  id: "acknowledged",
  holds: (cpu, args: Handler) =>
    !isPosted(cpu, ipi(args)) &&
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

/** Synchronises the context of this CPU alone (x86 `sync_core`, arm64 `isb`, RISC-V `fence.i`). */
export const syncCore = (id: string, note?: string): Step => syncStep(id, "syncCore", {}, note);

/** `on_each_cpu(do_sync_core)`: interrupts every other CPU, synchronises this one, and waits until all others have done so. */
export const syncCores = (id: string, note?: string): Step => syncStep(id, "syncCores", {}, note);

/**
 * Interrupts every other CPU to run `handler`. A CPU counts as having acknowledged once its handler passed {@link ack}, which is
 * put at the end where the handler has none. With `self` the sender synchronises its own context in the same step.
 */
export const sendIpi = (id: string, handler: readonly Line[], note?: string, self = false): Step =>
  syncStep(id, "sendIpi", { handler: handler, ...(self ? ({ self: true } as const) : {}) }, note);

/** Waits until every CPU acknowledged the interrupt sent by the step `of`. */
export const waitIpi = (id: string, of: string, note?: string): Step => syncStep(id, "waitIpi", { of }, note);

/** In the handler of an interrupt: tells the sender that it is done. */
export const ack = (id = "ack", note?: string): Step => step(id, "ack", {}, note);
