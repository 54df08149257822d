import type { OperationName, Operations } from "../contract/operations.js";
import type { Condition, Line, Step, Value, When, While } from "../contract/program.js";

/*
 * What the words that patch programs are written in have in common: each makes one line of data; a program reads like the comment block
 * over the kernel function that it describes. The words of a service stand with its rules.
 */

const noted = (note: string | undefined): { readonly note: string } | object => (note === undefined ? {} : { note });

/** The arguments of an operation, which may be left out where it needs none, and a note. */
type Given<O extends OperationName> =
  Readonly<Record<never, never>> extends Operations[O]
    ? [args?: Operations[O], note?: string]
    : [args: Operations[O], note?: string];

/** A step with an operation of its own, e.g. one that a plugin brings. */
export const step = <O extends OperationName>(id: string, op: O, ...[args, note]: Given<O>): Step<O> =>
  ({ id, op, args: args ?? {}, ...noted(note) }) as Step<O>;

/** A step of an operation that is there for synchronisation, so that ablation may drop it. */
export const syncStep = <O extends OperationName>(id: string, op: O, ...given: Given<O>): Step<O> => ({
  ...step(id, op, ...given),
  synchronises: true,
});

/** The value of a local. */
export const local = (name: string): Value => ({ local: name });

/** Both values are the same. */
export const eq = (a: Value, b: Value): Condition => ({ test: "eq", a, b });

/** The values differ. */
export const ne = (a: Value, b: Value): Condition => ({ test: "ne", a, b });

/** The number `a` is less than the number `b`. */
export const lt = (a: Value, b: Value): Condition => ({ test: "lt", a, b });

/** Runs lines when a condition on locals holds, others when it does not. It takes no step of its own. */
export const when = (id: string, condition: Condition, then: readonly Line[], otherwise?: readonly Line[]): When => ({
  id,
  when: condition,
  lines: then,
  ...(otherwise === undefined ? {} : { otherwise }),
});

/** Repeats lines while a condition on locals holds. It takes no step of its own. */
export const whileLocal = (id: string, condition: Condition, repeat: readonly Line[]): While => ({
  id,
  while: condition,
  repeat,
});
