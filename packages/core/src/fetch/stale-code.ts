import type { Bytes } from "../base/data.js";
import { InputError } from "../base/errors.js";
import { fromHex, toHex } from "../base/hex.js";
import { valueSet } from "../base/key.js";
import type { ByteWindow } from "../contract/fetch-model.js";
import type { Instruction } from "../contract/instruction-set.js";
import type { Write } from "../contract/memory-order.js";
import type { Cell, CellValue, CpuState, MemoryState, Overwritten, ValueSet } from "../contract/state.js";
import { addressKey } from "../contract/state.js";
import type { World } from "../contract/world.js";
import { isExecutable } from "./text.js";

/*
 * Memory seen through windows: what a CPU may fetch from a cell, how stores widen the windows of all CPUs and how a context
 * synchronisation narrows that of one.
 */

/** One instruction that a CPU can fetch: its bytes, what each of them could have been, and how it decodes. */
export type Fetched = {
  readonly insn: Instruction | "undefined" | "unsupported" | "opaque" | "unmapped" | "no-execute";
  readonly bytes: Bytes;
  readonly window: readonly ByteWindow[];
  /** The bytes of every instruction that could have been fetched in its place, its own among them. */
  readonly versions: readonly Bytes[];
  /** It differs from what memory holds at last. */
  readonly stale: boolean;
  /** {@link CpuState.behind} once it was fetched. */
  readonly behind?: readonly Overwritten[];
};

const NO_VALUES: ValueSet = [];

const MOST_BEHIND = 16;

/** Values that a CPU can fetch from a cell, the latest first: what it wrote itself may be seen before others see it. */
export const windowOf = (cpu: CpuState, memory: MemoryState, key: string, machine: World): readonly CellValue[] => {
  if (machine.fetch.stale === "in-order") return inOrder(cpu, memory, key, 0, machine).map(([value]) => value);
  const versions = versionsSeen(memory, key, machine, fetchableOf(cpu, machine));
  const stale = cpu.stale[key] ?? NO_VALUES;
  return versions.length === 1 ? [...versions, ...stale] : [...new Set([...versions, ...stale])];
};

const NOT_BEHIND: readonly Overwritten[] = [];

/**
 * R40: the values of a cell that a CPU may fetch when it has already seen the first `from` of the stores that it is behind, the latest
 * first, each with how many of these stores it has then seen at the least: who has seen fewer can still see all that others can.
 * Its own stores it sees when others can; those in a store buffer at once, which says nothing of others.
 */
const inOrder = (
  cpu: CpuState,
  memory: MemoryState,
  key: string,
  from: number,
  machine: World,
): readonly (readonly [CellValue, number])[] => {
  const behind = cpu.behind ?? NOT_BEHIND;
  const { latest } = memory.cells[key] as Cell;
  const [own = latest] = versionsSeen(memory, key, machine, fetchableOf(cpu, machine));
  const found = new Map([own, latest].map((value) => [value, from]));
  let seen = from;
  const values: (readonly [CellValue, number])[] = [];
  behind.forEach(({ [key]: value }, i) => {
    if (i < from || value === undefined) return;
    values.push([value, seen]);
    seen = i + 1;
  });
  found.set(latest, seen);
  for (const [value, least] of values.reverse()) found.set(value, least);
  if (own !== latest) found.set(own, from);
  return [...found];
};

const fetchableOf = (cpu: CpuState, machine: World): readonly Write[] =>
  machine.order.fetchable?.(cpu) ?? machine.order.pending(cpu);

/** One change of a cell of code. */
export type Change = { readonly key: string; readonly old: CellValue; readonly value: CellValue };

/** What a cell holds and what writes of a CPU that others do not see yet make of it, the last first. */
const versionsSeen = (
  memory: MemoryState,
  key: string,
  machine: World,
  own: readonly Write[],
): readonly CellValue[] => {
  const versions = [(memory.cells[key] as Cell).latest];
  for (const write of own) {
    if (write.to !== "code" || !cellsUnder(write.address, write.bytes, machine).includes(key)) continue;
    const written = overlaid(versions[0] as CellValue, key, write.address, write.bytes);
    if (write.fetched === true) versions.splice(0, versions.length, written);
    else versions.unshift(written);
  }
  return versions;
};

