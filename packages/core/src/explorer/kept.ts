import type { Context, CpuState } from "../contract/state.js";
import type { Machine } from "../machine/machine.js";
import { patcherProgram } from "../program/roles.js";
import { CPU0, PARKED } from "./row.js";
import type { Taken } from "./search.js";
import type { Steps } from "./steps.js";

/** What a run for ever may keep from its end: a patch call, or a CPU from the way out of a trap, an interrupt or a wait. */
export interface Kept {
  /** Whether it is under way in the state whose row starts at `base`. */
  inside(rows: Int32Array, base: number): boolean;
  /** Whether it is still the same one after a transition between two such states. */
  stays(edge: Taken): boolean;
}

/** Something that can be kept, and why this breaks `progress`, given the state that the run comes back to. */
export interface Keepable extends Kept {
  why(rows: Int32Array, base: number): string;
}

/** Everything of a machine that can be kept. CPUs are told apart by their columns. */
export const keepable = (steps: Steps, calls: readonly PatchCall[]): readonly Keepable[] => [
  ...calls,
  ...Array.from({ length: steps.width - CPU0 }, (_, cpu) => new Held(steps, CPU0 + cpu)),
];

/** The call that a patcher makes. */
export class PatchCall implements Keepable {
  readonly #steps: Steps;
  readonly #machine: Machine;
  readonly #program: string;
  readonly #calling: readonly boolean[];

  constructor(steps: Steps, patcher: number) {
    this.#steps = steps;
    this.#machine = steps.machine;
    this.#program = patcherProgram(steps.machine.layout.programs, patcher);
    this.#calling = callingAt(steps.machine, this.#program);
  }

  inside(rows: Int32Array, base: number): boolean {
    return this.#task(rows, base) !== undefined;
  }

  /** The patcher's task while it is in a call, wherever it is. */
  #task(rows: Int32Array, base: number): Context | undefined {
    const {
      width,
      parts: { cpu, parked },
    } = this.#steps;
    for (let column = CPU0; column < width; column++) {
      const [task] = cpu.value(rows[base + column] as number).stack;
      if (this.isIn(task)) return task;
    }
    return parked.value(rows[base + PARKED] as number).tasks.find((task) => this.isIn(task));
  }

  /** Whether a task is this patcher's, and in a call. */
  isIn(task: Context | undefined): boolean {
    const code = task?.code;
    return code?.run === "program" && code.program === this.#program && this.#calling[code.at] === true;
  }

  stays(): boolean {
    return true;
  }

  why(rows: Int32Array, base: number): string {
    const code = this.#task(rows, base)?.code;
    const step = code?.run === "program" ? this.#machine.next(code)?.step : undefined;
    return `The call of ${this.#program} need never end: from the loop shown it comes back to ${step ?? "its end"} for ever, though everybody takes turns.`;
  }
}

/** By place in a patcher's program, whether a call is under way there. */
const callingAt = (machine: Machine, program: string): readonly boolean[] => {
  let calling = false;
  return (machine.layout.programs.get(program)?.code ?? []).map((entry) => {
    const before = calling;
    if (entry.kind === "op" && entry.op === "beginCall") calling = true;
    if (entry.kind === "op" && entry.op === "returnCall") calling = false;
    return before;
  });
};

/** A CPU that does not get back to its task, or whose task is trapped or held up at one instruction again and again. */
class Held implements Keepable {
  readonly #steps: Steps;
  readonly #column: number;

  constructor(steps: Steps, column: number) {
    this.#steps = steps;
    this.#column = column;
  }

  inside(rows: Int32Array, base: number): boolean {
    return isHeld(this.#steps.parts.cpu.value(rows[base + this.#column] as number));
  }

  stays({ effect, column }: Taken): boolean {
    return column !== this.#column || !goesOn(this.#steps, effect);
  }

  why(rows: Int32Array, base: number): string {
    const { stack } = this.#steps.parts.cpu.value(rows[base + this.#column] as number);
    const task = stack[0]?.code;
    const at = task?.run === "machine" ? ` of its task at 0x${task.pc.toString(16)}` : "";
    return `CPU ${this.#column - CPU0} need never come out of a trap, an interrupt or a wait${at}: it goes round the loop shown for ever, though everybody takes turns.`;
  }
}

/** Whether a CPU may stand in a trap, an interrupt or a wait: it handles one, or its task is somewhere in its code. */
export const isHeld = ({ stack }: CpuState): boolean => {
  const top = stack[stack.length - 1];
  if (top === undefined || top.level === "stopper") return false;
  if (stack.length > 1) return true;
  return top.code.run === "machine" && (!top.code.home || top.code.trapped !== null);
};

/** Whether an effect takes the task of a CPU on: it executes an instruction that is no trap and no guard of a patcher. */
export const goesOn = (steps: Steps, effect: number): boolean => {
  const { rule, observed } = steps.effects.info(effect);
  if (steps.actingPart(effect).stack.length > 1 || rule !== steps.machine.order.execute.id) return false;
  return !observed.some(({ what, detail }) => what === "execute" && (detail.owned === true || detail.vector !== null));
};
