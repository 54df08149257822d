import type { Bounds } from "@cmodx/core";

/** The options that bound a run. */
export type LimitOptions = { readonly maxStates?: number; readonly maxMemory?: number; readonly timeout?: number };

const MEGABYTE = 1e6;

/** The limits as core takes them. */
export const boundsOf = ({ maxStates, maxMemory, timeout }: LimitOptions): Bounds => ({
  ...(maxStates === undefined ? {} : { states: maxStates }),
  ...(maxMemory === undefined ? {} : { bytes: maxMemory * MEGABYTE }),
  ...(timeout === undefined ? {} : { milliseconds: timeout * 1000 }),
});

/** Core's limits in the units of the options. */
export const limitsOf = ({ states, bytes, milliseconds }: Bounds) => ({
  states: states ?? null,
  megabytes: bytes === undefined ? null : bytes / MEGABYTE,
  seconds: milliseconds === undefined ? null : milliseconds / 1000,
});
