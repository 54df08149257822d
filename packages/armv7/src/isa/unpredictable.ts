import type { Fields } from "./pattern.js";
import { numberOf } from "./registers.js";

const sp = numberOf("sp");
const lr = numberOf("lr");
const pc = numberOf("pc");

const holds = (list: number, register: number): boolean => ((list >>> register) & 1) === 1;

const count = (list: number): number => list.toString(2).replaceAll("0", "").length;

const isLowest = (list: number, register: number): boolean => (list & ((1 << register) - 1)) === 0;

/** What makes an encoding UNPREDICTABLE, by the name that tables give it. */
const conditions: { readonly [name: string]: (fields: Fields) => boolean } = {
  /** The base is written back, and is pc or the register that is transferred. */
  base: ({ P = 1, W, n, t }) => (P === 0 || W === 1) && (n === pc || n === t),
  bothpc: ({ d, m }) => d === pc && m === pc,
  bothsp: ({ d, m }) => d === sp && m === sp,
  /** Two low registers, which another encoding has. */
  high: ({ n, m }) => n! < 8 && m! < 8,
  list: ({ r, M = 0 }) => r! + M === 0,
  list2: ({ r }) => count(r!) < 2,
  /** A base that is written back is loaded too. */
  loaded: ({ r, n, W = 1 }) => W === 1 && holds(r!, n!),
  /** Of two registers the first is odd or the last two, or a base that is written back is one of them. */
  odd: ({ t }) => t! % 2 === 1 || t === lr,
  twobase: ({ P = 1, W, n, t, s: second = t! + 1 }) => (P === 0 || W === 1) && (n === pc || n === t || n === second),
  /** The index is one of two registers that are loaded. */
  twoindex: ({ m, t }) => m === t || m === t! + 1,
  /** Two registers that are loaded are one. */
  twice: ({ t, s: second }) => t === second,
  /** What tells whether a store took place is its base or its source. */
  status: ({ d, n, t, m = t! }) => d === n || d === m,
  /** The second of two registers is the stack pointer or the link register, or there is none. */
  stackpair: ({ t }) => t! % 2 === 1 || t! >= 12,
  nopc: ({ r }) => holds(r!, pc),
  nosp: ({ r }) => holds(r!, sp),
  onepc: ({ r }) => holds(r!, pc) && holds(r!, lr),
  same: ({ n, m }) => n !== m,
  /** The stack pointer comes from the stack pointer alone. */
  stack: ({ d, n }) => d === sp && n !== sp,
  stackshift: ({ d, y, k }) => d === sp && (y !== 0 || k! > 3),
  /** A base that is written back is stored too, and is not the first to be. */
  stored: ({ r, n, W = 1 }) => W === 1 && holds(r!, n!) && !isLowest(r!, n!),
};

/**
 * The condition of that name: one of the above, `X!sp`, `X!lr` or `X!pc` for a field that may not name that register, either with `S:`
 * before it when it counts for an instruction that sets flags.
 */
export const unpredictable = (name: string): ((fields: Fields) => boolean) => {
  const [, flags, letter, register] = /^(S:)?(\w)!(sp|lr|pc)$/.exec(name) ?? [];
  if (letter !== undefined) {
    const number = { sp, lr, pc }[register!];
    return (fields) => fields[letter] === number && (flags === undefined || fields.S === 1);
  }
  const condition = conditions[name];
  if (condition === undefined) throw new Error(`Nothing that is called "${name}" is UNPREDICTABLE.`);
  return condition;
};