/** The cells that a store of these bytes (hex) reaches, in address order. */
const cellsUnder = (address: bigint, bytes: string, machine: World): readonly string[] => {
  const unit = BigInt(machine.fetch.unit);
  const end = address + BigInt(bytes.length / 2);
  const keys: string[] = [];
  for (let base = address - (address % unit); base < end; base += unit) keys.push(addressKey(base));
  return keys;
};

/** The value of a cell once `bytes` (hex) were stored at an address, from wherever they begin to wherever they end. */
export const overlaid = (value: CellValue, key: string, address: bigint, bytes: string): CellValue => {
  const at = 2 * Number(address - BigInt(`0x${key}`));
  const end = Math.min(at + bytes.length, value.length);
  return at < 0
    ? bytes.slice(-at, end - at) + value.slice(end)
    : value.slice(0, at) + bytes.slice(0, end - at) + value.slice(end);
};

/** A rule of one's own stored code where no program does. */
const noCell = (address: bigint): InputError =>
  new InputError(
    `A rule stores code at 0x${address.toString(16)}, which no program writes; declare that text as writable in the scenario.`,
    { place: "text", code: "conflict" },
  );

/** R3: what a store of code changes: the cells that hold something else after it, in address order. */
export const changesOf = (memory: MemoryState, address: bigint, bytes: string, machine: World): readonly Change[] =>
  cellsUnder(address, bytes, machine).flatMap((key) => {
    const old = memory.cells[key]?.latest;
    if (old === undefined) throw noCell(address);
    const value = overlaid(old, key, address, bytes);
    return value === old ? [] : [{ key, old, value }];
  });

/**
 * R1: a fetch may return, for each cell, any value of this CPU's window; the decoder sees every mix.
 * Every distinct instruction that CPU can fetch at `pc` is listed once, those of the latest bytes first. `begun`: its first bytes, where
 * they were fetched already.
 */
export const fetchChoices = (
  cpu: CpuState,
  memory: MemoryState,
  pc: bigint,
  mode: string,
  machine: World,
  begun: Bytes = [],
): readonly Fetched[] => {
  const found = new Map<string, Omit<Fetched, "versions">>();

  const isInOrder = machine.fetch.stale === "in-order";

  /** `chosen` are the cells that were fetched; `seen` is how many of the stores that it is behind this CPU has seen by then. */
  const extend = (bytes: readonly number[], chosen: readonly Chosen[], seen: number): void => {
    const insn = bytes.length === 0 ? "short" : machine.decode(bytes, pc, mode);
    if (insn !== "short") {
      add(insn, bytes.slice(0, lengthOf(insn, bytes, mode, machine)), chosen, seen);
      return;
    }
    const next = pc + BigInt(bytes.length);
    const base = machine.cellOf(next);
    if (!isExecutable(next, memory, machine)) {
      add("no-execute", bytes, chosen, seen);
      return;
    }
    if (base === undefined) {
      const byte = machine.text(next);
      if (byte === undefined) add("unmapped", bytes, chosen, seen);
      else extend([...bytes, byte], chosen, seen);
      return;
    }
    const key = addressKey(base);
    const rest = (value: CellValue): Bytes =>
      upToBorder(fromHex(value).slice(Number(next - base)), next, memory, machine);
    if (isInOrder) {
      for (const [value, least] of inOrder(cpu, memory, key, seen, machine))
        extend([...bytes, ...rest(value)], chosen, least);
      return;
    }
    for (const value of windowOf(cpu, memory, key, machine)) {
      if (chosen.some((other) => excluded(cpu, other, [key, value]))) continue;
      extend([...bytes, ...rest(value)], [...chosen, [key, value]], seen);
    }
  };

  const add = (insn: Fetched["insn"], bytes: Bytes, chosen: readonly Chosen[], seen: number): void => {
    const key = toHex(bytes);
    const behind = isInOrder ? (cpu.behind ?? NOT_BEHIND).slice(seen) : NOT_BEHIND;
    const known = found.get(key);
    if (isInOrder && known !== undefined && (known.behind ?? NOT_BEHIND).length >= behind.length) return;
    const window = bytes.map((_, i) => {
      const now = byteWindow(cpu, memory, pc + BigInt(i), chosen, machine);
      const found = i < begun.length ? [...new Set([...now, begun[i] as number])] : now;
      return known === undefined ? found : [...new Set([...found, ...(known.window[i] ?? [])])];
    });
    const stale = bytes.some((byte, i) => byte !== window[i]?.[0]);
    found.set(key, { insn, bytes, window, stale, ...(isInOrder ? { behind } : {}) });
  };

  extend(begun, [], 0);
  const whole = begun.length === 0 ? [] : fetchChoices(cpu, memory, pc, mode, machine);
  const versions = [...found.values(), ...whole.filter(({ bytes }) => !found.has(toHex(bytes)))].map(
    ({ bytes }) => bytes,
  );
  return [...found.values()].map((fetched) => ({ ...fetched, versions }));
};

