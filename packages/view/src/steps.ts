import {
  type EventName,
  type Events,
  type ExecutedAtSite,
  eventsOf,
  type Level,
  type Machine,
  type ReturnedAtSite,
  spaced,
  type TraceStep,
} from "@cmodx/core";
import type { ValueJson } from "./json.js";

/* What the values of a broken property are read off: the steps of its trace. */

/** What is told of a broken property whose trace this is. */
export type Values = (machine: Machine, trace: readonly TraceStep[]) => readonly ValueJson[];

/** One of the values. */
export const value = (name: string, text: string): ValueJson => ({ name, value: text });

/** The step that breaks it. */
export const lastOf = (trace: readonly TraceStep[]): TraceStep => trace[trace.length - 1] as TraceStep;

/** The first event of a kind in a step. */
export const seen = <E extends EventName>({ observed }: TraceStep, what: E): Events[E] | undefined =>
  eventsOf(observed, what)[0];

/** An instruction, or what a trap's handler did for one, at a site. */
export const atSite = (step: TraceStep): ExecutedAtSite | ReturnedAtSite | undefined => {
  const passed = seen(step, "execute") ?? seen(step, "return-from-trap");
  return passed === undefined || passed.site === null ? undefined : passed;
};

/** How the versions of a site are called. */
export const versionNames = ["old", "new"] as const;

/** Where in a CPU something was done, going on from "CPU 1". */
export const within: { readonly [level in Level]: string } = {
  task: "",
  stopper: "",
  irq: " in its interrupt handler",
  trap: " in its trap handler",
  nmi: " in its NMI handler",
};

/** `step 5, CPU 0: write-int3`. */
export const stepText = (trace: readonly TraceStep[], index: number): string => {
  const { cpu, step } = trace[index] as TraceStep;
  return `step ${index + 1}, CPU ${cpu}${step === null ? "" : `: ${step}`}`;
};

/** The index of the last step before `end` that this holds for, or -1. */
export const indexBefore = (trace: readonly TraceStep[], end: number, holds: (step: TraceStep) => boolean): number =>
  trace.slice(0, end).findLastIndex(holds);

/** The instruction that each version has at an offset of a site. */
export const versionsAt = (machine: Machine, site: number, offset: number): readonly ValueJson[] => {
  const known = machine.instructionsAt(site, offset);
  return versionNames.map((name, version) => {
    const insn = known.find((each) => each.version === version);
    return value(
      name,
      insn === undefined ? `no instruction begins at +${offset}` : `${spaced(insn.bytes)}  ${insn.text}`,
    );
  });
};

/** Whether a store writes the byte at an address. */
export const covers = ({ address, bytes }: Events["store"], at: bigint): boolean =>
  at >= address && at < address + BigInt(bytes.length / 2);

/** Whether an address lies in a range. */
export const isIn = ({ address, size }: { readonly address: bigint; readonly size: number }, at: bigint): boolean =>
  at >= address && at < address + BigInt(size);
