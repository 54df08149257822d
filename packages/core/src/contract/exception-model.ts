import type { Registers } from "./instruction-set.js";
import type { Level } from "./state.js";

/** What can interrupt a CPU. */
export type Interrupt = "irq" | "ipi" | "nmi";

/**
 * An event at which an architecture may synchronise the context of a CPU: entries and returns of each level, the voluntary switch
 * between tasks, the return into code that was interrupted when its task was taken off, the return to user mode of a task that was not
 * interrupted (from a system call, or when it begins); and the machine steps of serialising instructions by their own names.
 */
export type SynchronizationEvent =
  | "irq-entry"
  | "irq-return"
  | "trap-entry"
  | "trap-return"
  | "nmi-entry"
  | "nmi-return"
  | "context-switch"
  | "resume-preempted"
  | "user-return";

/** The exception model of a CPU: who interrupts whom, and what synchronises its context. */
export interface Cpu {
  readonly id: string;
  readonly source: string;
  /** Whether an interrupt is taken by a CPU whose contexts have these levels, lowest first, with interrupts masked or not. */
  accepts(interrupt: Interrupt, levels: readonly Level[], masked: boolean): boolean;
  /** Events, and machine steps of instructions, that synchronise the context of the CPU they happen on. */
  readonly synchronizes: readonly (SynchronizationEvent | (string & {}))[];
  /**
   * Events, and machine steps of instructions, that let NMIs in again though the handler of one still runs, as every IRET does on x86.
   * Default none: NMIs stay blocked until their handler's own return.
   */
  readonly unblocksNmis?: readonly (SynchronizationEvent | (string & {}))[];
  /** Trap vectors that breakpoints raise; a patch program's byte may raise these. */
  readonly breakpoints: readonly string[];
  /** Whether trap handlers start with interrupts masked. */
  readonly trapsMask: boolean;
  /** The registers after an exception that machine code itself handles ({@link Executor.faults}); `resume` is the saved pc. By default as before. */
  raise?(registers: Registers, resume: bigint): Registers;
}
