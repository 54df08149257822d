import { InputError } from "../base/errors.js";
import type { Step } from "../contract/program.js";
import { rule } from "../contract/rule.js";
import type { ReadFlavour } from "../contract/scenario.js";
import { type Context, running, withRunning } from "../contract/state.js";
import type { World } from "../contract/world.js";
import { step } from "../program/builder.js";
import { withOne, withoutOne } from "./held.js";

/*
 * R44: read-side sections. A section belongs to the context that entered it, through preemption, sleep, traps and interrupts, and holds
 * back the grace periods of its flavour that began meanwhile. Programs enter and leave by steps. Victim code is in one from when it
 * comes to a block that is declared to be one until it leaves it; calls out of it that return into it belong to it.
 */

/** The flavour as it is, or {@link InputError} where it is none that has read-side sections. */
export const readFlavour = (flavour: string, place: string): string => {
  if (["rcu", "rcu-tasks", "rcu-tasks-trace"].includes(flavour) || /^srcu:[^\s@]+$/.test(flavour)) return flavour;
  throw new InputError(
    `A read-side section is one of rcu, rcu-tasks, rcu-tasks-trace or srcu:NAME, not ${String(flavour)}.`,
    { place, code: "unknown-name" },
  );
};

/** The name of the section that a block at an address is. */
export const sectionAt = (flavour: string, address: bigint): string => `${flavour}@${address.toString(16)}`;

/** Whether a context is in a read-side section of a flavour. */
export const readsIn = ({ reads }: Context, flavour: string): boolean =>
  reads?.some((section) => section === flavour || section.startsWith(`${flavour}@`)) === true;

const entered = (context: Context, section: string): Context => ({
  ...context,
  reads: withOne(context.reads, section),
});

/** The context out of a section; undefined where it is in none of that name. */
const left = (context: Context, section: string): Context | undefined => {
  const { reads, ...rest } = context;
  const others = withoutOne(reads, section);
  if (others === undefined) return undefined;
  return others.length === 0 ? rest : { ...rest, reads: others };
};

/** The context as its machine code goes on at `next` after an instruction at `at`; `link`: where what it called returns to. */
export const passSections = (
  context: Context,
  at: bigint,
  next: bigint,
  link: bigint | undefined,
  machine: World,
): Context => {
  let passed = context;
  for (const { from, to, section } of machine.layout.readSides) {
    const inside = (address: bigint | undefined): boolean => address !== undefined && address >= from && address < to;
    const isIn = passed.reads?.includes(section) === true;
    const stays = inside(next) || (inside(at) ? inside(link) : isIn);
    if (stays && !isIn) passed = entered(passed, section);
    if (!stays && isIn) passed = left(passed, section) as Context;
  }
  return passed;
};

type Section = { readonly flavour: string };

/** Enters a read-side section. */
export const readLockRule = rule({
  id: "readLock",
  source: "rcu_read_lock, srcu_read_lock, rcu_read_lock_trace; exit_tasks_rcu_start, kernel/rcu/tasks.h, 7.3",
  reads: ["cpu"],
  writes: ["cpu"],
  says: {
    "read-lock": ({ flavour }) => `enters a read-side section of ${flavour}`,
  },
  // That of SRCU and of RCU-tasks-trace has a full barrier; that of RCU orders nothing, and is ordered by the grace period's beginning.
  ordering: ({ flavour }: Section) => (flavour === "rcu" ? undefined : "atomic"),
  apply({ cpu }, { flavour }: Section, machine) {
    const context = running(cpu) as Context;
    return [
      {
        set: { cpu: machine.advance(withRunning(cpu, entered(context, flavour))) },
        observed: [{ what: "read-lock", detail: { flavour } }],
      },
    ];
  },
});

/** Leaves a read-side section: what it did comes before the end of the grace periods that waited for it. */
export const readUnlockRule = rule({
  id: "readUnlock",
  source: "rcu_read_unlock, srcu_read_unlock, rcu_read_unlock_trace; exit_tasks_rcu_finish, kernel/rcu/tasks.h, 7.3",
  reads: ["cpu"],
  writes: ["cpu"],
  says: {
    "read-unlock": ({ flavour }) => `leaves a read-side section of ${flavour}`,
  },
  ordering: () => "release",
  apply({ cpu }, { flavour }: Section, machine) {
    const outside = left(running(cpu) as Context, flavour);
    if (outside === undefined)
      throw new InputError(`A program leaves a read-side section of ${flavour} that it did not enter.`, {
        place: "readUnlock",
        code: "conflict",
      });
    return [
      {
        set: { cpu: machine.advance(withRunning(cpu, outside)) },
        observed: [{ what: "read-unlock", detail: { flavour } }],
      },
    ];
  },
});

/**
 * Enters a read-side section (`rcu_read_lock`, `srcu_read_lock`, `rcu_read_lock_trace`), of RCU unless it is said of which flavour.
 * Sections nest, and last through preemption and sleep; where tasks are not preemptible, one of RCU ends with the next switch.
 * `rcu-tasks` declares that the task holds a grace period of RCU-tasks back though it sleeps, as its exit does.
 */
export const readLock = (id: string, flavour: ReadFlavour = "rcu", note?: string): Step =>
  step(id, "readLock", { flavour: readFlavour(flavour, id) }, note);

/** Leaves a read-side section of this flavour, that entered last. Throws {@link InputError} in a run that is in none. */
export const readUnlock = (id: string, flavour: ReadFlavour = "rcu", note?: string): Step =>
  step(id, "readUnlock", { flavour: readFlavour(flavour, id) }, note);
