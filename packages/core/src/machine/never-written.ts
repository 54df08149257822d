import { toHex } from "../base/hex.js";
import type { Layout } from "../contract/layout.js";
import type { World } from "../contract/world.js";
import { HOME, STACK_BOTTOM, STACK_TOP } from "../program/reserved.js";

/*
 * R42: what no run changes: bytes of data that nobody writes, and so what a register that was loaded can hold. Read off the programs and the
 * code once, before any step. It is taken that code keeps its stack pointer in its stack, and that an address of code that is loaded
 * stands somewhere as a whole or is worked out by instructions that follow one another.
 */

/** Whether nobody writes a byte of data at an address; undefined where that is not known of any. */
export const neverWritten = (machine: World): ((address: bigint) => boolean) => {
  const written = new Set<bigint>();
  for (const { code } of machine.layout.programs.values()) {
    for (const entry of code) {
      if (entry.kind !== "op") continue;
      const rule = machine.rule(entry.op);
      const ranges = rule.writesData?.(entry.args);
      if (ranges === undefined && rule.writes.includes("memory")) return () => false;
      for (const { address, size } of ranges ?? []) for (let i = 0; i < size; i++) written.add(address + BigInt(i));
    }
  }
  if (machine.storesAbroad) return () => false;
  const { siteOf } = machine.layout;
  return (address) => !written.has(address) && !siteOf.has(address) && machine.cellOf(address) === undefined;
};

/** Whether some instruction of the code, as it is laid out and as it is patched, may store elsewhere than on its own stack. */
export const storesAbroad = (machine: World): boolean => {
  const { layout, instructionSet } = machine;
  const entered = instructionSet.enter(HOME, STACK_TOP).registers;
  const isAbroad = (bytes: readonly number[], at: bigint, mode: string): number | "abroad" => {
    const insn = instructionSet.decode(bytes, mode);
    if (typeof insn === "string") return instructionSet.alignment;
    if (insn.opaque) return "abroad";
    // A store under a condition is one, whatever the flags are at first.
    const registers = { ...entered, ...machine.order.conditional?.(insn) };
    let outcome = instructionSet.execute(insn, at, registers);
    if (outcome.do === "load")
      outcome = instructionSet.execute(
        insn,
        at,
        registers,
        outcome.from.map(() => 0n),
      );
    const stores = outcome.do === "retire" ? (outcome.stores ?? []) : [];
    const own = stores.every(({ address }) => address >= STACK_BOTTOM && address < STACK_TOP);
    return own ? insn.length : "abroad";
  };
  const walk = (text: ReadonlyMap<bigint, number>, mode: string): boolean => {
    const runs = [...text.keys()].filter((address) => !text.has(address - 1n));
    return runs.some((start) => {
      for (let at = start; text.has(at); ) {
        const bytes: number[] = [];
        for (let i = 0n; bytes.length < instructionSet.maxLength && text.has(at + i); i++)
          bytes.push(text.get(at + i) as number);
        const length = isAbroad(bytes, at, mode);
        if (length === "abroad") return true;
        at += BigInt(length);
      }
      return false;
    });
  };
  const modes = new Set(["", ...layout.modes.values(), ...layout.sites.map(({ mode }) => mode)]);
  const patched = layout.sites
    .filter(({ data }) => !data)
    .flatMap(({ address, versions }) =>
      versions.map(({ bytes }) => new Map(bytes.map((byte, i) => [address + BigInt(i), byte]))),
    );
  return [...modes].some((mode) => walk(layout.text, mode) || patched.some((version) => walk(version, mode)));
};

/**
 * Addresses of code that a register may hold that was loaded, with their decoder modes: those that stand somewhere as a whole, in registers,
 * data, programs or code, and those that code works out by itself, as calls and position-independent code do.
 */
export const heldAddresses = (
  machine: World,
  data: { readonly [address: string]: string },
): readonly { readonly address: bigint; readonly mode: string }[] => {
  const { layout, instructionSet } = machine;
  const values = new Set<bigint>();
  for (const { registers = {} } of layout.runs.values())
    for (const value of Object.values(registers)) values.add(value);
  const programs = [...layout.programs.values()].flatMap(({ code }) =>
    code.map((entry) => (entry.kind === "op" && "bytes" in entry.args ? String(entry.args.bytes) : "")),
  );
  const texts = layout.code.map(({ bytes }) => toHex(bytes));
  // The lower half of an address tells it from others.
  const words = new Set<string>();
  for (const bytes of [...programs, ...texts, joined(data), joined(textOf(layout))])
    for (let i = 0; i + 8 <= bytes.length; i += 2) words.add(bytes.slice(i, i + 8));
  for (const { address, bytes, mode } of layout.code)
    for (const value of workedOut(address, bytes, mode, machine)) values.add(value);
  const isHeld = (address: bigint): boolean =>
    [address, address | 1n].some((value) => values.has(value) || words.has(littleEndian(value)));
  const found = new Map<bigint, string>();
  for (const { address, bytes, mode } of layout.code)
    for (let i = 0; i < bytes.length; i += instructionSet.alignment) {
      const at = address + BigInt(i);
      if (!found.has(at) && isHeld(at)) found.set(at, layout.modes.get(at) ?? mode);
    }
  return [...found].map(([address, mode]) => ({ address, mode }));
};

/** The values that registers hold when a piece of code is run from its start to its end, branches left out. */
const workedOut = (start: bigint, bytes: readonly number[], mode: string, machine: World): readonly bigint[] => {
  const { instructionSet } = machine;
  const values: bigint[] = [];
  let { registers } = instructionSet.enter(HOME, STACK_TOP);
  for (let i = 0; i < bytes.length; ) {
    const insn = instructionSet.decode(bytes.slice(i, i + instructionSet.maxLength), mode);
    const at = start + BigInt(i);
    i += typeof insn === "string" ? instructionSet.alignment : insn.length;
    if (typeof insn === "string") continue;
    let outcome = instructionSet.execute(insn, at, registers);
    if (outcome.do === "load") {
      const zeros = outcome.from.map(() => 0n);
      outcome = instructionSet.execute(insn, at, registers, zeros);
    }
    if (outcome.do !== "retire" && outcome.do !== "operate") continue;
    registers = { ...registers, ...outcome.registers };
    values.push(...Object.values(outcome.registers));
  }
  return values;
};

const littleEndian = (value: bigint): string =>
  [0n, 8n, 16n, 24n]
    .map((shift) =>
      Number((value >> shift) & 0xffn)
        .toString(16)
        .padStart(2, "0"),
    )
    .join("");

const textOf = ({ text }: Layout): { readonly [address: string]: string } =>
  Object.fromEntries([...text].map(([address, byte]) => [address.toString(16), byte.toString(16).padStart(2, "0")]));

/** Bytes (hex) in the order of their addresses (hex). */
const joined = (bytes: { readonly [address: string]: string }): string =>
  Object.entries(bytes)
    .sort(([a], [b]) => (BigInt(`0x${a}`) < BigInt(`0x${b}`) ? -1 : 1))
    .map(([, byte]) => byte)
    .join("");
