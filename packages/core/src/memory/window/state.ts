import type { Access, Outcome, Registers } from "../../contract/instruction-set.js";
import type { Write } from "../../contract/memory-order.js";
import {
  type CellValue,
  type CpuState,
  type MachineCode,
  running,
  type SiteState,
  type ValueSet,
} from "../../contract/state.js";
import type { WindowInstruction } from "./instruction.js";
import type { AccessKind } from "./model.js";

/** An instruction that was fetched and has not left the window; entries stand in program order. */
export type WindowEntry = {
  readonly at: bigint;
  /** The fetched bytes as hex; empty where nothing is mapped. */
  readonly bytes: string;
  /** The decoder's mode, where it is not that in which the context stands. */
  readonly mode?: string;
  /** The guess where it goes on, of a branch that is not decided. */
  readonly next?: bigint;
  /** The guess in which mode it goes on there, where that changes. */
  readonly turns?: string;
  /**
   * The guess which of its alternatives it is, of an instruction that is not decided and goes on behind itself either way: of one that
   * compares and stores 1 where it stores, 0 where it does not.
   */
  readonly way?: number;
  /** What its loads found. */
  readonly loaded?: readonly bigint[];
  /** By byte, of a load in several pieces that is not complete: what it has found; null for what it has still to load. */
  readonly parts?: readonly (number | null)[];
  /** By byte of what it loaded: how many entries before it the store stands that it was forwarded from; 0 for a byte of memory. */
  readonly from?: readonly number[];
  /** By byte, of a load that came before an older one of the same place: memory holds what it found no more. */
  readonly overtaken?: readonly boolean[];
  /** Of a store in several pieces: the addresses of those that have taken place, sorted; the others have not. */
  readonly stored?: readonly bigint[];
  /** An atomic access that has loaded and has still to store. */
  readonly half?: true;
  /** A load that has reserved its place, and whether somebody else has stored there since. */
  readonly reserves?: true;
  readonly lost?: true;
  /** Its store, maintenance or synchronisation has taken place; of a barrier: invalidations before it have reached every CPU. */
  readonly done?: true;
  /** How its site stood when it was fetched, of a trap. */
  readonly site?: SiteState;
  /** By access of a load: how the site of data stood that it loaded from, when it did; null where it was none. */
  readonly data?: readonly (SiteState | null)[];
  /** The exception that it raises in place of what it would do: text may not be executed there, or not be stored to. */
  readonly fault?: string;
  /** The address of read-only text that the exception comes of a store to. */
  readonly store?: bigint;
  /** It lies in text that was given back since it was fetched. */
  readonly stranded?: true;
  /** It was not what memory held when it was fetched. */
  readonly stale?: true;
  /** Why it may not be executed: it raced with a write of another value, or the fetch model refuses it. */
  readonly refused?: string;
};

/** What was fetched of a round that a task has not begun: the entry at which it begins, and its instructions from there. */
export type Round = { readonly entry: bigint; readonly entries: readonly WindowEntry[] };

/** An invalidation of a cell that was begun: the values, `latest` excepted, that it leaves to fetch. */
export type Invalidation = { readonly cell: string; readonly keep: ValueSet };

/** What a patch program did, or a handler in an instruction's stead, and has not taken place yet. */
export type Posted =
  | { readonly is: "write"; readonly write: Write }
  | { readonly is: "clean" | "invalidate"; readonly operation: string; readonly address?: bigint }
  /** What comes behind it waits for what stands before it, as the step of this name says. */
  | { readonly is: "barrier"; readonly step: string };

/** What the window order keeps for a CPU; null in place of it when all of it is empty. */
export type WindowState = {
  readonly entries: readonly WindowEntry[];
  /** What was fetched beyond the end of the round, the next round first; absent where nothing was. */
  readonly ahead?: readonly Round[];
  /** The oldest first. */
  readonly posted: readonly Posted[];
  /** Begun by some CPU, and not yet in force on this one. */
  readonly incoming: readonly Invalidation[];
  /** Begun by this CPU, and not yet in force everywhere. */
  readonly begun: readonly Invalidation[];
  /** Per cell and value the later values that this CPU's fetches are not ordered with, where the pair may not race. */
  readonly racing: { readonly [cell: string]: { readonly [value: CellValue]: ValueSet } };
  /** Faults that machine code took or died of, sorted. */
  readonly faults?: readonly string[];
  /** An instruction was executed that raced and may not. */
  readonly raced?: true;
  /** Somebody else has stored to the place that the context has reserved. */
  readonly lost?: true;
  /** What another CPU stored made this one do something again, which it has not begun. */
  readonly again?: true;
};

const EMPTY: WindowState = { entries: [], posted: [], incoming: [], begun: [], racing: {} };

