import type { Data } from "../base/data.js";
import type { Effect, EveryCpu, Writes } from "./effect.js";
import type { EventName, Events, Observation } from "./events.js";
import type { Ordering } from "./memory-order.js";
import type { ArgumentsOf } from "./operations.js";
import type { Value } from "./program.js";
import type { CpuState, Part, Parts, Posted } from "./state.js";
import type { Says } from "./telling.js";
import type { StateView } from "./trace.js";
import type { World } from "./world.js";

/** A kind of thing that steps of programs name. */
export type Named = "word" | "cpuWord" | "anyWord" | "vector" | "barrier" | "maintenance" | "lock" | "window";

/** Whose turn a step is: that of what was posted to the CPU, of the parked task that goes on, or of nobody, since it takes a task off. */
export type Turn = "posted" | "parked" | "nobody";

/** What {@link Rule.timed} may look at. */
export type TimedSight = {
  /** Where the trap was raised whose handler takes the step; null elsewhere. */
  readonly trap: bigint | null;
  /** The shared word of a name. */
  word(name: string): Data;
  /** The byte of a site's code at an address; undefined outside of sites. */
  text(address: bigint): number | undefined;
  /** The value of an argument, a local or a constant. */
  value(of: Value): Data;
};

/**
 * One rule of the machine: pure, and bounded by its footprint. The explorer calls `apply` once for each distinct tuple of the
 * parts in `reads` and remembers the answer; `reads` and `writes` are the independence relation of the reductions.
 * A development-mode machine throws when `apply` reads a part that it did not declare, or sets one.
 */
export interface Rule<A = Data, R extends Part = Part> {
  readonly id: string;
  /** Where the rule comes from: manual section, kernel file and version, or the rule's number in ARCHITECTURE.md. */
  readonly source: string;
  readonly reads: readonly R[];
  readonly writes: readonly Writes[];
  /** Ids of the maps over CPUs that its effects may name; undefined: any. */
  readonly maps?: readonly string[];
  /** The step is blocked until this predicate holds for every CPU. */
  guard?(args: A): EveryCpu;
  /**
   * An operation that asks every other CPU for a step: once a CPU has done it with these arguments, this step waits until each of
   * the others has taken a step of its own.
   */
  readonly outwaits?: string;
  /** What it posts to other CPUs, where a map of its effects changes `pending`; undefined: not known beforehand. */
  posts?(args: A): Posted;
  /** What the step is to the memory order, which may hold it back; undefined: plain loads and stores, or none. */
  ordering?(args: A): Ordering | undefined;
  /**
   * Whether the step is urgent for a CPU in this state: to take it at once loses no behaviour, because every behaviour in which
   * others act first, or an interrupt comes first, is also one in which it comes first. The explorer takes urgent steps together
   * with the step before; the reason stands with each rule. An urgent step has one outcome.
   */
  urgent?(cpu: CpuState, machine: World): boolean;
  /** What a step of this rule did in a timeline's words, by the event that was observed last; of machine code by each event. */
  readonly says?: Says;
  /** What a step that cannot be taken waits for, going on from "waits"; undefined where nothing holds it back. */
  waits?(args: A, view: StateView): string | undefined;
  /** It comes from outside: no fairness makes it happen. */
  readonly fromOutside?: true;
  /** Whose turn a step of it is in a fair run; undefined: that of the context that its CPU runs. */
  readonly turn?: Turn;
  /** A task that waits in this step sleeps: its CPU may do something else, and it is woken when the step can be taken. */
  readonly sleeps?: true;
  /** A task that stands at this step is in a section with preemption off. */
  readonly preemptionOff?: true;
  /** A step of it executes machine code, as that of the interrupted context: it writes whatever that does. */
  readonly runsMachineCode?: true;
  /** What a step names, by argument; a program is refused that names what is not there. */
  readonly names?: { readonly [argument: string]: Named };
  /** What is there because a step of a program names it in this argument. */
  readonly introduces?: { readonly [argument: string]: Named };
  /** The bytes of data that a step writes, where it writes the memory part; undefined: any. */
  writesData?(args: A): readonly { readonly address: bigint; readonly size: number }[];
  /**
   * What the step does in the timed simulator, which knows words and text and no state of CPUs: `local` goes to the argument `into`, and
   * `word` to the shared word that the argument `word` names. Without it a step of a plugin only takes time, and nothing may branch on
   * what it would have found.
   */
  timed?(args: A, seen: TimedSight): { readonly local?: Data; readonly word?: Data };
  /**
   * The outcomes: none means blocked, several mean non-determinism. A step of a program goes on by `machine.advance`; one that leaves
   * its program where it was is an {@link InputError}.
   */
  apply(parts: Pick<Parts, R>, args: A, machine: World): readonly Effect[];
}

