import type { Data } from "../base/data.js";
import type { EventName } from "../contract/events.js";
import type { Value } from "../contract/program.js";
import type { CostName } from "./cost-model.js";
import type { Task } from "./timed-cpu.js";
import type { TimedPrograms } from "./timed-programs.js";
import type { Posted } from "./timed-queue.js";
import type { TimedRun } from "./timed-scenario.js";
import type { TimedText } from "./timed-text.js";
import type { TimedWords } from "./timed-words.js";

/** A step that cannot be taken yet. */
export const WAITS = "waits";

/** The numbers that a run counts. */
export type Counts = { -readonly [K in keyof TimedRun as TimedRun[K] extends number ? K : never]: number };

/** What the steps of programs may ask of the run that they are in. */
export interface TimedHost {
  /** Nanoseconds. */
  readonly now: number;
  readonly cpus: number;
  readonly counts: Counts;
  readonly words: TimedWords;
  readonly text: TimedText;
  readonly programs: TimedPrograms;
  /** The value of a cost parameter. */
  cost(name: CostName): number;
  /** Says what happened. */
  say(cpu: number, what: EventName, detail?: string | (() => string)): void;
  /** A call begins, or has returned. */
  call(patcher: number, returned: boolean): void;
  /** Posts a program to a CPU, which hears of it after some time. */
  post(cpu: number, posted: Posted, after: number): void;
  /** All CPUs are being synchronised: the sites that were finished before are a batch. */
  synchronises(): void;
  /** A CPU's program waits to be woken. */
  wait(cpu: number, channel: string): typeof WAITS;
  /** Who waits on a channel looks again, after some time. */
  wake(channel: string, after?: number): void;
  /** A program stores to code. */
  store(cpu: number, address: bigint, bytes: string): void;
  /** The value of a constant or a local. Throws {@link InputError} for what only a step of a plugin's could tell. */
  value(task: Task, value: Value): Data;
}
