import type { Bytes, Data } from "../base/data.js";
import { InputError } from "../base/errors.js";
import { fromHex, toHex } from "../base/hex.js";
import { own } from "../base/own.js";
import type { Effect } from "../contract/effect.js";
import type { Observation } from "../contract/events.js";
import type { Step } from "../contract/program.js";
import { cpuMap, rule } from "../contract/rule.js";
import {
  addressKey,
  type Context,
  type CpuState,
  FREED_BYTE,
  type MemoryState,
  running,
  type SiteState,
} from "../contract/state.js";
import { quiet } from "../contract/telling.js";
import type { StateView } from "../contract/trace.js";
import { freedData } from "../execution/loads.js";
import { ageWindow, byteSeen, type Change, maintain as maintainCaches } from "../fetch/stale-code.js";
import { freedIn, isWritable } from "../fetch/text.js";
import { settled } from "../memory/perform.js";
import { step, syncStep } from "../program/builder.js";
import { hexOf, optionsOf } from "../program/given.js";
import { leftOpen } from "./held.js";
import { maintenance, spaced } from "./said.js";
import { judged } from "./text-poke-events.js";

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
  writesData: () => [],
  reads: ["cpu", "memory"],
  writes: ["cpu", "memory"],
  says: {
    "begin-call": ({ to }) => `the patch call begins: ${to === 1 ? "old to new" : "back to old"}`,
  },
  apply: ({ cpu, memory }, args: Call, machine) => [
    {
      set: {
        cpu: machine.advance(cpu),
        memory: withSites(memory, args.sites, (site) => ({
          ...site,
          // A call for what another call is about already finds the change still under way.
          from: site.calling && site.to === args.to ? site.from : site.to,
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
  writesData: () => [],
  reads: ["cpu", "memory"],
  writes: ["cpu", "memory"],
  says: {
    "return-call": () => "the patch call returns",
  },
  apply: ({ cpu, memory }, args: Call, machine) => [
    {
      set: {
        cpu: machine.advance(cpu),
        memory: withSites(memory, args.sites, (site) => ({ ...judged(site), calling: false })),
      },
      observed: [
        {
          what: "return-call",
          detail: args.sites.some((site) => memory.sites[site]?.untold) ? { ...args, untold: true } : args,
        },
        ...leftOpen("The patch call returned", running(cpu) as Context),
      ],
    },
  ],
});

/** The program declares the new version to be the one that traps emulate. */
export const publishRule = rule({
  id: "publish",
  source: "the release of the handler's data",
  writesData: () => [],
  reads: ["cpu", "memory"],
  writes: ["cpu", "memory"],
  says: {
    publish: () => "the new instruction is published",
  },
  apply({ cpu, memory }, args: { readonly sites: readonly number[] }, machine) {
    const parts = { cpu: machine.advance(cpu), memory };
    const written = machine.order.write(parts, { to: "published", sites: args.sites }, machine);
    return [settled(parts, written, [{ what: "publish", detail: args }])];
  },
});

type StoreArgs = { readonly address: bigint; readonly bytes: string; readonly direct?: boolean };

/** A program's own store to read-only text. */
const storeFaulted = (address: bigint, bytes: string): Observation => ({
  what: "store-faulted",
  detail: { address, bytes },
});

/** Stores one piece of code: bytes that become visible at one moment. */
export const storeRule = rule({
  id: "store",
  source: "R2",
  writesData: () => [],
  reads: ["cpu", "memory"],
  writes: ["cpu", "memory", "everyCpu"],
  says: {
    store({ address, bytes, was }, { place, step, world }) {
      const pending = (view: StateView): number => world.order.pending(view.cpus[step.cpu] as CpuState).length;
      const isKept = pending(step.after) > pending(step.before);
      return `stores ${spaced(bytes)} at ${place(address)}${isKept ? ", into its store buffer" : bytes === was ? ", as it was" : ""}`;
    },
    "store-faulted": ({ address }, { place }) => `FAULTS: its store at ${place(address)} is to read-only text`,
  },
  maps: ["age"],
  apply({ cpu, memory }, { address, bytes, direct = false }: StoreArgs, machine): readonly Effect[] {
    const size = bytes.length / 2;
    const places = Array.from({ length: direct ? size : 0 }, (_, i) => address + BigInt(i));
    const readOnly = places.find((at) => !isWritable(at, memory, machine));
    if (readOnly !== undefined)
      return [{ set: { cpu: machine.advance(cpu) }, observed: [storeFaulted(readOnly, bytes)] }];
    const was = Array.from({ length: bytes.length / 2 }, (_, i) => byteSeen(cpu, memory, address + BigInt(i), machine));
    const parts = { cpu: machine.advance(cpu), memory };
    const written = machine.order.write(parts, { to: "code", address, bytes }, machine);
    const detail = { address, bytes, was: toHex(was as number[]) };
    const freed = freedIn({ address, size }, memory, machine);
    const observed = [{ what: "store", detail: freed === undefined ? detail : { ...detail, freed } }] as const;
    return [settled(parts, written, observed)];
  },
});

/** Stores one piece of data. */
export const storeDataRule = rule({
  id: "storeData",
  source: "WRITE_ONCE of data that machine code loads",
  writesData: ({ address, bytes }) => [{ address, size: bytes.length / 2 }],
  reads: ["cpu", "memory"],
  writes: ["cpu", "memory"],
  says: {
    "store-data": ({ address, bytes }, { place }) => `stores ${spaced(bytes)} at ${place(address)}, as data`,
  },
  apply({ cpu, memory }, args: { readonly address: bigint; readonly bytes: string }, machine) {
    const bytes = Object.fromEntries(
      fromHex(args.bytes).map((byte, i) => [addressKey(args.address + BigInt(i)), toHex([byte])]),
    );
    const parts = { cpu: machine.advance(cpu), memory };
    return [
      settled(parts, machine.order.write(parts, { to: "data", bytes }, machine), [
        { what: "store-data", detail: args },
      ]),
    ];
  },
});

/** Gives data back. */
export const freeDataRule = rule({
  id: "freeData",
  source: "kfree of what machine code loads",
  writesData: (range) => [range],
  reads: ["cpu", "memory"],
  writes: ["cpu", "memory"],
  says: {
    "free-data": ({ address }, { place }) => `gives the data at ${place(address)} back`,
  },
  apply({ cpu, memory }, { address, size }: { readonly address: bigint; readonly size: number }, machine) {
    const bytes = Object.fromEntries(
      Array.from({ length: size }, (_, i) => [addressKey(address + BigInt(i)), FREED_BYTE] as const),
    );
    const parts = { cpu: machine.advance(cpu), memory };
    const written = machine.order.write(parts, { to: "data", bytes }, machine);
    const again = freedData(Object.keys(bytes), cpu, memory, machine);
    const twice = again === undefined ? {} : { twice: BigInt(`0x${again}`) };
    return [settled(parts, written, [{ what: "free-data", detail: { address, size, ...twice } }])];
  },
});

/** A patcher's own cache maintenance: of the line of an address, or of all code. */
export const maintainRule = rule({
  id: "maintain",
  source: "R6",
  writesData: () => [],
  names: { operation: "maintenance" },
  reads: ["cpu", "memory"],
  writes: ["cpu", "memory"],
  says: {
    maintain: (detail, telling) => quiet(maintenance(detail, telling)),
  },
  ordering: ({ operation }: { readonly operation: string }) => operation,
  apply({ cpu, memory }, args: { readonly operation: string; readonly address?: bigint }, machine) {
    const operation = own(machine.cache.operations, args.operation);
    if (operation === undefined)
      throw new InputError(`This architecture has no cache maintenance ${args.operation}.`, { code: "unknown-name" });
    const { address } = args;
    const maintained = maintainCaches(memory, operation, address, machine);
    return [{ set: { cpu: machine.advance(cpu), memory: maintained }, observed: [{ what: "maintain", detail: args }] }];
  },
});

/** The window of one CPU after a store. */
export const ageMap = cpuMap({
  id: "age",
  touches: ["stale", "excludes", "behind"],
  apply: (cpu, args: { readonly changes: readonly Change[] } & Data, machine) => ageWindow(cpu, args.changes, machine),
});

/**
 * Writes code. The bytes are stored by accesses of `width` bytes (1, 2, 4 or 8; default 1, as memcpy may) in ascending order, each of
 * which becomes visible at one moment as far as the architecture says so ({@link Architecture.stores}). What is left of the last one
 * stands for an access of the aligned place around it, the rest of which is rewritten as it is. They go through a writable mapping of
 * the patcher's own, unless the store is `direct`: then text that is not writable, as all is of which nothing is said, makes it a `fault`, and
 * nothing is stored.
 */
export const store = (
  id: string,
  address: bigint,
  bytes: Bytes,
  options: { readonly width?: 1 | 2 | 4 | 8; readonly direct?: boolean; readonly note?: string } = {},
): Step => {
  // Options go into the step as they are given: the schema of its arguments refuses those that there are not.
  const { note, direct, ...given } = optionsOf(id, options);
  const directly = direct === undefined || direct === false ? {} : { direct };
  return step(id, "store", { address, bytes: hexOf(id, bytes), width: 1, ...directly, ...given }, note);
};

/**
 * Writes data that machine code loads, such as the literal of a call site. The bytes are stored by accesses of `width` bytes (1, 2, 4
 * or 8; default 8) as those of {@link store} are. No fetch model has a say.
 */
export const storeData = (
  id: string,
  address: bigint,
  bytes: Bytes,
  options: { readonly width?: 1 | 2 | 4 | 8; readonly note?: string } = {},
): Step => {
  const { note, ...given } = optionsOf(id, options);
  return step(id, "storeData", { address, bytes: hexOf(id, bytes), width: 8, ...given }, note);
};

/**
 * Gives `size` bytes of data back: code that loads them afterwards or stores there, and who gives them back again, breaks `lifetime`. A
 * {@link storeData} there is what the memory is used for next.
 */
export const freeData = (id: string, address: bigint, size: number, note?: string): Step =>
  step(id, "freeData", { address, size }, note);

/** One of the architecture's cache-maintenance operations, for the line of an address or, without one, for all code. */
export const maintain = (id: string, operation: string, address?: bigint, note?: string): Step =>
  syncStep(id, "maintain", address === undefined ? { operation } : { operation, address }, note);

/** Declares that from here on a trap at a patched site must have the new instruction's effect. */
export const publish = (id: string, note?: string): Step => step(id, "publish", {}, note);
