import type { Bytes } from "../data.js";
import type { ByteWindow } from "../fetch-model.js";
import { fromHex, toHex } from "../hex.js";
import type { Instruction } from "../instruction-set.js";
import { valueSet } from "../key.js";
import type { Cell, CellValue, CpuState, MemoryState, ValueSet } from "../state.js";
import { addressKey } from "../state.js";
import type { Machine } from "./machine.js";

/*
 * Memory seen through windows: what a CPU may fetch from a cell, how stores widen the windows of all CPUs and how a context
 * synchronisation narrows that of one.
 */

/** One instruction that a CPU can fetch: its bytes, what each of them could have been, and how it decodes. */
export type Fetched = {
  readonly insn: Instruction | "undefined" | "unsupported" | "unmapped";
  readonly bytes: Bytes;
  readonly window: readonly ByteWindow[];
  /** It differs from what memory holds at last. */
  readonly stale: boolean;
};

const NO_VALUES: ValueSet = [];

/** Values that a CPU can fetch from a cell, the latest first. */
export const windowOf = (cpu: CpuState, memory: MemoryState, key: string): readonly CellValue[] => {
  const cell = memory.cells[key] as Cell;
  return [cell.latest, ...(cpu.stale[key] ?? NO_VALUES)];
};

/**
 * R1: a fetch may return, for each cell, any value of this CPU's window; the decoder sees every mix.
 * Every distinct instruction that CPU can fetch at `pc` is listed once, those of the latest bytes first.
 */
export const fetchChoices = (
  cpu: CpuState,
  memory: MemoryState,
  pc: bigint,
  mode: string,
  machine: Machine,
): readonly Fetched[] => {
  const found = new Map<string, Fetched>();
  const { instructionSet } = machine;

  const extend = (bytes: readonly number[], chosen: readonly (readonly [string, CellValue])[]): void => {
    const insn = bytes.length === 0 ? "short" : instructionSet.decode(bytes, mode);
    if (insn !== "short") {
      add(insn, bytes.slice(0, lengthOf(insn, bytes, mode, machine)));
      return;
    }
    const next = pc + BigInt(bytes.length);
    const base = machine.cellOf(next);
    if (base === undefined) {
      const byte = machine.text(next);
      if (byte === undefined) add("unmapped", bytes);
      else extend([...bytes, byte], chosen);
      return;
    }
    const key = addressKey(base);
    for (const value of windowOf(cpu, memory, key)) {
      if (chosen.some((other) => excluded(cpu, other, [key, value]))) continue;
      extend([...bytes, ...fromHex(value).slice(Number(next - base))], [...chosen, [key, value]]);
    }
  };

  const add = (insn: Fetched["insn"], bytes: Bytes): void => {
    const key = toHex(bytes);
    if (found.has(key)) return;
    const window = bytes.map((_, i) => byteWindow(cpu, memory, pc + BigInt(i), machine));
    found.set(key, { insn, bytes, window, stale: bytes.some((byte, i) => byte !== window[i]?.[0]) });
  };

  extend([], []);
  return [...found.values()];
};

/** Bytes of an instruction; of what does not decode, as many as it takes to tell. */
export const lengthOf = (insn: Fetched["insn"], bytes: Bytes, mode: string, machine: Machine): number => {
  if (typeof insn !== "string") return insn.length;
  for (let length = 1; length < bytes.length; length++) {
    if (machine.instructionSet.decode(bytes.slice(0, length), mode) !== "short") return length;
  }
  return bytes.length;
};

/** The bytes from an address to the end of its fetch granule, as they are now; undefined where nothing is mapped. */
export const fetchGranule = (memory: MemoryState, from: bigint, machine: Machine): Bytes | undefined => {
  const granule = BigInt(machine.fetch.granule);
  const end = from - (from % granule) + granule;
  const bytes: number[] = [];
  for (let address = from; address < end; address++) {
    const byte = latestByte(memory, address, machine);
    if (byte === undefined) break;
    bytes.push(byte);
  }
  return bytes.length === 0 ? undefined : bytes;
};

/** The byte that memory holds at last, or undefined where no code is. */
export const latestByte = (memory: MemoryState, address: bigint, machine: Machine): number | undefined => {
  const base = machine.cellOf(address);
  if (base === undefined) return machine.text(address);
  const cell = memory.cells[addressKey(base)] as Cell;
  return fromHex(cell.latest)[Number(address - base)];
};

