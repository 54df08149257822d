import type { Access, Registers } from "../contract/instruction-set.js";
import type { Place } from "../contract/state.js";

/*
 * Exclusive accesses: a load that reserves its place (LDXR, LR), and a store that takes place only while nobody else has stored there
 * (STXR, SC). What a context has reserved is a register of it, and so is what it found there: where an order does not follow the stores of
 * others, the store takes place if the place holds still what was found.
 */

/** The register that holds what a context has reserved; 0 or absent for nothing. */
export const MONITOR = "monitor";
const FOUND = "monitor_value";

/** What {@link MONITOR} holds where the memory order itself has seen to it that the store may take place. */
export const GRANTED: bigint = (1n << 64n) - 1n;

/** The registers of a context that has reserved the place of an access and found a value there. */
export const reserving = ({ address, size }: Access, found: bigint): Registers => ({
  [MONITOR]: BigInt.asUintN(64, address * 16n + BigInt(size)),
  [FOUND]: found,
});

/** The registers of a context that has nothing reserved any more. */
export const RELEASED: Registers = { [MONITOR]: 0n, [FOUND]: 0n };

/** The place that a context has reserved; undefined where it has none. */
export const reservedIn = (registers: Registers): Place | undefined => {
  const held = registers[MONITOR] ?? 0n;
  return held === 0n || held === GRANTED ? undefined : { address: held / 16n, size: Number(held % 16n) };
};

/** Whether a store to a reserved place takes place; `load` where it has to look at what the place holds first. */
export const takesPlace = (registers: Registers, access: Access, loaded: readonly bigint[]): boolean | "load" => {
  if (registers[MONITOR] === GRANTED) return true;
  const place = reservedIn(registers);
  if (place === undefined || place.address !== access.address || place.size !== access.size) return false;
  const [value] = loaded;
  return value === undefined ? "load" : value === (registers[FOUND] ?? 0n);
};