/** Bytes from an address on, up to where text may not be executed. */
const upToBorder = (bytes: Bytes, from: bigint, memory: MemoryState, machine: World): Bytes => {
  const end = bytes.findIndex((_, i) => !isExecutable(from + BigInt(i), memory, machine));
  return end < 0 ? bytes : bytes.slice(0, end);
};

/** Bytes of an instruction; of what does not decode, as many as it takes to tell. */
export const lengthOf = (insn: Fetched["insn"], bytes: Bytes, mode: string, machine: World): number => {
  if (typeof insn !== "string") return insn.length;
  for (let length = 1; length < bytes.length; length++) {
    if (machine.instructionSet.decode(bytes.slice(0, length), mode) !== "short") return length;
  }
  return bytes.length;
};

/** The bytes from an address to the end of its fetch granule, as a CPU sees them now; undefined where nothing is mapped. */
export const fetchGranule = (cpu: CpuState, memory: MemoryState, from: bigint, machine: World): Bytes | undefined => {
  const granule = BigInt(machine.fetch.granule);
  const end = from - (from % granule) + granule;
  const bytes: number[] = [];
  for (let address = from; address < end; address++) {
    const byte = byteSeen(cpu, memory, address, machine);
    if (byte === undefined || !isExecutable(address, memory, machine)) break;
    bytes.push(byte);
  }
  return bytes.length === 0 ? undefined : bytes;
};

/** The byte that memory holds at last, or undefined where no code is. */
export const latestByte = (memory: MemoryState, address: bigint, machine: World): number | undefined => {
  const base = machine.cellOf(address);
  if (base === undefined) return machine.text(address);
  const cell = memory.cells[addressKey(base)] as Cell;
  return fromHex(cell.latest)[Number(address - base)];
};

/** The byte of code that a CPU's own accesses find, its pending writes included, or undefined where no code is. */
export const byteSeen = (cpu: CpuState, memory: MemoryState, address: bigint, machine: World): number | undefined => {
  const base = machine.cellOf(address);
  if (base === undefined) return machine.text(address);
  const [last] = versionsSeen(memory, addressKey(base), machine, machine.order.pending(cpu));
  return fromHex(last as CellValue)[Number(address - base)];
};

/** A cell and the value that was fetched from it. */
type Chosen = readonly [cell: string, value: CellValue];

/** R9: what a byte could have been beside what was fetched from other cells. What is there at last is always among it. */
const byteWindow = (
  cpu: CpuState,
  memory: MemoryState,
  address: bigint,
  chosen: readonly Chosen[],
  machine: World,
): ByteWindow => {
  const base = machine.cellOf(address);
  if (base === undefined) return [machine.text(address) ?? 0];
  const key = addressKey(base);
  const left = windowOf(cpu, memory, key, machine).filter(
    (value, i) => i === 0 || !chosen.some((other) => other[0] !== key && excluded(cpu, other, [key, value])),
  );
  return [...new Set(left.map((value) => fromHex(value)[Number(address - base)] as number))];
};

const excluded = (cpu: CpuState, a: Chosen, b: Chosen): boolean =>
  (cpu.excludes[`${a[0]}=${a[1]}`]?.[b[0]]?.includes(b[1]) ?? false) ||
  (cpu.excludes[`${b[0]}=${b[1]}`]?.[a[0]]?.includes(a[1]) ?? false);

