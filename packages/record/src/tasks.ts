import { type Context, type Data, keyOf, type StateView } from "@cmodx/core";

/** A task as tools show it. */
export type Task = { readonly pid: number; readonly name: string };

/** The idle task of a CPU. */
const idle = (cpu: number): Task => ({ pid: 0, name: `swapper/${cpu}` });

const FIRST_PID = 1000;

const nameOf = ({ code }: Context, count: number): string =>
  code.run === "program" ? code.program.replaceAll(" ", "-") : `${code.routine}-${count}`;

const key = (context: Context): string => keyOf(context as unknown as Data);

/** Which task is on which CPU, while tasks are taken off and go on elsewhere. Tasks that are alike are interchangeable. */
export class Tasks {
  readonly all: Task[] = [];
  readonly #on: Task[];
  readonly #parked: { readonly key: string; readonly task: Task }[] = [];

  constructor({ cpus, parked }: StateView) {
    const counts = new Map<string, number>();
    const made = (context: Context): Task => {
      const kind = context.code.run === "program" ? context.code.program : context.code.routine;
      const count = counts.get(kind) ?? 0;
      counts.set(kind, count + 1);
      const task = { pid: FIRST_PID + this.all.length, name: nameOf(context, count) };
      this.all.push(task);
      return task;
    };
    this.#on = cpus.map(({ stack: [context] }, cpu) => (context === undefined ? idle(cpu) : made(context)));
    for (const context of parked.tasks) this.#park(context, made(context));
  }

  #park(context: Context, task: Task): void {
    this.#parked.push({ key: key(context), task });
  }

  /** The task on a CPU; that of an interrupt is the one that it interrupted. */
  on(cpu: number): Task {
    return this.#on[cpu] as Task;
  }

  /** A step was taken on a CPU: some task may have left it, or come to it. */
  follow(cpu: number, before: StateView, after: StateView): void {
    const task = this.on(cpu);
    const left = after.cpus[cpu]?.stack.length === 0;
    if (before.parked !== after.parked) {
      const came = without(before.parked.tasks.map(key), after.parked.tasks.map(key));
      const went = without(after.parked.tasks.map(key), before.parked.tasks.map(key));
      if (went.length > came.length) this.#parked.push({ key: went[0] as string, task });
      // What was taken off may have changed meanwhile: then it is any of those that wait.
      const found = this.#parked.findIndex((each) => each.key === came[0]);
      if (came.length > went.length) {
        const [taken] = this.#parked.splice(Math.max(found, 0), 1);
        if (taken !== undefined) this.#on[cpu] = taken.task;
      } else if (came.length > 0 && found >= 0)
        this.#parked.splice(found, 1, {
          key: went[0] as string,
          task: (this.#parked[found] as { readonly task: Task }).task,
        });
    }
    if (left) this.#on[cpu] = idle(cpu);
  }
}

/** What is in a list and not in another, as often as it is there more. */
const without = (list: readonly string[], others: readonly string[]): readonly string[] => {
  const left = [...list];
  for (const other of others) {
    const at = left.indexOf(other);
    if (at >= 0) left.splice(at, 1);
  }
  return left;
};
