import type { Access } from "../instruction-set.js";
import type { Machine } from "../machine/machine.js";
import { latestByte } from "../machine/windows.js";
import { addressKey, type CpuState, type MachineCode, type MemoryState } from "../state.js";
import { covers, overlap, sameLine, samePlace } from "./window-places.js";
import { codeOn } from "./window-state.js";
import type { SeenEntry, WindowView } from "./window-view.js";

/** What a load finds: the values, and how many entries before it the store stands that they were forwarded from. */
export type Found = { readonly loaded: readonly bigint[]; readonly from?: number };

/**
 * What a load of the window finds if it takes place now: the value of an older store of the window, or what memory holds.
 * Undefined while it has to wait for an older access of the same place.
 */
export const loadNow = (
  view: WindowView,
  index: number,
  cpu: CpuState,
  memory: MemoryState,
  machine: Machine,
): Found | undefined => {
  const load = view.entries[index] as SeenEntry;
  const accesses = load.accesses as readonly Access[];
  const { memory: stack } = codeOn(cpu);
  for (let i = index - 1; i >= 0; i--) {
    const older = view.entries[i] as SeenEntry;
    if (older.accesses === undefined) continue;
    if (older.access === "clean" && !older.performed && sameLine(older, load, machine)) return undefined;
    const stores = older.is.kind === "write" || older.is.kind === "atomic";
    if (!stores || !older.accesses.some((store) => accesses.some((access) => overlap(store, access)))) continue;
    if (older.performed && !older.own) continue;
    const [store] = older.accesses;
    const [access] = accesses;
    const whole = older.accesses.length === 1 && accesses.length === 1 && older.is.kind === "write";
    if (!whole || store === undefined || access === undefined || !covers(store, access) || !older.dataKnown)
      return undefined;
    const shift = 8n * (access.address - store.address);
    const value = BigInt.asUintN(8 * access.size, (store.value ?? 0n) >> shift);
    return older.own ? { loaded: [value] } : { loaded: [value], from: index - i };
  }
  return { loaded: accesses.map((access) => valueIn(access, stack, memory, machine)) };
};

/** What memory, or the context's own stack, holds at the place of an access. */
export const valueIn = (
  access: Access,
  stack: MachineCode["memory"],
  memory: MemoryState,
  machine: Machine,
): bigint => {
  let value = 0n;
  for (let i = access.size - 1; i >= 0; i--) {
    const address = access.address + BigInt(i);
    const key = addressKey(address);
    const byte = stack[key] ?? memory.data[key];
    value =
      (value << 8n) |
      BigInt(byte === undefined ? (latestByte(memory, address, machine) ?? 0) : Number.parseInt(byte, 16) || 0);
  }
  return value;
};

/** Whether an older load that has not taken place may be of the same place as a load. */
export const hasOlderLoad = (view: WindowView, index: number): boolean => {
  const load = view.entries[index] as SeenEntry;
  return view.entries
    .slice(0, index)
    .some(
      (older) =>
        (older.access === "read" || older.access === "atomic") &&
        !older.performed &&
        (older.accesses === undefined || samePlace(older, load)),
    );
};
