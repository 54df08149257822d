/*
 * What a log of a kernel's patching says, whatever it was read from: the patcher's side of the protocol, as far as probes show it.
 */

/** What a probe saw. */
export type LogKind = "write" | "sync" | "round" | "event" | "call" | "return" | "lost";

/** One line of a log. */
export type LogLine = {
  /** Where it stands: the number of its line, or of its event, from 1. */
  readonly number: number;
  /** Nanoseconds, in the clock of the log. */
  readonly time: bigint;
  readonly cpu: number;
} /** Code was written: `bytes` are the first of them, as many as were logged. `old`: what stood there, where the log tells. */ & (
  | {
      readonly kind: "write";
      readonly address: bigint;
      readonly length: number;
      readonly bytes: readonly number[];
      readonly old?: readonly number[];
    }
  /** A text-poke event was published for so many bytes. */
  | { readonly kind: "event"; readonly address: bigint; readonly length: number; readonly begins: boolean }
  /** The CPU synchronised; a round of synchronisation began; a patch call began, or returned; lines of this CPU were lost. */
  | { readonly kind: "sync" | "round" | "call" | "return" | "lost" }
);

/** A log. */
export type Log = {
  /** What the numbers of lines count: `line` of a text, `event` of a file of records. */
  readonly counts: "line" | "event";
  /** CPUs that were online. */
  readonly cpus: number;
  /** In the order of their times. */
  readonly lines: readonly LogLine[];
  /** The index behind the last line up to which synchronisations were logged; absent: all were. */
  readonly syncsUntil?: number;
};
