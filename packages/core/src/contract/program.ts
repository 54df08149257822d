/* What strategies plan, as data, and what it is compiled to. */

import type { Bytes, Data } from "../base/data.js";
import type { ArgumentsOf, CompiledName, CompiledOperations, OperationName, Operations } from "./operations.js";
import type { CodeBlock, DataBlock } from "./scenario.js";

/** A value in a program: a constant, or a local of the running program. */
export type Value = Data | { readonly local: string };

/** A comparison of two values; `eq` and `ne` compare by structure, `lt` compares numbers. */
export type Condition = { readonly test: "eq" | "ne" | "lt"; readonly a: Value; readonly b: Value };

/** One step: an operation with its arguments. Its `id` is what `--drop` takes and what timelines and `show` print. */
export type Step<O extends OperationName = OperationName> = {
  readonly [Op in O]: {
    readonly id: string;
    readonly op: Op;
    readonly args: Operations[Op];
    /** What the step is for, and where the real code does it. */
    readonly note?: string;
    /** The step is there for synchronisation: ablation drops these. */
    readonly synchronises?: true;
  };
}[O];

/** Lines that are run when a condition on locals holds, or otherwise. */
export type When = {
  readonly id: string;
  readonly when: Condition;
  readonly lines: readonly Line[];
  readonly otherwise?: readonly Line[];
};

/** Lines that are repeated while a condition on locals holds. */
export type While = { readonly id: string; readonly while: Condition; readonly repeat: readonly Line[] };

/** A line of a program. */
export type Line = Step | When | While;

/** Code and data around the sites that a program counts on; what a scenario says itself comes first. */
export type Surroundings = {
  /** Trampolines, tracers, the functions that they call. */
  readonly blocks?: readonly CodeBlock[];
  /** Literals and descriptors, as they are before the first flip. */
  readonly data?: readonly DataBlock[];
  /** Where executors start whose scenario does not say; by default at the sites of code. */
  readonly entries?: readonly bigint[];
  /**
   * Text that its steps store to beside the sites of the flip and these blocks and data, such as a trampoline of the scenario's. What a step
   * maps need not be named.
   */
  readonly writes?: readonly { readonly address: bigint; readonly size: number }[];
};

/** What code and the data bound to it have to be to each other: whoever executes the code at `at` has one of these in its registers. */
export type Pair = {
  readonly at: bigint;
  readonly registers: readonly string[];
  /** The combinations of values of these registers that are published together with this code. */
  readonly published: readonly (readonly bigint[])[];
};

/**
 * What a strategy plans for one flip: plain, immutable data. It can be printed, compared, costed, and ablated without touching
 * the strategy.
 */
export type PatchProgram = {
  readonly main: readonly Line[];
  /**
   * Handlers by trap vector. A handler that reaches `claim` owns the trap; one that ends without leaves it to the next.
   * Those of `irq` and `nmi` are what an interrupt from outside does before it calls the patched code; those of `switch` what the
   * kernel does, interrupts off, before a task that was preempted goes on, on whatever CPU.
   */
  readonly traps?: { readonly [vector: string]: readonly Line[] };
  /**
   * Instructions, not breakpoints, by which the patcher holds up whoever comes; to execute one is no execution of the site. In a site of
   * data: what it holds in between on purpose.
   */
  readonly guards?: readonly { readonly address: bigint; readonly bytes: Bytes }[];
  /** Shared words that the program declares, with their initial values. */
  readonly words?: { readonly [name: string]: Data };
  /** Words of which every CPU has its own, with their initial values. */
  readonly cpuWords?: { readonly [name: string]: Data };
  readonly around?: Surroundings;
  /** Code and data that belong together; `pair` watches them. */
  readonly pairs?: readonly Pair[];
};

/** The arguments of steps that hold lines of their own: of an interrupt, and of stop_machine. */
export type LinesArgument = "handler" | "run" | "secondaries";

/** A line that is put into a program beside what its strategy plans: the counterpart of leaving one out. */
export type Addition = {
  /** Id of the line that it comes after, in the program or in a handler; null: before all others. */
  readonly after: string | null;
  /** It comes before the lines that the step `after` holds in this argument, not after the step. */
  readonly inside?: LinesArgument;
  readonly line: Line;
};

/** One operation of a compiled program: a rule's id and its arguments, and the step it came from. */
export type Operation = {
  readonly [O in CompiledName]: {
    readonly kind: "op";
    readonly step: string;
    readonly op: O;
    readonly args: ArgumentsOf<O>;
  };
}[CompiledName];

/** A step that compilers write and strategies do not. */
export type CompiledStep = {
  readonly [O in Exclude<keyof CompiledOperations, Exclude<OperationName, "publish">>]: {
    readonly id: string;
    readonly op: O;
    readonly args: CompiledOperations[O];
  };
}[Exclude<keyof CompiledOperations, Exclude<OperationName, "publish">>];

/** Goes on at `otherwise` unless the condition on locals holds. Takes no step. */
type Branch = { readonly kind: "branch"; readonly condition: Condition; readonly otherwise: number };

/** Goes on at `to`. Takes no step. */
type Jump = { readonly kind: "jump"; readonly to: number };

/** An entry of a compiled program. */
export type CodeEntry = Operation | Branch | Jump;

/**
 * What a compiled program is run for: a patcher's calls; an interrupt between processors; the handlers of a trap vector, of `irq`, `nmi` or
 * `switch`; the part in a stop_machine, whose work this names, of the first online CPU (`boot`) or of the others.
 */
export type ProgramRole =
  | { readonly is: "patcher"; readonly patcher: number }
  | { readonly is: "ipi" }
  | { readonly is: "handler"; readonly of: string }
  | { readonly is: "stopper"; readonly work: string; readonly boot: boolean };

/** A program as a list that contexts walk through by index. The name tells it from others, in states and to people; the role is what it is. */
export type CompiledProgram = {
  readonly name: string;
  readonly role: ProgramRole;
  readonly code: readonly CodeEntry[];
};