const byteWindow = (cpu: CpuState, memory: MemoryState, address: bigint, machine: Machine): ByteWindow => {
  const base = machine.cellOf(address);
  if (base === undefined) return [machine.text(address) ?? 0];
  const offset = Number(address - base);
  return [...new Set(windowOf(cpu, memory, addressKey(base)).map((value) => fromHex(value)[offset] as number))];
};

const excluded = (cpu: CpuState, a: readonly [string, CellValue], b: readonly [string, CellValue]): boolean =>
  (cpu.excludes[`${a[0]}=${a[1]}`]?.[b[0]]?.includes(b[1]) ?? false) ||
  (cpu.excludes[`${b[0]}=${b[1]}`]?.[a[0]]?.includes(a[1]) ?? false);

const without = (values: ValueSet, value: CellValue): ValueSet => values.filter((v) => v !== value);

/** R2: a store appends a version, for every CPU; a store that leaves the value as it is appends nothing (the caller sees to it). */
export const ageCell = (cell: Cell, value: CellValue, machine: Machine): Cell => {
  if (machine.fetch.stale !== "until-maintenance") return { ...cell, latest: value };
  const age = (values: ValueSet): ValueSet => without(valueSet([...values, cell.latest]), value);
  return { latest: value, sinceClean: age(cell.sinceClean), sinceFloor: age(cell.sinceFloor) };
};

/** What a store of `value` over `old` does to the window of one CPU. */
export const ageWindow = (cpu: CpuState, key: string, old: CellValue, value: CellValue, machine: Machine): CpuState => {
  if (machine.fetch.stale === "never") return cpu;
  const before = cpu.stale[key] ?? NO_VALUES;
  const stale = withEntry(cpu.stale, key, without(valueSet([...before, old]), value));
  const ordered = machine.fetch.orderedAfter;
  if (ordered === undefined) return { ...cpu, stale };

  // What is stored now is newer than anything that is excluded for it.
  const excludes: { [cellValue: string]: { readonly [cell: string]: ValueSet } } = {};
  for (const [cellValue, cells] of Object.entries(cpu.excludes)) {
    if (cellValue === `${key}=${value}`) continue;
    const kept = withEntry(cells, key, without(cells[key] ?? NO_VALUES, value));
    if (Object.keys(kept).length > 0) excludes[cellValue] = kept;
  }
  // R9: `old` is the ordering value and nothing older can be fetched from this cell: the new value comes with a current rest.
  if (old === ordered && before.length === 0) {
    const { [key]: _, ...rest } = cpu.stale;
    if (Object.keys(rest).length > 0) excludes[`${key}=${value}`] = rest;
  }
  return { ...cpu, stale, excludes };
};

/** R5: a context synchronisation narrows the window of the CPU it happens on to what the floor of its fetch model allows. */
export const synchronize = (cpu: CpuState, memory: MemoryState, machine: Machine): CpuState => {
  const stale: { [cell: string]: ValueSet } = {};
  if (machine.fetch.stale === "until-maintenance") {
    for (const [key, cell] of Object.entries(memory.cells)) {
      // What this CPU can no longer fetch does not come back.
      const kept = (cpu.stale[key] ?? NO_VALUES).filter((value) => cell.sinceFloor.includes(value));
      if (kept.length > 0) stale[key] = kept;
    }
  }
  return { ...cpu, stale, excludes: {}, fetching: null };
};

/** R6: cache maintenance of the line that holds `address`, or of all code, changes what the next synchronisations leave to fetch. */
export const maintain = (
  memory: MemoryState,
  operation: (cell: Cell) => Cell,
  address: bigint | undefined,
  machine: Machine,
): MemoryState => {
  const line = BigInt(machine.cache.line);
  const covered = (key: string): boolean => address === undefined || BigInt(`0x${key}`) / line === address / line;
  const cells = Object.entries(memory.cells).map(
    ([key, cell]) => [key, covered(key) ? operation(cell) : cell] as const,
  );
  return { ...memory, cells: Object.fromEntries(cells) };
};

/** A copy of a map with one entry set, or left out when the set is empty; entries stay sorted by key. */
const withEntry = (
  map: { readonly [key: string]: ValueSet },
  key: string,
  values: ValueSet,
): { readonly [key: string]: ValueSet } => {
  if (values.length > 0) return { ...map, [key]: values };
  const { [key]: _, ...rest } = map;
  return rest;
};
