import { totalmem } from "node:os";
import type { Bounds } from "@cmodx/core";
import type { Io } from "./io.js";

/** The options that bound a run. */
export type LimitOptions = { readonly maxStates?: number; readonly maxMemory?: number; readonly timeout?: number };

const MEGABYTE = 1e6;

/** Without a limit of the user's, a run ends before it fills more than half of this machine's memory. */
const defaultMegabytes = (): number => Math.floor(totalmem() / 2 / MEGABYTE);

/** The limits of a command. Its time is one budget for all that it does. */
export type Budget = {
  /** The limits as they were asked for, as core takes them. */
  readonly asked: Bounds;
  /** The limits as they stand now: of the time what is left of it. */
  left(): Bounds;
  /** No time is left. */
  readonly isOver: boolean;
};

/** The limits that the options ask for; the time begins to run. */
export const budgetOf = ({ maxStates, maxMemory, timeout }: LimitOptions, io: Pick<Io, "limited">): Budget => {
  const until = performance.now() + (timeout ?? Number.POSITIVE_INFINITY) * 1000;
  if (timeout !== undefined) io.limited?.(timeout);
  const still = (): number => Math.max(0, until - performance.now());
  const others = {
    ...(maxStates === undefined ? {} : { states: maxStates }),
    bytes: (maxMemory ?? defaultMegabytes()) * MEGABYTE,
  };
  return {
    asked: { ...others, ...(timeout === undefined ? {} : { milliseconds: timeout * 1000 }) },
    left: () => ({ ...others, ...(timeout === undefined ? {} : { milliseconds: still() }) }),
    get isOver() {
      return still() === 0;
    },
  };
};

/** The signal that ends a command whose work has no bounds of its own: Ctrl-C, and the end of its time, which begins to run. */
export const signalWithin = ({ timeout }: LimitOptions, io: Pick<Io, "limited" | "signal">): AbortSignal => {
  if (timeout === undefined) return io.signal;
  io.limited?.(timeout);
  // Of signals that are made of others Node 20 lets those go that nobody else holds, and their time never ends.
  const over = new AbortController();
  const end = (): void => over.abort();
  if (io.signal.aborted) end();
  io.signal.addEventListener("abort", end, { once: true });
  // Node's timers are of 2^31 milliseconds at most.
  setTimeout(end, Math.min(timeout * 1000, 2 ** 31 - 1)).unref();
  return over.signal;
};

/** Bytes of memory that this process has, all that it runs included: what `--max-memory` bounds. */
export const memoryInUse = (): number => process.memoryUsage.rss();

/** Why there is no use in beginning anything more; undefined while there is. */
export const cutShort = (budget: Budget, { signal }: Pick<Io, "signal">): string | undefined => {
  if (signal.aborted) return "The run was interrupted.";
  return budget.isOver ? `The limit of ${limitsOf(budget.asked).seconds} seconds was reached.` : undefined;
};

/** Megabytes of a limit in bytes. */
const megabytesOf = (bytes: number): number => bytes / MEGABYTE;

/** Core's limits in the units of the options; those that the user did not set are left out. */
export const limitsOf = ({ states, bytes, milliseconds }: Bounds) => ({
  states: states ?? null,
  megabytes: bytes === undefined || bytes === defaultMegabytes() * MEGABYTE ? null : megabytesOf(bytes),
  seconds: milliseconds === undefined ? null : milliseconds / 1000,
});
