import { keyOf } from "../key.js";
import { rule } from "../rule.js";
import { type Context, type CpuState, running } from "../state.js";
import { push } from "./interrupts.js";
import type { Machine } from "./machine.js";
import { stopperWork, trapProgram } from "./reserved.js";
import { synchronize } from "./windows.js";

/*
 * R14: tasks. With preemption a task can be taken off at any instruction boundary, with its registers and pc, and go on later on
 * any CPU; without, it gives up the CPU at its voluntary switch alone.
 */

/** Takes the running task off the CPU. */
export const preemptRule = rule({
  id: "preempt",
  source: "R14",
  reads: ["cpu", "parked"],
  writes: ["cpu", "parked"],
  ordering: () => "event",
  apply({ cpu, parked }, _args, machine) {
    const task = running(cpu) as Context;
    const tasks = [...parked.tasks, task].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
    return [
      {
        set: { cpu: { ...(machine.order.discard?.(cpu) ?? cpu), stack: [], fetching: null }, parked: { tasks } },
        observed: [
          { what: "preempt", detail: { task: nameOf(task), at: task.code.run === "machine" ? task.code.pc : null } },
        ],
      },
    ];
  },
});

/** Puts a task that was taken off on an idle CPU. */
export const resumeRule = rule({
  id: "resume",
  source: "R14",
  reads: ["cpu", "memory", "parked"],
  writes: ["cpu", "parked"],
  ordering: () => "event",
  apply({ cpu, memory, parked }, _args, machine) {
    return parked.tasks.flatMap((task, i) => {
      const earlier = parked.tasks[i - 1];
      if (earlier !== undefined && keyOf(earlier) === keyOf(task)) return [];
      const resumed: CpuState = { ...cpu, stack: [task, ...switching(machine)] };
      return [
        {
          set: {
            cpu: machine.cpu.synchronizes.includes("resume-preempted")
              ? synchronize(resumed, memory, machine)
              : resumed,
            parked: { tasks: parked.tasks.filter((_, j) => j !== i) },
          },
          observed: [
            { what: "resume", detail: { task: nameOf(task), at: task.code.run === "machine" ? task.code.pc : null } },
          ],
        },
      ];
    });
  },
});

/** What patch programs do in the switch to a task. */
const switching = (machine: Machine): readonly Context[] => {
  const program = trapProgram("switch");
  if (!machine.hasProgram(program)) return [];
  return [{ level: "irq", code: machine.start(program, {}, null), masked: true, preempts: true, marks: [] }];
};

const nameOf = (task: Context): string => (task.code.run === "machine" ? task.code.routine : task.code.program);

/** A task whose program ended leaves its CPU idle. */
export const exitTaskRule = rule({
  id: "exit-task",
  source: "R14",
  reads: ["cpu"],
  writes: ["cpu"],
  // Nobody waits for a task that has nothing left to do.
  urgent: () => true,
  apply: ({ cpu }) => [
    { set: { cpu: { ...cpu, stack: cpu.stack.slice(0, -1) } }, observed: [{ what: "exit-task", detail: {} }] },
  ],
});

/** The stopper thread of stop_machine takes the CPU. */
export const takeStopperRule = rule({
  id: "take-stopper",
  source: "cpu_stopper_thread, kernel/stop_machine.c, 7.3",
  reads: ["cpu"],
  writes: ["cpu"],
  ordering: () => "event",
  apply({ cpu }, args: { readonly work: string }, machine) {
    const program = `${args.work} ${cpu.boot ? "active" : "secondary"}`;
    const stopper: Context = {
      level: "stopper",
      code: machine.start(program, {}, null),
      masked: false,
      preempts: !givesUpCpu(cpu, machine),
      marks: [],
    };
    const pending = cpu.pending.filter((name) => name !== stopperWork(args.work));
    return [
      { set: { cpu: push({ ...cpu, pending }, stopper, machine) }, observed: [{ what: "take-stopper", detail: {} }] },
    ];
  },
});

/** Whether the running task stands at a voluntary switch, sleeps, or is not there at all. With interrupts masked nobody sleeps. */
export const givesUpCpu = (cpu: CpuState, machine: Machine): boolean => {
  const context = running(cpu);
  if (context === undefined) return true;
  if (context.level !== "task" || context.masked) return false;
  return context.code.run === "machine"
    ? context.code.home && context.code.trapped === null
    : SLEEPING.has(machine.next(context.code)?.op ?? "");
};

/** The stopper thread gives the CPU back. Preempted code goes on through the return from the interrupt that preempted it. */
export const exitStopperRule = rule({
  id: "exit-stopper",
  source: "R14",
  reads: ["cpu", "memory"],
  writes: ["cpu"],
  ordering: () => "event",
  apply({ cpu, memory }, _args, machine) {
    const stopper = running(cpu) as Context;
    const popped: CpuState = { ...cpu, stack: cpu.stack.slice(0, -1) };
    const event = stopper.preempts ? "resume-preempted" : "context-switch";
    const resumed = machine.cpu.synchronizes.includes(event) ? synchronize(popped, memory, machine) : popped;
    return [{ set: { cpu: resumed }, observed: [{ what: "exit-stopper", detail: {} }] }];
  },
});

/** Whether the running task can be taken off now. */
export const preemptible = (cpu: CpuState, machine: Machine): boolean => {
  const context = running(cpu);
  if (!machine.preempt || context?.level !== "task" || context.masked) return false;
  if (context.code.run === "machine") return context.code.trapped === null;
  return !NOT_PREEMPTIBLE.has(machine.next(context.code)?.op ?? "");
};

/** Steps in which a task sleeps, so that its CPU can do something else. */
export const SLEEPING: ReadonlySet<string> = new Set(["lock", "queueStop", "awaitStop", "awaitGrace"]);

/** Steps inside a section with preemption off (`on_each_cpu`). */
const NOT_PREEMPTIBLE: ReadonlySet<string> = new Set(["waitIpi"]);
