import type { Step } from "../contract/program.js";
import { cpuMap, cpuPredicate, rule } from "../contract/rule.js";
import type { Context, CpuState } from "../contract/state.js";
import type { World } from "../contract/world.js";
import { syncStep } from "../program/builder.js";
import { readFlavour, readsIn } from "./read-sections.js";
import { listed } from "./said.js";
import { holdsPreemptionOff, isAsleep } from "./scheduling.js";

/*
 * R16: grace periods. The start marks every context that the flavour waits for; a mark goes when its context no longer holds the period
 * back. The wait is over when no mark is left. What holds back a period of which flavour:
 *
 *                     read-side section   handlers, IRQs off   preemption off   a task's own code
 *   rcu               where preemptible   yes                  yes              until it switches; where preemptible: no
 *   rcu-tasks-rude    there is none       yes                  yes              until it switches; where preemptible: no
 *   rcu-tasks         yes (exit path)     yes                  yes              until it switches voluntarily
 *   srcu:…, …-trace   yes                 no                   no               no
 *
 * To sleep is to switch, and so is to stand at a step that may sleep; a section survives that, but for RCU's where tasks are not
 * preemptible. User mode holds nothing back.
 */

type Grace = { readonly flavour: string; readonly waiter: string };

const mark = (args: Grace): string => `${args.flavour} ${args.waiter}`;

/** Whether a context holds back a grace period of this flavour that begins now. */
const holdsBack = (context: Context, flavour: string, machine: World): boolean => {
  const { level, code } = context;
  if (readsIn(context, flavour) && (flavour !== "rcu" || machine.preempt)) return true;
  if (flavour.startsWith("srcu:") || flavour === "rcu-tasks-trace" || level === "stopper") return false;
  if (machine.user && (code.run === "machine" || level === "task" || level === "trap")) return false;
  if (level !== "task") return true;
  // A trap that was fetched is taken before its CPU can reach a quiescent state; of one that may come late nobody knows until it comes.
  if (code.run === "machine" && code.trapped !== null && !machine.fetch.lateTrap) return true;
  if (context.masked) return true;
  if (code.run === "machine" ? code.home : isAsleep(context, machine)) return false;
  const switchesItself = flavour === "rcu-tasks" || !machine.preempt;
  return switchesItself || (code.run === "program" && holdsPreemptionOff(code, machine));
};

/** The context without the marks of grace periods that it no longer holds back. */
export const withoutPast = (context: Context, machine: World): Context => {
  if (context.marks.length === 0) return context;
  const marks = context.marks.filter((name) => holdsBack(context, flavourOf(name), machine));
  return marks.length === context.marks.length ? context : { ...context, marks };
};

const flavourOf = (name: string): string => name.slice(0, name.indexOf(" "));

const marked = (context: Context, args: Grace, machine: World): Context =>
  holdsBack(context, args.flavour, machine) && !context.marks.includes(mark(args))
    ? { ...context, marks: [...context.marks, mark(args)].sort() }
    : context;

/** The marks that a context keeps when its trap's handler, which gets them all, is entered. */
export const marksBelowTrap = (context: Context, machine: World): readonly string[] =>
  withoutPast(context, machine).marks;

/** Begins a grace period. */
export const beginGraceRule = rule({
  id: "beginGrace",
  source: "rcu_tasks_pertask, kernel/rcu/tasks.h, 7.3",
  reads: ["cpu", "parked"],
  writes: ["cpu", "parked", "everyCpu"],
  says: {
    "begin-grace": ({ flavour }) => `${flavour} grace period begins`,
  },
  maps: ["mark-grace"],
  ordering: () => "atomic",
  apply: ({ cpu, parked }, args: Grace, machine) => [
    {
      set: {
        cpu: machine.advance(cpu),
        parked: { tasks: parked.tasks.map((task) => marked(task, args, machine)) },
      },
      everyCpu: { id: "mark-grace", args },
      observed: [{ what: "begin-grace", detail: { flavour: args.flavour } }],
    },
  ],
});

/** Marks what runs on one CPU. */
export const markGraceMap = cpuMap({
  id: "mark-grace",
  touches: ["stack"],
  apply: (cpu, args: Grace, machine): CpuState => ({
    ...cpu,
    stack: cpu.stack.map((context) => marked(context, args, machine)),
  }),
});

/** Waits for a grace period to end. */
export const awaitGraceRule = rule({
  id: "awaitGrace",
  source: "rcu_tasks_wait_gp, kernel/rcu/tasks.h, 7.3",
  sleeps: true,
  reads: ["cpu", "parked"],
  writes: ["cpu"],
  says: {
    grace: ({ flavour }) => `${flavour} grace period ends`,
  },
  ordering: () => "event",
  guard: (args: Grace) => ({ id: "no-grace-mark", args }),
  waits(args, { cpus, parked }) {
    const contexts = [...cpus.flatMap(({ stack }) => stack), ...parked.tasks];
    const by = contexts.flatMap(({ marks, code }) =>
      marks.includes(mark(args)) ? [code.run === "program" ? code.program : code.routine] : [],
    );
    return `for the ${args.flavour} grace period to end${by.length === 0 ? "" : `; ${listed(by)} ${by.length === 1 ? "holds" : "hold"} it back`}`;
  },
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

/**
 * Waits for a grace period of RCU (`synchronize_rcu`): for every handler that runs now and every stretch with interrupts or preemption
 * off; where tasks are preemptible for the read-side sections of RCU, else for every CPU to pass a switch of tasks.
 */
export const waitRcu = (id: string, note?: string): Step => syncStep(id, "waitGrace", { flavour: "rcu" }, note);

/** Waits until every task, preempted ones included, has switched voluntarily (`synchronize_rcu_tasks`). */
export const waitRcuTasks = (id: string, note?: string): Step =>
  syncStep(id, "waitGrace", { flavour: "rcu-tasks" }, note);

/** Waits until every CPU has switched context, preemption included (`synchronize_rcu_tasks_rude`). */
export const waitRcuTasksRude = (id: string, note?: string): Step =>
  syncStep(id, "waitGrace", { flavour: "rcu-tasks-rude" }, note);

/** Waits until every section of a domain of SRCU that somebody is in now has been left (`synchronize_srcu`). */
export const waitSrcu = (id: string, domain: string, note?: string): Step =>
  syncStep(id, "waitGrace", { flavour: readFlavour(`srcu:${domain ?? ""}`, id) }, note);

/** Waits until every section of RCU-tasks-trace that somebody is in now has been left (`synchronize_rcu_tasks_trace`). */
export const waitRcuTasksTrace = (id: string, note?: string): Step =>
  syncStep(id, "waitGrace", { flavour: "rcu-tasks-trace" }, note);
