import { own } from "../base/own.js";
import type { Step } from "../contract/program.js";
import { rule } from "../contract/rule.js";
import { type Context, running, withRunning } from "../contract/state.js";
import { quiet } from "../contract/telling.js";
import { step, syncStep } from "../program/builder.js";
import { holding, released } from "./held.js";

/* Locks, declared windows and the registration of trap handlers. */

const lockNamed = (name: string): string => `the lock ${name} held`;

/** Takes a sleeping lock. */
export const lockRule = rule({
  id: "lock",
  source: "mutex_lock",
  introduces: { name: "lock" },
  sleeps: true,
  reads: ["cpu", "services"],
  writes: ["cpu", "services"],
  says: {
    lock: ({ name }) => quiet(`takes ${name}`),
  },
  ordering: () => "atomic",
  waits: ({ name }, { services }) => (own(services.locks, name) === true ? `until ${name} is released` : undefined),
  apply: ({ cpu, services }, args: { readonly name: string }, machine) =>
    own(services.locks, args.name) === true
      ? []
      : [
          {
            set: {
              cpu: machine.advance(withRunning(cpu, holding(running(cpu) as Context, lockNamed(args.name)))),
              services: { ...services, locks: { ...services.locks, [args.name]: true } },
            },
            observed: [{ what: "lock", detail: args }],
          },
        ],
});

/** Releases a lock, whoever holds it. */
export const unlockRule = rule({
  id: "unlock",
  source: "mutex_unlock",
  names: { name: "lock" },
  reads: ["cpu", "services"],
  writes: ["cpu", "services"],
  says: {
    unlock: ({ name }) => quiet(`releases ${name}`),
  },
  ordering: () => "atomic",
  apply({ cpu, services }, args: { readonly name: string }, machine) {
    const { [args.name]: _, ...locks } = services.locks;
    const context = running(cpu) as Context;
    const own = released(context, lockNamed(args.name));
    const detail = own === undefined ? { ...args, strange: true as const } : args;
    return [
      {
        set: { cpu: machine.advance(withRunning(cpu, own ?? context)), services: { ...services, locks } },
        observed: [{ what: "unlock", detail }],
      },
    ];
  },
});

const window = (id: "enterWindow" | "leaveWindow", by: 1 | -1) =>
  rule({
    id,
    source: "the mapping through which a patcher writes: text_poke_mm on x86, FIX_TEXT_POKE0 elsewhere",
    ...(by === 1 ? { introduces: { window: "window" } as const } : { names: { window: "window" } as const }),
    reads: ["cpu", "services"],
    writes: ["cpu", "services"],
    says: {
      enterWindow: ({ window }) => quiet(`enters ${window}`),
      leaveWindow: ({ window }) => quiet(`leaves ${window}`),
    },
    ordering: () => "event",
    apply({ cpu, services }, args: { readonly window: string }, machine) {
      const inside = (own(services.windows, args.window) ?? 0) + by;
      const { [args.window]: _, ...others } = services.windows;
      const windows = inside === 0 ? others : { ...others, [args.window]: inside };
      const context = running(cpu) as Context;
      const entered = `the window ${args.window} entered`;
      const after = by === 1 ? holding(context, entered) : released(context, entered);
      const detail = { ...args, inside, ...(after === undefined ? { strange: true as const } : {}) };
      return [
        {
          set: { cpu: machine.advance(withRunning(cpu, after ?? context)), services: { ...services, windows } },
          observed: [{ what: id, detail }],
        },
      ];
    },
  });

/** Enters a declared window. */
export const enterWindowRule = window("enterWindow", 1);

/** Leaves a declared window. */
export const leaveWindowRule = window("leaveWindow", -1);

/** Registers the handlers of a vector. */
export const armTrapRule = rule({
  id: "armTrap",
  source: "register_die_notifier and its kind",
  names: { vector: "vector" },
  reads: ["cpu", "services"],
  writes: ["cpu", "services"],
  says: {
    armTrap: ({ vector }) => quiet(`registers the ${vector} handler`),
  },
  ordering: () => "atomic",
  apply: ({ cpu, services }, args: { readonly vector: string }, machine) => [
    {
      set: {
        cpu: machine.advance(cpu),
        services: { ...services, disarmed: services.disarmed.filter((vector) => vector !== args.vector) },
      },
      observed: [{ what: "armTrap", detail: args }],
    },
  ],
});

/** Takes the handlers of a vector out of service. */
export const disarmTrapRule = rule({
  id: "disarmTrap",
  source: "unregister_die_notifier and its kind",
  names: { vector: "vector" },
  reads: ["cpu", "services"],
  writes: ["cpu", "services"],
  says: {
    disarmTrap: ({ vector }) => quiet(`unregisters the ${vector} handler`),
  },
  ordering: () => "atomic",
  apply: ({ cpu, services }, args: { readonly vector: string }, machine) => [
    {
      set: {
        cpu: machine.advance(cpu),
        services: {
          ...services,
          disarmed: [...services.disarmed.filter((vector) => vector !== args.vector), args.vector].sort(),
        },
      },
      observed: [{ what: "disarmTrap", detail: args }],
    },
  ],
});

/** A barrier is a step that the memory order may hold back; in the sequential order every access is visible at once anyway. */
export const fenceRule = rule({
  id: "fence",
  source: "smp_wmb and its kind",
  names: { kind: "barrier" },
  reads: ["cpu"],
  writes: ["cpu"],
  says: {
    fence: ({ kind }) => quiet(`${kind} barrier`),
  },
  ordering: ({ kind }: { readonly kind: string }) => kind,
  urgent: () => true,
  apply({ cpu }, args: { readonly kind: string }, machine) {
    return [{ set: { cpu: machine.advance(cpu) }, observed: [{ what: "fence", detail: args }] }];
  },
});

/** A memory barrier. It means something in the architectural memory orders only. */
export const fence = (id: string, kind: string, note?: string): Step => syncStep(id, "fence", { kind }, note);

/** Takes a sleeping lock. */
export const lock = (id: string, name: string, note?: string): Step => step(id, "lock", { name }, note);

/** Releases a lock. */
export const unlock = (id: string, name: string, note?: string): Step => step(id, "unlock", { name }, note);

/** Enters a window that only one program may be in at a time; `exclusive` watches it. */
export const enterWindow = (id: string, window: string, note?: string): Step =>
  step(id, "enterWindow", { window }, note);

/** Leaves a window. */
export const leaveWindow = (id: string, window: string, note?: string): Step =>
  step(id, "leaveWindow", { window }, note);

/** Registers the handlers of a trap vector. */
export const armTrap = (id: string, vector: string, note?: string): Step => step(id, "armTrap", { vector }, note);

/** Takes the handlers of a trap vector out of service. */
export const disarmTrap = (id: string, vector: string, note?: string): Step => step(id, "disarmTrap", { vector }, note);