/** The window of a CPU. */
export const windowOfCpu = (cpu: CpuState): WindowState => (cpu.order as WindowState | null) ?? EMPTY;

/** The machine code that a CPU runs. */
export const codeOn = (cpu: CpuState): MachineCode => {
  const code = running(cpu)?.code;
  if (code?.run !== "machine") throw new Error("Only machine code has a window.");
  return code;
};

/** The CPU with another window. */
export const withWindow = (cpu: CpuState, window: WindowState): CpuState => ({
  ...cpu,
  order:
    window.entries.length === 0 &&
    window.ahead === undefined &&
    window.posted.length === 0 &&
    window.incoming.length === 0 &&
    window.begun.length === 0 &&
    window.raced === undefined &&
    window.again === undefined &&
    window.lost === undefined &&
    window.faults === undefined &&
    Object.keys(window.racing).length === 0
      ? null
      : window,
});

/** The CPU without the first part of an instruction that it fetched. */
export const withoutPart = (cpu: CpuState): CpuState => (cpu.fetching === null ? cpu : { ...cpu, fetching: null });

/** The CPU with the first entries of its window alone: what was fetched behind them is thrown away, as far as that goes. */
export const cutTo = (cpu: CpuState, kept: readonly WindowEntry[]): CpuState => {
  const { ahead: _, ...window } = windowOfCpu(cpu);
  return withWindow(withoutPart(cpu), { ...window, entries: kept });
};

/** The CPU without what it fetched ahead. */
export const withoutEntries = (cpu: CpuState): CpuState => {
  const { entries, ahead } = windowOfCpu(cpu);
  return entries.length === 0 && ahead === undefined ? cpu : cutTo(cpu, []);
};

/** The CPU when text is given back: what it fetched ahead from there says so from now on. */
export const withStranded = (cpu: CpuState, isThere: (address: bigint) => boolean): CpuState => {
  const { ahead, ...window } = windowOfCpu(cpu);
  const rounds = ahead?.map(({ entry, entries }): Round => ({ entry, entries: stranded(entries) }));
  return withWindow(cpu, {
    ...window,
    entries: stranded(window.entries),
    ...(rounds === undefined ? {} : { ahead: rounds }),
  });

  function stranded(entries: readonly WindowEntry[]): readonly WindowEntry[] {
    return entries.map((entry): WindowEntry => (isThere(entry.at) ? { ...entry, stranded: true } : entry));
  }
};

/** The CPU with one entry of its window replaced. */
export const withEntry = (cpu: CpuState, index: number, entry: WindowEntry): CpuState => {
  const window = windowOfCpu(cpu);
  const entries = [...window.entries];
  entries[index] = entry;
  return withWindow(cpu, { ...window, entries });
};

/** An entry of the window with what is known of it so far. */
export type SeenEntry = {
  readonly entry: WindowEntry;
  readonly is: WindowInstruction;
  /** What it does; undefined while inputs are not known, or its loads have found nothing. */
  readonly outcome: Exclude<Outcome, { readonly do: "load" }> | undefined;
  /** Its loads or stores, or the place of its maintenance, once the address is known. */
  readonly accesses: readonly Access[] | undefined;
  /** What it is to memory: none for one that only computes. */
  readonly access: AccessKind | "atomic" | undefined;
  /** The address of its access rests on no guess; true for what has none. */
  readonly addressFirm: boolean;
  /** The registers before it, of an atomic access. */
  readonly given?: Registers;
  /** Of an atomic access: all that it does not load itself is known and rests on no guess. */
  readonly ready?: boolean;
  /** What it stores elsewhere than on its own stack, and where; `value` counts once {@link dataKnown}. */
  readonly stores: readonly Access[];
  /** The value it stores is known. */
  readonly dataKnown: boolean;
  /** The address and the value that it stores rest on no guess. */
  readonly storeFirm: boolean;
  /** Of an atomic access: what it writes to registers, known before all else of it is, and whether that rests on no guess. */
  readonly result?: { readonly registers: Registers; readonly firm: boolean };
  /** All that it reads is known and rests on no guess. */
  readonly firm: boolean;
  /** Where it goes on, by its inputs or by its guess; undefined while neither is there. */
  readonly next: bigint | undefined;
  /** The decoder's mode there. */
  readonly mode: string;
  /** It is a branch whose way is not decided for good. */
  readonly undecided: boolean;
  /** All its accesses are to the stack that its context has of its own, and nobody else's. */
  readonly own: boolean;
  /** It has loaded what it loads, or its only access has taken place. */
  readonly begun: boolean;
  /** All its accesses have taken place. */
  readonly performed: boolean;
  /** The address of read-only text that it would store to: it raises an exception instead. */
  readonly forbidden?: bigint;
};
