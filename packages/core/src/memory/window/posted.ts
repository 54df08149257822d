import { own } from "../../base/own.js";
import type { Effect } from "../../contract/effect.js";
import type { Ordering, Write, Written } from "../../contract/memory-order.js";
import { type Rule, rule } from "../../contract/rule.js";
import type { CpuState, Place } from "../../contract/state.js";
import type { World } from "../../contract/world.js";
import { changesOf } from "../../fetch/stale-code.js";
import { perform, settled } from "../perform.js";
import { drained } from "../said.js";
import { begins, cleaned, invalidationsOf, withBegun, withStored } from "./code.js";
import { isHeld } from "./held.js";
import type { AccessKind, BarrierOrder, WindowModel } from "./model.js";
import { type Posted, windowOfCpu, withWindow } from "./state.js";

/*
 * R41: the stores and the cache maintenance of patch programs, and of handlers in an instruction's stead, take place in steps of their
 * own, later than the program's step and in any order but that of one place, of one line, and of barriers between them. The CPU's own
 * loads see its stores at once. A step that needs earlier ones to have taken place waits for them.
 */

const NO_ORDERS: readonly BarrierOrder[] = [];
const EVERY_ACCESS: readonly AccessKind[] = ["write", "clean", "invalidate"];
/** What an atomic access and a store-release wait for; an invalidation needs a barrier that completes it. */
const SHOWN: readonly AccessKind[] = ["write", "clean"];

const ordersOf = (step: string, model: WindowModel): readonly BarrierOrder[] => {
  const known = own(model.steps, step);
  return known?.is === "barrier" ? known.orders : NO_ORDERS;
};

const has = (posted: readonly Posted[], kinds: readonly AccessKind[]): boolean =>
  posted.some(({ is }) => is !== "barrier" && kinds.includes(is));

/** What has to have taken place before a step of this ordering. */
const before = (ordering: Ordering, model: WindowModel): readonly AccessKind[] => {
  if (ordering === "event") return EVERY_ACCESS;
  if (ordering === "atomic" || ordering === "release") return SHOWN;
  const step = own(model.steps, ordering);
  if (step?.is === "synchronise") return step.after ?? [];
  // A program does nothing ahead of its loads and requests, so it waits itself where these have to.
  return ordersOf(ordering, model).flatMap(({ from, to }) =>
    to.includes("read") || to.includes("request") ? from : [],
  );
};

/** Whether a program's step of this ordering has to wait for what its CPU has posted. */
export const waitsForPosted = (cpu: CpuState, ordering: Ordering, model: WindowModel): boolean => {
  const { posted } = windowOfCpu(cpu);
  return posted.length > 0 && has(posted, before(ordering, model));
};

/** Without barriers that hold nothing apart. */
const needed = (posted: readonly Posted[], model: WindowModel): readonly Posted[] => {
  const kept: Posted[] = [];
  for (const each of posted) {
    if (each.is === "barrier") {
      const last = kept.at(-1);
      if (last?.is === "barrier" && last.step === each.step) continue;
      if (!ordersOf(each.step, model).some(({ from }) => has(kept, from))) continue;
    }
    kept.push(each);
  }
  return kept;
};

/** The CPU with one more thing posted. */
export const withPosted = (cpu: CpuState, last: Posted, model: WindowModel): CpuState => {
  const window = windowOfCpu(cpu);
  return withWindow(cpu, { ...window, posted: needed([...window.posted, last], model) });
};

/** Whether a barrier or a shared place keeps what is posted at an index behind what was posted before it. */
const isFree = (posted: readonly Posted[], index: number, model: WindowModel, machine: World): boolean => {
  const one = posted[index] as Posted;
  if (one.is === "barrier") return false;
  return posted.slice(0, index).every((older, i) => {
    if (older.is !== "barrier") return !meets(older, one, machine);
    const earlier = posted.slice(0, i);
    return !ordersOf(older.step, model).some(({ from, to }) => to.includes(one.is) && has(earlier, from));
  });
};

/** Stores of one place, and stores and cleans of one line; an invalidation keeps no order by its line. */
const meets = (a: Posted, b: Posted, machine: World): boolean => {
  if (a.is === "write" && b.is === "write") return isSamePlace(a.write, b.write);
  if (a.is === "clean" && b.is === "write") return meets(b, a, machine);
  if (a.is !== "write" || b.is !== "clean" || a.write.to !== "code") return false;
  const line = BigInt(machine.cache.line);
  const last = a.write.address + BigInt(a.write.bytes.length / 2 - 1);
  return b.address === undefined || (a.write.address / line <= b.address / line && b.address / line <= last / line);
};

