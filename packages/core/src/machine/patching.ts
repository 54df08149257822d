import type { Data } from "../data.js";
import { InputError } from "../errors.js";
import { cpuMap, type Effect, rule } from "../rule.js";
import type { MemoryState, SiteState } from "../state.js";
import { addressKey } from "../state.js";
import { withCell } from "./execute.js";
import { ageWindow, maintain } from "./windows.js";

/* What a patch call does to memory: begins, stores code piece by piece, publishes, returns. */

type Call = { readonly sites: readonly number[]; readonly to: number };

const withSites = (
  memory: MemoryState,
  sites: readonly number[],
  change: (site: SiteState) => SiteState,
): MemoryState => ({
  ...memory,
  sites: memory.sites.map((site, i) => (sites.includes(i) ? change(site) : site)),
});

/** A patch call begins. */
export const beginCallRule = rule({
  id: "beginCall",
  source: "the caller's view of a patch call",
  reads: ["cpu", "memory"],
  writes: ["cpu", "memory"],
  apply: ({ cpu, memory }, args: Call, machine) => [
    {
      set: {
        cpu: machine.advance(cpu),
        memory: withSites(memory, args.sites, (site) => ({
          from: site.to,
          to: args.to,
          calling: true,
          published: false,
        })),
      },
      observed: [{ what: "begin-call", detail: args }],
    },
  ],
});

/** A patch call returns: from now on nobody may execute the old version. */
export const returnCallRule = rule({
  id: "returnCall",
  source: "the caller's view of a patch call",
  reads: ["cpu", "memory"],
  writes: ["cpu", "memory"],
  apply: ({ cpu, memory }, args: Call, machine) => [
    {
      set: {
        cpu: machine.advance(cpu),
        memory: withSites(memory, args.sites, (site) => ({ ...site, calling: false })),
      },
      observed: [{ what: "return-call", detail: args }],
    },
  ],
});

/** The program declares the new version to be the one that traps emulate. */
export const publishRule = rule({
  id: "publish",
  source: "the release of the handler's data",
  reads: ["cpu", "memory"],
  writes: ["cpu", "memory"],
  apply: ({ cpu, memory }, args: { readonly sites: readonly number[] }, machine) => [
    {
      set: {
        cpu: machine.advance(cpu),
        memory: withSites(memory, args.sites, (site) => ({ ...site, published: true })),
      },
      observed: [{ what: "publish", detail: args }],
    },
  ],
});

/** Stores one piece of code: a run of bytes inside one cell. */
export const storeRule = rule({
  id: "store",
  source: "R2",
  reads: ["cpu", "memory"],
  writes: ["cpu", "memory", "everyCpu"],
  apply({ cpu, memory }, args: { readonly address: bigint; readonly bytes: string }, machine): readonly Effect[] {
    const base = machine.cellOf(args.address);
    if (base === undefined) throw new Error("Every store of a program has its cell.");
    const key = addressKey(base);
    const old = memory.cells[key]?.latest ?? "";
    const offset = 2 * Number(args.address - base);
    const value = old.slice(0, offset) + args.bytes + old.slice(offset + args.bytes.length);
    const observed = [
      {
        what: "store",
        detail: { address: args.address, bytes: args.bytes, was: old.slice(offset, offset + args.bytes.length) },
      },
    ];
    if (value === old) return [{ set: { cpu: machine.advance(cpu) }, observed }];
    return [
      {
        set: { cpu: machine.advance(cpu), memory: withCell(memory, key, value, machine) },
        everyCpu: { id: "age", args: { key, old, value } },
        observed,
      },
    ];
  },
});

/** A patcher's own cache maintenance: of the line of an address, or of all code. */
export const maintainRule = rule({
  id: "maintain",
  source: "R6",
  reads: ["cpu", "memory"],
  writes: ["cpu", "memory"],
  apply({ cpu, memory }, args: { readonly operation: string; readonly address?: bigint }, machine) {
    const operation = machine.cache.operations[args.operation];
    if (operation === undefined) throw new InputError(`This architecture has no cache maintenance ${args.operation}.`);
    const { address } = args;
    const maintained = maintain(memory, operation, address, machine);
    return [{ set: { cpu: machine.advance(cpu), memory: maintained }, observed: [{ what: "maintain", detail: args }] }];
  },
});

/** The window of one CPU after a store. */
export const ageMap = cpuMap({
  id: "age",
  apply: (cpu, args: { readonly key: string; readonly old: string; readonly value: string } & Data, machine) =>
    ageWindow(cpu, args.key, args.old, args.value, machine),
});
