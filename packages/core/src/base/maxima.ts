import { InputError } from "./errors.js";

/*
 * The most of each thing that a scenario can have. What is within them is planned and laid out in less than a second, so that a limit
 * of time and an interruption hold before the first state is seen, too.
 */

/** CPUs, those of the patchers included. */
export const MOST_CPUS = 1024;
/** Executors, all counts together. */
export const MOST_EXECUTORS = 1024;
/** Flips of a patcher that does not go there and back for ever. */
export const MOST_FLIPS = 1000;
/** Bytes of one piece of code, and of one piece of data. */
export const MOST_BYTES = 0x1_0000;
/** Entries of a list: sites, blocks, data, and lines of a patch program below each other. */
const MOST_LISTED = 4096;
/** Levels of lists and objects in a patch program: each line that holds others takes two or three. */
export const MOST_NESTED = 100;

/**
 * Throws {@link InputError} for a value of more than {@link MOST_NESTED} levels, such as one that holds itself, and for one with a list of
 * more than {@link MOST_LISTED} entries but bytes. `what` names it.
 */
export const assertNesting = (value: unknown, what: string, place: string): void => {
  const open: (readonly [value: unknown, level: number])[] = [[value, 0]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [held, level] = next;
    if (typeof held !== "object" || held === null) continue;
    if (level > MOST_NESTED)
      throw new InputError(`${what} holds lists and objects in each other, more than ${MOST_NESTED} deep.`, {
        place,
        code: "out-of-range",
      });
    if (Array.isArray(held) && held.length > MOST_LISTED && typeof held[0] !== "number")
      throw new InputError(`${what} holds a list of ${held.length} entries, more than ${MOST_LISTED}.`, {
        place,
        code: "out-of-range",
      });
    for (const each of Object.values(held)) open.push([each, level + 1]);
  }
};

/** Throws {@link InputError} where bytes from an address on are too many, or do not lie in the address space. */
export const assertRange = (what: string, address: bigint, length: number, place: string): void => {
  if (length > MOST_BYTES)
    throw new InputError(`${what} at 0x${address.toString(16)} has ${length} bytes, more than ${MOST_BYTES}.`, {
      place,
      code: "out-of-range",
    });
  if (address < 0n || address + BigInt(length) > ADDRESSES)
    throw new InputError(
      `${what} at 0x${address.toString(16)}, of length ${length}, does not end below 2^64, where addresses do.`,
      { place, code: "out-of-range" },
    );
};

const ADDRESSES = 1n << 64n;
