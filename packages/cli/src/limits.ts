import { totalmem } from "node:os";
import type { Bounds } from "@cmodx/core";

/** The options that bound a run. */
export type LimitOptions = { readonly maxStates?: number; readonly maxMemory?: number; readonly timeout?: number };

const MEGABYTE = 1e6;

/** Without a limit of the user's, a run ends before it fills more than half of this machine's memory. */
const defaultMegabytes = (): number => Math.floor(totalmem() / 2 / MEGABYTE);

/** The limits as core takes them. */
export const boundsOf = ({ maxStates, maxMemory, timeout }: LimitOptions): Bounds => ({
  ...(maxStates === undefined ? {} : { states: maxStates }),
  bytes: (maxMemory ?? defaultMegabytes()) * MEGABYTE,
  ...(timeout === undefined ? {} : { milliseconds: timeout * 1000 }),
});

/** Megabytes of a limit in bytes. */
export const megabytesOf = (bytes: number): number => bytes / MEGABYTE;

/** Core's limits in the units of the options; those that the user did not set are left out. */
export const limitsOf = ({ states, bytes, milliseconds }: Bounds) => ({
  states: states ?? null,
  megabytes: bytes === undefined || bytes === defaultMegabytes() * MEGABYTE ? null : megabytesOf(bytes),
  seconds: milliseconds === undefined ? null : milliseconds / 1000,
});
