import type { Access } from "../../contract/instruction-set.js";
import type { MemoryState } from "../../contract/state.js";
import type { World } from "../../contract/world.js";
import type { SeenEntry } from "./state.js";

/* Which accesses meet: loads and stores by their bytes, cache maintenance by its line. */

/** Whether two accesses share a byte. */
export const overlap = (a: Access, b: Access): boolean =>
  a.address < b.address + BigInt(b.size) && b.address < a.address + BigInt(a.size);

/** Whether two entries access a common byte, as far as their addresses are known. */
export const samePlace = (a: SeenEntry, b: SeenEntry): boolean =>
  a.accesses !== undefined &&
  b.accesses !== undefined &&
  a.accesses.some((one) => (b.accesses as readonly Access[]).some((other) => overlap(one, other)));

/** Whether two entries, one of them cache maintenance, are for a common line, as far as their addresses are known. */
export const sameLine = (a: SeenEntry, b: SeenEntry, machine: World): boolean => {
  const line = BigInt(machine.cache.line);
  const lines = ({ accesses = [] }: SeenEntry): readonly bigint[] =>
    accesses.flatMap(({ address, size }) => [address / line, (address + BigInt(size) - 1n) / line]);
  const others = lines(b);
  return lines(a).some((each) => others.includes(each));
};

/** The cells of code that maintenance is done for: those in the line of an address, or all where there is none. */
export const cellsOf = (address: bigint | undefined, memory: MemoryState, machine: World): readonly string[] => {
  const line = BigInt(machine.cache.line);
  const keys = Object.keys(memory.cells);
  return address === undefined ? keys : keys.filter((key) => BigInt(`0x${key}`) / line === address / line);
};
