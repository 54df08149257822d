import type { InstructionSet, Outcome } from "../contract/instruction-set.js";
import type { PlacedCode } from "../contract/layout.js";

/*
 * Where control may leave the modelled code: what the author named. These are the targets of branches as they are written, in every
 * version of a site and in all further code: direct ones, and those through a register that the code itself sets.
 */

type Known = { readonly [register: string]: bigint };
type Done = Exclude<Outcome, { readonly do: "load" }>;

/** A value that looks random, a multiple of 4 so that code may lie there (the finaliser of SplitMix64). */
const scattered = (n: number): bigint => {
  let value = BigInt.asUintN(64, BigInt(n) * 0x9e37_79b9_7f4a_7c15n);
  value = BigInt.asUintN(64, (value ^ (value >> 30n)) * 0xbf58_476d_1ce4_e5b9n);
  value = BigInt.asUintN(64, (value ^ (value >> 27n)) * 0x94d0_49bb_1331_11ebn);
  return (value ^ (value >> 31n)) & ~3n;
};

/** Values for what is not known: those that decide between them whatever looks at one bit, then some that nobody means. */
const UNKNOWN: readonly bigint[] = [
  0n,
  1n,
  0xffff_ffff_ffff_ffffn,
  ...Array.from({ length: 24 }, (_, i) => scattered(i + 1)),
];
const [, , , NOBODY_MEANS = 0n] = UNKNOWN;

/** How often an instruction asks for loads at the most. */
const MOST_LOADS = 64;

/** Reads code that nobody changes; undefined where some of it is changed or is not there. */
export type ReadText = (address: bigint, size: number) => bigint | undefined;

/** The addresses that the branches of a piece of code go to, as far as the code alone says where. */
export const targetsOf = (
  { address, bytes, mode, starts }: PlacedCode,
  instructionSet: InstructionSet,
  read: ReadText,
): readonly bigint[] => {
  const targets: bigint[] = [];
  let known: Known = {};
  let behind = 0;
  for (const offset of starts) {
    const insn = instructionSet.decode(bytes.slice(offset), mode);
    // Nothing is known behind data, and behind what nobody knows the effect of.
    if (offset !== behind || typeof insn === "string") known = {};
    if (typeof insn === "string") continue;
    behind = offset + insn.length;
    if (insn.opaque) {
      known = {};
      continue;
    }
    const at = address + BigInt(offset);
    const execute = (given: Known): readonly Done[] => {
      const first = instructionSet.execute(insn, at, given);
      if (first.do !== "load") return [first];
      return UNKNOWN.flatMap((value) => {
        let outcome: Outcome = first;
        for (let asked = 0; outcome.do === "load" && asked < MOST_LOADS; asked++) {
          const loaded = outcome.from.map(
            (each) => read(each.address, each.size) ?? BigInt.asUintN(8 * each.size, value),
          );
          outcome = instructionSet.execute(insn, at, given, loaded);
        }
        return outcome.do === "load" ? [] : [outcome];
      });
    };
    const unknown = instructionSet.inputs(insn).filter(({ register }) => known[register] === undefined);
    const done = waysFor(unknown).flatMap((given) => execute({ ...known, ...given }));
    const nexts = new Set(done.flatMap((outcome) => (outcome.do === "retire" ? [outcome.next] : [])));
    nexts.delete(at + BigInt(insn.length));
    // Where it varies with what is not known, somebody else says where it goes.
    if (nexts.size === 1) targets.push(...nexts);
    known = knownBehind(known, done);
  }
  return targets;
};

/** Registers with values that decide an instruction in every way that it can be decided. */
const waysFor = (unknown: readonly { readonly register: string; readonly role: string }[]): readonly Known[] => {
  const deciding = new Set(unknown.flatMap(({ register, role }) => (role === "branch" ? [register] : [])));
  const rest = [...new Set(unknown.map(({ register }) => register))].filter((register) => !deciding.has(register));
  // Three and more are flags of one bit each.
  const values = deciding.size > 2 ? UNKNOWN.slice(0, 2) : UNKNOWN;
  let ways: readonly Known[] = [0n, NOBODY_MEANS].map((value) =>
    Object.fromEntries(rest.map((register) => [register, value])),
  );
  for (const register of deciding)
    ways = ways.flatMap((given) => values.map((value) => ({ ...given, [register]: value })));
  return ways;
};

/** The registers that hold the same behind an instruction whatever was not known before it. */
const knownBehind = (before: Known, done: readonly Done[]): Known => {
  const known: { [register: string]: bigint } = { ...before };
  const written = done.map((outcome): Known => (outcome.do === "trap" ? {} : outcome.registers));
  for (const register of new Set(written.flatMap((registers) => Object.keys(registers)))) {
    const [value, ...others] = written.map((registers) => registers[register] ?? before[register]);
    if (value !== undefined && others.every((other) => other === value)) known[register] = value;
    else delete known[register];
  }
  return known;
};