const without = (values: ValueSet, value: CellValue): ValueSet => values.filter((v) => v !== value);

/** R2: a store appends a version, for every CPU; a store that leaves the value as it is appends nothing (the caller sees to it). */
const ageCell = (cell: Cell, value: CellValue, machine: World): Cell => {
  if (machine.fetch.stale !== "until-maintenance") return { ...cell, latest: value };
  const age = (values: ValueSet): ValueSet => without(valueSet([...values, cell.latest]), value);
  return { latest: value, sinceClean: age(cell.sinceClean), sinceFloor: age(cell.sinceFloor) };
};

/** The memory with some cells holding new values. */
export const withChanges = (memory: MemoryState, changes: readonly Change[], machine: World): MemoryState => {
  const cells = { ...memory.cells };
  for (const { key, value } of changes) cells[key] = ageCell(cells[key] as Cell, value, machine);
  return { ...memory, cells };
};

/** What a store that changes these cells at one moment does to the window of one CPU. */
export const ageWindow = (cpu: CpuState, changes: readonly Change[], machine: World): CpuState => {
  if (machine.fetch.stale === "never" || changes.length === 0) return cpu;
  if (machine.fetch.stale === "in-order") {
    const all = [...(cpu.behind ?? NOT_BEHIND), Object.fromEntries(changes.map(({ key, old }) => [key, old]))];
    return { ...cpu, behind: all.slice(-(machine.fetch.behind ?? MOST_BEHIND)) };
  }
  const before = (key: string): ValueSet => cpu.stale[key] ?? NO_VALUES;
  let stale = cpu.stale;
  for (const { key, old, value } of changes)
    stale = withEntry(stale, key, without(valueSet([...before(key), old]), value));
  const ordered = machine.fetch.orderedAfter;
  if (ordered === undefined) return { ...cpu, stale };

  // What is stored now is newer than anything that is excluded for it.
  const excludes: { [cellValue: string]: { readonly [cell: string]: ValueSet } } = {};
  for (const [cellValue, cells] of Object.entries(cpu.excludes)) {
    if (changes.some(({ key, value }) => cellValue === `${key}=${value}`)) continue;
    let kept = cells;
    for (const { key, value } of changes) kept = withEntry(kept, key, without(kept[key] ?? NO_VALUES, value));
    if (Object.keys(kept).length > 0) excludes[cellValue] = kept;
  }
  // R9: `old` is the ordering value and nothing older can be fetched from this cell: the new value comes with a current rest.
  for (const { key, old, value } of changes) {
    if (old !== ordered || before(key).length > 0) continue;
    const { [key]: _, ...rest } = stale;
    if (Object.keys(rest).length > 0) excludes[`${key}=${value}`] = rest;
  }
  return { ...cpu, stale, excludes };
};

/** R5: a context synchronisation narrows the window of the CPU it happens on to what the floor of its fetch model allows. */
export const synchronize = (cpu: CpuState, memory: MemoryState, machine: World): CpuState => {
  if (machine.order.narrow !== undefined) return machine.order.narrow(cpu, machine);
  const stale: { [cell: string]: ValueSet } = {};
  if (machine.fetch.stale === "until-maintenance") {
    for (const [key, cell] of Object.entries(memory.cells)) {
      // What this CPU can no longer fetch does not come back.
      const kept = (cpu.stale[key] ?? NO_VALUES).filter((value) => cell.sinceFloor.includes(value));
      if (kept.length > 0) stale[key] = kept;
    }
  }
  return { ...withBehind(cpu, NOT_BEHIND), stale, excludes: {}, fetching: null };
};

/** The CPU once its fetches are behind these stores alone. */
export const withBehind = (cpu: CpuState, behind: readonly Overwritten[]): CpuState => {
  if (behind.length > 0) return { ...cpu, behind };
  if (!("behind" in cpu)) return cpu;
  const { behind: _, ...rest } = cpu;
  return rest;
};

/** R6: cache maintenance of the line that holds `address`, or of all code, changes what the next synchronisations leave to fetch. */
export const maintain = (
  memory: MemoryState,
  operation: (cell: Cell) => Cell,
  address: bigint | undefined,
  machine: World,
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