/** A map over one CPU's part, applied to many CPUs by an {@link Effect}. Pure. */
export interface CpuMap<A extends Data = Data> {
  readonly id: string;
  /** Fields of a CPU's part that it looks at or changes; undefined: any. */
  readonly touches?: readonly (keyof CpuState)[];
  apply(cpu: CpuState, args: A, machine: World): CpuState;
}

/** A predicate over one CPU's part that a rule's guard asks of every CPU. Pure. */
export interface CpuPredicate<A extends Data = Data> {
  readonly id: string;
  holds(cpu: CpuState, args: A, machine: World): boolean;
}

/** Names in any of these object types that `Of` does not have. */
type Beyond<T, Of> = T extends object ? Exclude<keyof T, keyof Of> : never;
/** The details of all events of a name. */
type DetailOf<W> = W extends EventName ? Events[W] : never;
/** Names in a detail that no detail of its event has. */
type BeyondDetail<O> = O extends { readonly what: infer W; readonly detail: infer D }
  ? D extends object
    ? Exclude<keyof D, DetailOf<W> extends infer T ? (T extends object ? keyof T : never) : never>
    : never
  : never;
/** Fields that effects of this type have and that nobody would look at. */
type Misplaced<E> = E extends Effect
  ?
      | Beyond<E, Effect>
      | Beyond<E["set"], Parts>
      | Beyond<E["everyCpu"], EveryCpu>
      | Beyond<E["otherCpus"], EveryCpu>
      | Beyond<NonNullable<E["observed"]>[number], Observation>
      | BeyondDetail<NonNullable<E["observed"]>[number]>
  : never;
/** Nothing, or a field whose type the compiler names where an effect has one that is not its own. */
type InPlace<E> = [Misplaced<E>] extends [never] ? unknown : { readonly "cmodx: no field of an effect": Misplaced<E> };

/** Declares a rule and infers its types; the value is unchanged. A field of its effects that effects do not have does not compile. */
export const rule = <
  A extends ArgumentsOf<I>,
  const R extends Part,
  E extends Effect = Effect,
  const I extends string = string,
>(
  r: Omit<Rule<A, R>, "apply" | "id" | "names" | "introduces"> & {
    readonly id: I;
    readonly names?: { readonly [K in keyof NoInfer<A>]?: Named };
    readonly introduces?: { readonly [K in keyof NoInfer<A>]?: Named };
    apply(parts: Pick<Parts, R>, args: A, machine: World): readonly E[];
  } & InPlace<E>,
): Rule => r as Rule<A, R>;
/** Declares a map over CPUs and infers its types; the value is unchanged. */
export const cpuMap = <A extends Data>(map: CpuMap<A>): CpuMap => map;
/** Declares a predicate over CPUs and infers its types; the value is unchanged. */
export const cpuPredicate = <A extends Data>(predicate: CpuPredicate<A>): CpuPredicate => predicate;

/** The rules, maps and predicates of a machine: those of core, of the architecture and of the plugins. */
export type RuleBook = {
  readonly rules: readonly Rule[];
  readonly maps: readonly CpuMap[];
  readonly predicates: readonly CpuPredicate[];
};
