import {
  type Architecture,
  type Cell,
  type Cpu,
  type FetchModel,
  type InstructionSet,
  type StoreAtomicity,
  storeBuffer,
} from "../../src/index.js";
import { toyInstructionSet } from "./instruction-set.js";

/** Opcode of the toy's breakpoint, as the value of a one-byte cell. */
const BREAKPOINT = "02";

/** What was overwritten stays fetchable until the CPU synchronises; each byte is a cell of its own. */
export const untilSync: FetchModel = {
  id: "until-sync",
  source: "the toy's manual",
  summary: "bytes stay stale until the fetching CPU synchronises",
  unit: 1,
  stale: "until-sync",
  granule: 0,
  reports: {},
  admits: () => "run",
};

/** Fetches see every store, but four-byte granules are fetched at different moments. */
export const granules: FetchModel = { ...untilSync, id: "granules", unit: 4, stale: "never", granule: 4 };

/** Fetches see the stores in their order, late, until the CPU synchronises. */
export const inOrder: FetchModel = { ...untilSync, id: "in-order", stale: "in-order", behind: 2 };

/** Stale until the caches were cleaned and invalidated, and the CPU then synchronised. */
export const untilMaintenance: FetchModel = { ...untilSync, id: "until-maintenance", stale: "until-maintenance" };

/** As `until-sync`, but what replaces a breakpoint that every fetch sees is never fetched with an older rest. */
export const ordered: FetchModel = { ...untilSync, id: "ordered", orderedAfter: BREAKPOINT };

/** Executing a byte that has two versions in the window is against the manual. */
export const strict: FetchModel = {
  ...untilSync,
  id: "strict",
  admits: (window) =>
    window.some((byte) => byte.length > 1)
      ? { breaks: "rule", why: "a byte was modified without synchronisation" }
      : "run",
};

/** Breakpoint handlers nest over tasks and interrupts; returns synchronise, entries do not. */
export const toyCpu: Cpu = {
  id: "toy",
  source: "the toy's manual",
  accepts(interrupt, levels, masked) {
    if (interrupt === "nmi") return !levels.includes("nmi");
    return !masked && !levels.includes("nmi") && !levels.includes("irq");
  },
  synchronizes: ["irq-return", "trap-return", "nmi-return", "resume-preempted", "serialise", "isb"],
  breakpoints: ["brk"],
  trapsMask: true,
};

/** The cache operations of the toy: clean to the point of unification, and invalidate what fetches may see from there. */
export const operations: { readonly [step: string]: (cell: Cell) => Cell } = {
  clean: (cell) => ({ ...cell, sinceClean: [] }),
  invalidate: (cell) => ({ ...cell, sinceFloor: cell.sinceClean }),
};

/** Each CPU has a store buffer, which interrupts, atomic accesses, full barriers and cleans drain. */
const buffered = storeBuffer({
  id: "buffered",
  source: "the toy's manual",
  drainedBy: ["atomic", "event", "release", "context-synchronisation", "mb", "serialise", "clean"],
});

/** What a test varies of the toy. */
export type ToyOptions = {
  readonly fetch?: FetchModel;
  readonly cpu?: Partial<Cpu>;
  readonly stores?: StoreAtomicity;
};

/** An architecture of which core knows nothing. */
export const toy = ({ fetch = untilSync, cpu = {}, stores }: ToyOptions = {}): Architecture => ({
  id: "toy",
  instructionSet: toyInstructionSet as InstructionSet,
  fetch,
  fetchModels: [untilSync, granules, untilMaintenance, ordered, strict],
  cache: { line: 16, operations, broadcast: [] },
  cpu: { ...toyCpu, ...cpu },
  ...(stores === undefined ? {} : { stores }),
  memory: buffered,
  returns: "ret",
  branches: { call: "callee", jump: "target" },
  reach: { target: 0x40, callee: 0x100 },
  base: 0x1000n,
});
