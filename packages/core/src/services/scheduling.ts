import { keyOf, same } from "../base/key.js";
import type { SynchronizationEvent } from "../contract/exception-model.js";
import { type Rule, rule } from "../contract/rule.js";
import { type Context, type CpuState, type ProgramCode, running } from "../contract/state.js";
import { quiet } from "../contract/telling.js";
import type { World } from "../contract/world.js";
import { synchronize } from "../fetch/stale-code.js";
import { resumption } from "../fetch/text.js";
import { push } from "./entry.js";
import { leftOpen } from "./held.js";
import { without } from "./posted.js";
import { standing } from "./said.js";

/*
 * R14: tasks. With preemption a task can be taken off at any instruction boundary, with its registers and pc, and go on later on
 * any CPU; without, it gives up the CPU at its voluntary switch alone.
 *
 * R45: the return from an interrupt comes to who was interrupted, wherever that goes on, and to nobody else. At the end of an interrupt
 * the scheduler may go to another task first, whose way back is another one: that out of a switch or, in user mode, of a system call.
 */

/** Takes the running task off the CPU, at the end of an interrupt together with that. */
export const preemptRule = rule({
  id: "preempt",
  fromOutside: true,
  turn: "nobody",
  source: "R14",
  reads: ["cpu", "parked"],
  writes: ["cpu", "parked"],
  says: {
    preempt: ({ at, instead }, telling) =>
      `${instead === true ? "instead of returning from the interrupt, " : ""}its task is preempted${standing(at, telling)}`,
  },
  ordering: () => "event",
  apply({ cpu, parked }, _args, machine) {
    const task = cpu.stack[0] as Context;
    const tasks = [...parked.tasks, task].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
    return [
      {
        set: { cpu: { ...(machine.order.discard?.(cpu) ?? cpu), stack: [], fetching: null }, parked: { tasks } },
        observed: [
          {
            what: "preempt",
            detail: {
              task: nameOf(task),
              at: task.code.run === "machine" ? task.code.pc : null,
              ...(cpu.stack.length > 1 ? { instead: true } : {}),
            },
          },
        ],
      },
    ];
  },
});

/** Puts a task that was taken off on an idle CPU. */
export const resumeRule = rule({
  id: "resume",
  source: "R14",
  turn: "parked",
  reads: ["cpu", "memory", "parked"],
  writes: ["cpu", "parked"],
  says: {
    resume: ({ at, slept }, telling) =>
      `a task that ${slept === true ? "slept" : "was preempted"} goes on here${standing(at, telling)}`,
  },
  ordering: () => "event",
  apply({ cpu, memory, parked }, _args, machine) {
    return parked.tasks.flatMap((task, i) => {
      const earlier = parked.tasks[i - 1];
      if (earlier !== undefined && keyOf(earlier) === keyOf(task)) return [];
      const resumed: CpuState = { ...cpu, stack: [task, ...switching(machine)] };
      return [
        {
          set: {
            cpu: machine.cpu.synchronizes.includes(wayBack(task, machine))
              ? synchronize(resumed, memory, machine)
              : resumed,
            parked: { tasks: parked.tasks.filter((_, j) => j !== i) },
          },
          observed: [
            {
              what: "resume",
              detail: {
                task: nameOf(task),
                at: task.code.run === "machine" ? task.code.pc : null,
                ...(wayBack(task, machine) === "resume-preempted" ? {} : { slept: true }),
                ...resumption(task, memory, machine),
              },
            },
          ],
        },
      ];
    });
  },
});

/** How a task goes on that was taken off: it was interrupted, or it gave its CPU up by itself, or has not begun. */
const wayBack = (task: Context, machine: World): SynchronizationEvent => {
  const { code } = task;
  if (code.run === "program") return isAsleep(task, machine) ? "context-switch" : "resume-preempted";
  const begins = code.home ? code.trapped === null : same(code, machine.begin(code.routine));
  return !begins ? "resume-preempted" : machine.user ? "user-return" : "context-switch";
};

/** What patch programs do in the switch to a task. */
const switching = (machine: World): readonly Context[] => {
  const program = machine.handlerOf("switch");
  if (program === undefined) return [];
  return [{ level: "irq", code: machine.start(program, {}, null), masked: true, preempts: true, marks: [] }];
};

const nameOf = (task: Context): string => (task.code.run === "machine" ? task.code.routine : task.code.program);

