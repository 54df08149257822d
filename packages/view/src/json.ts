import type { Choice, CpuNumbers, EmptyWait, NotJudged, OtherOrder, PropertyId, Verdict } from "@cmodx/core";

/* A verdict as plain data. Addresses and other 64-bit numbers are strings such as "0xffffffff81000000". */

/** Plain data as JSON has it. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** One step of a counterexample. `number` counts from 1; `rule`, `step` and `choice` say which step it is to the machine. */
export type CounterexampleStepJson = Choice & {
  readonly number: number;
  /** What the CPU did, in words. */
  readonly does: string;
  readonly observed: readonly { readonly what: string; readonly detail: Json }[];
  /** The bytes of each site in memory after the step. */
  readonly memory: readonly string[];
};

/** A counterexample. */
export type CounterexampleJson = {
  readonly steps: readonly CounterexampleStepJson[];
  /** The number of the step from which on the steps repeat for ever; null where they do not. */
  readonly loop: number | null;
};

/** A value that a broken property is about: what was expected, what was found, where it comes from. */
export type ValueJson = { readonly name: string; readonly value: string };

/** A property that the last step of a counterexample breaks. */
export type BrokenJson = {
  readonly property: PropertyId;
  readonly why: string;
  readonly values: readonly ValueJson[];
};

/** A verdict. */
export type VerdictJson = {
  readonly verdict: Verdict["verdict"];
  /** The first property that broke; null where none did. */
  readonly property: PropertyId | null;
  readonly why: string | null;
  readonly broken: readonly BrokenJson[];
  /** Broken as well, by other steps or by longer ways. */
  readonly alsoBroken: readonly PropertyId[];
  readonly states: number;
  /** Null where states were explored as sets. */
  readonly transitions: number | null;
  readonly seconds: number;
  /** About which numbers of CPUs it is, where any number was asked for; all else here is of the last that was checked. Else null. */
  readonly numbers: CpuNumbers | null;
  /** The verdict on all else where `progress` breaks by endless interrupts from outside alone; else null. */
  readonly otherwise: "safe" | "vacuous" | null;
  /** Properties that count and that nothing in the scenario can break: the verdict says nothing about these. */
  readonly notJudged: readonly NotJudged[];
  /** Sites that are changed and that nobody executed meanwhile, by index: the verdict says nothing about these. */
  readonly notExecuted: readonly number[];
  /** Grace periods that are waited for though nobody is ever in a section of theirs. */
  readonly emptyWaits: readonly EmptyWait[];
  /** What the memory order says that did not decide; null where only one was asked. */
  readonly otherOrder: OtherOrder | null;
  readonly unused: readonly string[];
  readonly notPromised: readonly PropertyId[];
  /** What faults or leaves the modelled code and is not among what is broken, one sentence for each instruction. */
  readonly faults: readonly string[];
  /** Instructions that are not modelled and were taken to change nothing; nothing else that is modelled depends on what they change. */
  readonly opaque: readonly { readonly at: string; readonly text: string }[];
  /** `shortest`: no shorter one exists; false only when a limit ended the search for it. */
  readonly counterexample: (CounterexampleJson & { readonly shortest: boolean }) | null;
};
