import type { Layout } from "./layout.js";
import type { Machine } from "./machine.js";
import { HOME, STACK_BOTTOM, STACK_TOP } from "./reserved.js";

/*
 * R42: what no run changes: bytes of data that nobody writes, and so what a register that was loaded can hold. Read off the programs and the
 * code once, before any step. It is taken that code keeps its stack pointer in its stack, and that an address of code that is loaded
 * stands somewhere as a whole, and is not worked out from a distance.
 */

/** Operations of core that write the memory part and no data but what their arguments say. */
const KNOWN: ReadonlySet<string> = new Set([
  "beginCall",
  "returnCall",
  "publish",
  "publishEvent",
  "store",
  "maintain",
  "freeCode",
  "mapCode",
  "setMemory",
  "emulate",
]);

type DataArgs = { readonly address: bigint; readonly bytes?: string; readonly size?: number };

/** Whether nobody writes a byte of data at an address; undefined where that is not known of any. */
export const neverWritten = (machine: Machine): ((address: bigint) => boolean) => {
  const written = new Set<bigint>();
  for (const { code } of machine.layout.programs.values()) {
    for (const entry of code) {
      if (entry.kind !== "op") continue;
      if (entry.op === "storeData" || entry.op === "freeData") {
        const { address, bytes, size = (bytes ?? "").length / 2 } = entry.args as DataArgs;
        for (let i = 0; i < size; i++) written.add(address + BigInt(i));
      } else if (machine.rule(entry.op).writes.includes("memory") && !KNOWN.has(entry.op)) return () => false;
    }
  }
  if (storesAbroad(machine)) return () => false;
  const { siteOf } = machine.layout;
  return (address) => !written.has(address) && !siteOf.has(address) && machine.cellOf(address) === undefined;
};

/** Whether some instruction of the code, as it is laid out and as it is patched, may store elsewhere than on its own stack. */
const storesAbroad = (machine: Machine): boolean => {
  const { layout, instructionSet } = machine;
  const entered = instructionSet.enter(HOME, STACK_TOP).registers;
  const isAbroad = (bytes: readonly number[], at: bigint, mode: string): number | "abroad" => {
    const insn = instructionSet.decode(bytes, mode);
    if (typeof insn === "string") return instructionSet.alignment;
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

/** Whether an address of code is held anywhere, so that a register that was loaded may go there. */
export const isHeld = (address: bigint, layout: Layout, data: { readonly [address: string]: string }): boolean => {
  const [low, thumb] = [address, address | 1n].map((value) => littleEndian(value));
  const given = [...layout.runs.values()].flatMap(({ registers = {} }) => Object.values(registers));
  if (given.includes(address) || given.includes(address | 1n)) return true;
  const held = (bytes: string): boolean => bytes.includes(low as string) || bytes.includes(thumb as string);
  const programs = [...layout.programs.values()].flatMap(({ code }) =>
    code.map((entry) => (entry.kind === "op" ? String(entry.args.bytes ?? "") : "")),
  );
  return [...programs, joined(data)].some(held) || held(joined(textOf(layout)));
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