/** A task whose program ended leaves its CPU idle. */
export const exitTaskRule = rule({
  id: "exit-task",
  source: "R14",
  reads: ["cpu"],
  writes: ["cpu"],
  says: {
    "exit-task": () => quiet("the task ends"),
  },
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
  turn: "posted",
  reads: ["cpu"],
  writes: ["cpu"],
  says: {
    "take-stopper": () => quiet("the stopper thread takes the CPU"),
  },
  ordering: () => "event",
  apply({ cpu }, args: { readonly work: string }, machine) {
    const stopper: Context = {
      level: "stopper",
      code: machine.start(machine.stopperOf(args.work, cpu.boot), {}, null),
      masked: false,
      preempts: !givesUpCpu(cpu, machine),
      marks: [],
    };
    const pending = without(cpu, { kind: "stopper", work: args.work });
    // A task that gives up its CPU leaves what that has fetched ahead.
    const taken = stopper.preempts
      ? push({ ...cpu, pending }, stopper, machine)
      : { ...cpu, pending, stack: [...cpu.stack, stopper] };
    return [{ set: { cpu: taken }, observed: [{ what: "take-stopper", detail: {} }] }];
  },
});

/** Whether the running task stands at a voluntary switch, sleeps, or is not there at all. With interrupts masked nobody sleeps. */
export const givesUpCpu = (cpu: CpuState, machine: World): boolean => {
  const context = running(cpu);
  if (context === undefined) return true;
  if (context.level !== "task") return false;
  return context.code.run === "machine"
    ? context.code.home && context.code.trapped === null
    : isAsleep(context, machine);
};

/** Whether a task that runs a program stands at a step in which it sleeps. With interrupts masked nobody sleeps. */
export const isAsleep = ({ code, level, masked }: Context, machine: World): boolean =>
  code.run === "program" && level === "task" && !masked && nextRule(code, machine)?.sleeps === true;

/** The stopper thread gives the CPU back. Preempted code goes on through the return from the interrupt that preempted it. */
export const exitStopperRule = rule({
  id: "exit-stopper",
  source: "R14",
  reads: ["cpu", "memory"],
  writes: ["cpu"],
  says: {
    "exit-stopper": () => "the stopper thread ends",
  },
  ordering: () => "event",
  apply({ cpu, memory }, _args, machine) {
    const stopper = running(cpu) as Context;
    const popped: CpuState = { ...cpu, stack: cpu.stack.slice(0, -1) };
    const [task] = popped.stack;
    const asleep = machine.user && task?.code.run === "machine" ? "user-return" : "context-switch";
    const event = stopper.preempts ? "resume-preempted" : asleep;
    const resumed = machine.cpu.synchronizes.includes(event) ? synchronize(popped, memory, machine) : popped;
    const detail = resumption(running(popped), memory, machine);
    const open = leftOpen("A function of stop_machine ended", stopper);
    return [{ set: { cpu: resumed }, observed: [{ what: "exit-stopper", detail }, ...open] }];
  },
});

/** Whether the running task can be taken off now. */
export const preemptible = (cpu: CpuState, machine: World): boolean => canBeTakenOff(running(cpu), machine);

/**
 * Whether an interrupt ends on this CPU whose return would take something from what the CPU may fetch, and the interrupted task can be
 * taken off before that. Where the return takes nothing, to take the task off after it is the same.
 */
export const endsInSwitch = (cpu: CpuState, machine: World): boolean => {
  const [task, interrupt] = cpu.stack;
  if (cpu.stack.length !== 2 || interrupt?.level !== "irq" || !machine.cpu.synchronizes.includes("irq-return"))
    return false;
  const { code } = interrupt;
  const ends = code.run === "program" ? machine.next(code) === undefined : code.home;
  const narrows =
    machine.order.narrow !== undefined || cpu.behind !== undefined || !isEmpty(cpu.stale) || !isEmpty(cpu.excludes);
  return ends && narrows && canBeTakenOff(task, machine);
};

const isEmpty = (map: object): boolean => Object.keys(map).length === 0;

const canBeTakenOff = (context: Context | undefined, machine: World): boolean => {
  if (!machine.preempt || context?.level !== "task" || context.masked) return false;
  if (context.code.run === "machine") return context.code.trapped === null;
  return !holdsPreemptionOff(context.code, machine);
};

/** Whether a program stands in a section with preemption off. */
export const holdsPreemptionOff = (code: ProgramCode, machine: World): boolean =>
  nextRule(code, machine)?.preemptionOff === true;

const nextRule = (code: ProgramCode, machine: World): Rule | undefined => {
  const next = machine.next(code);
  return next === undefined ? undefined : machine.rule(next.op);
};
