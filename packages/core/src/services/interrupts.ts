import type { Effect } from "../contract/effect.js";
import type { Step } from "../contract/program.js";
import { rule } from "../contract/rule.js";
import { type Context, type CpuState, NMI_OFF, running, withRunning } from "../contract/state.js";
import { quiet } from "../contract/telling.js";
import { synchronize } from "../fetch/stale-code.js";
import { resumption } from "../fetch/text.js";
import { step } from "../program/builder.js";
import { alone } from "./alone.js";
import { handlersOf, push } from "./entry.js";
import { leftOpen } from "./held.js";
import { exceptionReturn } from "./said.js";
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

/** Masks or unmasks interrupts (not NMIs) on this CPU. */
export const maskIrq = (id: string, note?: string): Step => step(id, "maskIrq", {}, note);

/** Unmasks interrupts on this CPU. */
export const unmaskIrq = (id: string, note?: string): Step => step(id, "unmaskIrq", {}, note);

const nmiSources = (id: string, off: boolean, note?: string): Step =>
  step(id, "setEachCpu", { word: NMI_OFF, value: off }, note);

/** Turns the sources of NMIs off on every CPU (`stop_nmi`); a handler that runs already goes on. */
export const stopNmi = (id: string, note?: string): Step => nmiSources(id, true, note);

/** Turns the sources of NMIs on again (`restart_nmi`). */
export const restartNmi = (id: string, note?: string): Step => nmiSources(id, false, note);
