import type { Data } from "../base/data.js";
import type { CompiledProgram } from "../contract/program.js";
import type { Level } from "../contract/state.js";
import type { Posted } from "./timed-queue.js";
import type { TimedSite } from "./timed-text.js";

/** A program that a CPU runs, or has interrupted. */
export type Task = {
  readonly program: CompiledProgram;
  readonly level: Level;
  at: number;
  readonly locals: { [name: string]: Data };
  masked: boolean;
  /** It has come to its end, and returns. */
  returns: boolean;
  /** What is left of the step that it was interrupted in, in nanoseconds; null while it waits for something. */
  left: number | null;
  /** The site whose breakpoint raised the trap that it handles. */
  readonly trap: TimedSite | null;
  /** It has set what it interrupted back to the trap's address. */
  restarts: boolean;
  /** Since when it waits for a lock; null where it does not. */
  asked: number | null;
};

/** A CPU: what it runs over the code of the sites, lowest first, and what was posted to it. */
export class TimedCpu {
  readonly stack: Task[] = [];
  pending: Posted[] = [];
  /** A step that was scheduled under another number has been given up. */
  turn = 0;
  /** When the step under way ends. */
  until = 0;
  /** The site at which it is held up. */
  held: TimedSite | null = null;
  /** Since when it does not run the code of the sites; null while it does. */
  pausedAt: number | null = null;
  lost = 0;
  longest = 0;

  /** The program that it runs; undefined where that is the code of the sites. */
  get top(): Task | undefined {
    return this.stack[this.stack.length - 1];
  }

  /** Notes whether it runs the code of the sites from now on. */
  note(now: number): void {
    const runs = this.stack.length === 0 && this.held === null;
    if (!runs) this.pausedAt ??= now;
    else if (this.pausedAt !== null) {
      const pause = now - this.pausedAt;
      this.lost += pause;
      this.longest = Math.max(this.longest, pause);
      this.pausedAt = null;
    }
  }
}
