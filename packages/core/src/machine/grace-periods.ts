import { cpuMap, cpuPredicate, rule } from "../rule.js";
import type { Context, CpuState } from "../state.js";
import type { Machine } from "./machine.js";

/*
 * R16: grace periods. The start marks every context that the flavour waits for; a mark goes when its context ends or, for tasks,
 * switches voluntarily; preemption does not remove it. The wait is over when no mark is left.
 */

type Grace = { readonly flavour: "rcu" | "rcu-tasks" | "rcu-tasks-rude"; readonly waiter: string };

const mark = (args: Grace): string => `${args.flavour} ${args.waiter}`;

/** Whether a context holds back a grace period of this flavour that begins now. */
const holdsBack = (context: Context, flavour: Grace["flavour"], machine: Machine): boolean => {
  if (context.level === "stopper") return false;
  if (context.level !== "task") return true;
  // A trap that was fetched is taken before its CPU can reach a quiescent state; of one that may come late nobody knows until it comes.
  if (context.code.run === "machine" && context.code.trapped !== null && !machine.fetch.lateTrap) return true;
  // A patcher sleeps in its waits and is never inside the code that it patches.
  if (context.code.run !== "machine" || context.code.home) return false;
  return flavour === "rcu-tasks" || (flavour === "rcu-tasks-rude" && !machine.preempt);
};

const marked = (context: Context, args: Grace, machine: Machine): Context =>
  holdsBack(context, args.flavour, machine) && !context.marks.includes(mark(args))
    ? { ...context, marks: [...context.marks, mark(args)].sort() }
    : context;

/** The marks that a context keeps when its trap's handler, which gets them all, is entered. */
export const marksBelowTrap = (context: Context, machine: Machine): readonly string[] =>
  context.marks.filter((name) => holdsBack(context, name.split(" ")[0] as Grace["flavour"], machine));

/** Begins a grace period. */
export const beginGraceRule = rule({
  id: "beginGrace",
  source: "rcu_tasks_pertask, kernel/rcu/tasks.h, 7.3",
  reads: ["cpu", "parked"],
  writes: ["cpu", "parked", "everyCpu"],
  maps: ["mark-grace"],
  ordering: () => "atomic",
  apply: ({ cpu, parked }, args: Grace, machine) => [
    {
      set: {
        cpu: machine.advance(cpu),
        parked: { tasks: parked.tasks.map((task) => marked(task, args, machine)) },
      },
      everyCpu: { id: "mark-grace", args },
      touches: ["stack"],
      observed: [{ what: "begin-grace", detail: { flavour: args.flavour } }],
    },
  ],
});

/** Marks what runs on one CPU. */
export const markGraceMap = cpuMap({
  id: "mark-grace",
  apply: (cpu, args: Grace, machine): CpuState => ({
    ...cpu,
    stack: cpu.stack.map((context) => marked(context, args, machine)),
  }),
});

/** Waits for a grace period to end. */
export const awaitGraceRule = rule({
  id: "awaitGrace",
  source: "rcu_tasks_wait_gp, kernel/rcu/tasks.h, 7.3",
  reads: ["cpu", "parked"],
  writes: ["cpu"],
  ordering: () => "event",
  guard: (args: Grace) => ({ id: "no-grace-mark", args }),
  apply: ({ cpu, parked }, args: Grace, machine) =>
    parked.tasks.some((task) => task.marks.includes(mark(args)))
      ? []
      : [{ set: { cpu: machine.advance(cpu) }, observed: [{ what: "grace", detail: { flavour: args.flavour } }] }],
});

/** No context of this CPU holds back the grace period. */
export const noGraceMarkPredicate = cpuPredicate({
  id: "no-grace-mark",
  holds: (cpu, args: Grace) => !cpu.stack.some((context) => context.marks.includes(mark(args))),
});
