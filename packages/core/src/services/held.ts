import type { Observation } from "../contract/events.js";
import type { Context } from "../contract/state.js";

/*
 * R51: what a program took it gives back before it ends: locks, windows, read-side sections, and interrupts where it masked them. Nobody else
 * can; whoever comes next waits for ever, or finds the CPU as it should not be.
 */

/** A sorted list with one thing more. */
export const withOne = (things: readonly string[] | undefined, thing: string): readonly string[] =>
  [...(things ?? []), thing].sort();

/** A list with one such thing less; undefined where it has none. */
export const withoutOne = (things: readonly string[] | undefined, thing: string): readonly string[] | undefined => {
  const at = things?.indexOf(thing) ?? -1;
  return things === undefined || at < 0 ? undefined : things.filter((_, i) => i !== at);
};

/** The context that holds one thing more: a lock or a window, by its words. */
export const holding = (context: Context, thing: string): Context => ({
  ...context,
  holds: withOne(context.holds, thing),
});

/** The context that holds one thing less; undefined where it does not hold it. */
export const released = (context: Context, thing: string): Context | undefined => {
  const { holds, ...rest } = context;
  const left = withoutOne(holds, thing);
  if (left === undefined) return undefined;
  return left.length === 0 ? rest : { ...rest, holds: left };
};

/** What a context holds whose program ends here, or returns to its caller; `by` begins the sentence: "The patch call returned". */
export const leftOpen = (by: string, context: Context): readonly Observation[] => {
  if (context.code.run !== "program") return [];
  const things = [
    ...(context.masked && context.level === "task" ? ["interrupts off"] : []),
    ...(context.holds ?? []),
    ...(context.reads ?? []).map((section) => `a read-side section of ${section} entered`),
  ];
  return things.length === 0 ? [] : [{ what: "left-open", detail: { by, things } }];
};