const isSamePlace = (a: Write, b: Write): boolean => {
  if (a.to === "code" && b.to === "code") {
    const end = ({ address, bytes }: typeof a): bigint => address + BigInt(bytes.length / 2);
    return a.address < end(b) && b.address < end(a);
  }
  if (a.to === "data" && b.to === "data")
    return Object.keys(a.bytes).some((address) => Object.hasOwn(b.bytes, address));
  if ((a.to === "word" && b.to === "word") || (a.to === "each-cpu" && b.to === "each-cpu")) return a.word === b.word;
  return a.to === "published" && b.to === "published";
};

/** The writes among what a CPU has posted. */
export const postedWrites = (cpu: CpuState): readonly Write[] =>
  windowOfCpu(cpu).posted.flatMap((each) => (each.is === "write" ? [each.write] : []));

/** The CPU whose own fetches find what it has stored up to here. */
export const withFetchable = (cpu: CpuState): CpuState => {
  const window = windowOfCpu(cpu);
  if (!window.posted.some((each) => each.is === "write" && each.write.to === "code")) return cpu;
  const posted = window.posted.map((each): Posted => {
    if (each.is !== "write" || each.write.to !== "code") return each;
    return { ...each, write: { ...each.write, fetched: true } };
  });
  return withWindow(cpu, { ...window, posted });
};

/** R43: whether an atomic access of another CPU keeps a write from taking place. */
const isHeldFrom = (write: Write, held: readonly Place[]): boolean => {
  if (write.to === "code") return isHeld({ address: write.address, size: write.bytes.length / 2 }, held);
  if (write.to !== "data") return false;
  return Object.keys(write.bytes).some((address) => isHeld({ address: BigInt(`0x${address}`), size: 1 }, held));
};

/** Makes a write visible to all CPUs. */
const performWrite = (parts: Written, write: Write, machine: World): Written => {
  // Loads that came before older ones of the place have found what memory no longer holds.
  if (write.to === "data") {
    const stores = Object.keys(write.bytes).map((address) => ({ address: BigInt(`0x${address}`), size: 1 }));
    return { ...perform(parts, write, machine), everyCpu: { id: "overtake-window", args: { stores, changes: [] } } };
  }
  if (write.to !== "code") return perform(parts, write, machine);
  const { memory } = parts;
  if (memory === undefined) throw new Error("A rule that writes declares the part it writes to.");
  const changes = changesOf(memory, write.address, write.bytes, machine);
  if (changes.length === 0) return parts;
  const stores = [{ address: write.address, size: write.bytes.length / 2 }];
  return {
    ...parts,
    memory: withStored(memory, changes, machine),
    everyCpu: { id: "overtake-window", args: { stores, changes } },
  };
};

/** One of the things that a CPU has posted takes place. */
export const drainRuleOf = (model: WindowModel): Rule =>
  rule({
    id: "drain",
    source: "R41",
    reads: ["cpu", "memory", "services"],
    writes: ["cpu", "memory", "services", "everyCpu"],
    says: {
      drain: drained,
    },
    apply({ cpu, memory, services }, _args, machine): readonly Effect[] {
      const window = windowOfCpu(cpu);
      return window.posted.flatMap((each, i): readonly Effect[] => {
        if (each.is === "barrier" || !isFree(window.posted, i, model, machine)) return [];
        const left = withWindow(cpu, { ...window, posted: needed(window.posted.toSpliced(i, 1), model) });
        if (each.is === "write") {
          if (memory.held !== undefined && isHeldFrom(each.write, memory.held)) return [];
          const written = performWrite({ cpu: left, memory, services }, each.write, machine);
          const observed = [{ what: "drain", detail: { write: each.write } }] as const;
          const effect = settled({ cpu, memory, services }, written, observed);
          if (each.write.to !== "code" || each.write.fetched !== true || effect.everyCpu === undefined) return [effect];
          // Its own fetches have found it already.
          const { everyCpu, ...own } = effect;
          return [{ ...own, otherCpus: everyCpu }];
        }
        const { operation, address } = each;
        const detail = address === undefined ? { operation } : { operation, address };
        const observed = [{ what: "drain", detail }] as const;
        if (each.is === "clean")
          return [{ set: { cpu: left, memory: cleaned(memory, operation, address, machine) }, observed }];
        const invalidations = invalidationsOf(memory, operation, address, machine);
        return [{ set: { cpu: withBegun(left, invalidations) }, ...begins(invalidations), observed }];
      });
    },
  });
