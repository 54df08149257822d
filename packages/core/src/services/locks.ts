import { own } from "../base/own.js";
import { rule } from "../contract/rule.js";

/* Locks, declared windows and the registration of trap handlers. */

/** Takes a sleeping lock. */
export const lockRule = rule({
  id: "lock",
  source: "mutex_lock",
  reads: ["cpu", "services"],
  writes: ["cpu", "services"],
  ordering: () => "atomic",
  apply: ({ cpu, services }, args: { readonly name: string }, machine) =>
    own(services.locks, args.name) === true
      ? []
      : [
          {
            set: {
              cpu: machine.advance(cpu),
              services: { ...services, locks: { ...services.locks, [args.name]: true } },
            },
            observed: [{ what: "lock", detail: args }],
          },
        ],
});

/** Releases a lock. */
export const unlockRule = rule({
  id: "unlock",
  source: "mutex_unlock",
  reads: ["cpu", "services"],
  writes: ["cpu", "services"],
  ordering: () => "atomic",
  apply({ cpu, services }, args: { readonly name: string }, machine) {
    const { [args.name]: _, ...locks } = services.locks;
    return [
      {
        set: { cpu: machine.advance(cpu), services: { ...services, locks } },
        observed: [{ what: "unlock", detail: args }],
      },
    ];
  },
});

const window = (id: "enterWindow" | "leaveWindow", by: 1 | -1) =>
  rule({
    id,
    source: "the mapping through which a patcher writes: text_poke_mm on x86, FIX_TEXT_POKE0 elsewhere",
    reads: ["cpu", "services"],
    writes: ["cpu", "services"],
    ordering: () => "event",
    apply({ cpu, services }, args: { readonly window: string }, machine) {
      const inside = (own(services.windows, args.window) ?? 0) + by;
      const { [args.window]: _, ...others } = services.windows;
      const windows = inside === 0 ? others : { ...others, [args.window]: inside };
      return [
        {
          set: { cpu: machine.advance(cpu), services: { ...services, windows } },
          observed: [{ what: id, detail: { ...args, inside } }],
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
  reads: ["cpu", "services"],
  writes: ["cpu", "services"],
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
  reads: ["cpu", "services"],
  writes: ["cpu", "services"],
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
  reads: ["cpu"],
  writes: ["cpu"],
  ordering: ({ kind }: { readonly kind: string }) => kind,
  urgent: () => true,
  apply({ cpu }, args: { readonly kind: string }, machine) {
    return [{ set: { cpu: machine.advance(cpu) }, observed: [{ what: "fence", detail: args }] }];
  },
});
