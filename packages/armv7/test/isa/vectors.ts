import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { Access, Bytes, Registers } from "@cmodx/core";
import { armv7InstructionSet, flagRegisters, type Mode } from "../../src/index.js";
import { generalRegisters } from "../../src/isa/registers.js";

/** One measured execution; the shared data's description of `vectors/` explains the fields. */
export type Vector = {
  readonly code: string;
  readonly in: { readonly [register: string]: string };
  readonly out: { readonly [register: string]: string };
  readonly mem?: { readonly [offset: string]: number };
  readonly pc: number;
  readonly end: string;
  readonly flagsIn: string;
  readonly flagsOut: string;
};

/** Reads vectors, one a line, gzipped or not. */
export const readVectors = (file: URL | string): Vector[] => {
  const content = readFileSync(file);
  const text = String(file).endsWith(".gz") ? gunzipSync(content) : content;
  return text
    .toString("utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
};

const codePage = 0x40000000n;
const dataPage = 0x50000000n;
const pageSize = 0x1000n;
const origin = codePage + 0x800n;
const thumbBit = 0x20n;
const traps: { readonly [mode in Mode]: Bytes } = { a32: [0xf0, 0x00, 0xf0, 0xe7], t32: [0x00, 0xde] };
const signals: { readonly [vector: string]: string } = { bkpt: "trap", und: "illegal", pf: "segv" };

/** The mode in which a vector starts. */
export const modeOf = (vector: Vector): Mode => (BigInt(`0x${vector.flagsIn}`) & thumbBit ? "t32" : "a32");

const bytesOf = (hexadecimal: string): Bytes => [...Buffer.from(hexadecimal, "hex")];
const hexText = (bytes: Bytes): string => Buffer.from(bytes).toString("hex");

/**
 * What keeps a vector outside the subset, as the decoder alone tells: the first bytes that it calls `unsupported` among those
 * reached from the start of the code by falling through and by direct branches. Nothing when the vector is inside.
 */
export const outside = (vector: Vector): string | undefined => {
  const code = bytesOf(vector.code);
  const mode = modeOf(vector);
  const pending = [0];
  const seen = new Set<number>();
  while (pending.length > 0) {
    const offset = pending.pop()!;
    if (seen.has(offset) || offset < 0 || offset >= code.length) continue;
    seen.add(offset);
    const bytes = [...code.slice(offset, offset + 4), ...traps[mode], ...traps[mode]];
    const insn = armv7InstructionSet.decode(bytes, mode);
    if (insn === "unsupported") return hexText(bytes.slice(0, 4));
    if (typeof insn === "string") continue;
    const target = insn.operands.at(-1);
    if (target?.kind === "relative") pending.push(offset + (mode === "a32" ? 8 : 4) + target.displacement);
    if (!/^(b|bx|udf)$/.test(insn.op) || insn.condition !== undefined) pending.push(offset + insn.length);
  }
  return undefined;
};

/** What a vector leaves behind, in the words of a vector; `end` is `unsupported` or `endless` when the model cannot tell. */
export type Result = Pick<Vector, "out" | "mem" | "pc" | "end" | "flagsOut">;

/** What was measured. */
export const measured = ({ out, mem, pc, end, flagsOut }: Vector): Result => ({
  out,
  ...(mem && { mem }),
  pc,
  end,
  flagsOut,
});

const flagsOf = (text: string): Registers => {
  const flags = BigInt(`0x${text}`);
  return Object.fromEntries(flagRegisters.map((name, place) => [name, (flags >> BigInt(31 - place)) & 1n]));
};

/** Runs a vector's code in the memory that it was measured in; `ran` hears of each instruction. */
export const run = (vector: Vector, ran: (text: string, bytes: Bytes) => void = () => {}): Result => {
  let mode: string = modeOf(vector);
  const filler = traps[modeOf(vector)];
  const code = Array.from({ length: Number(pageSize) }, (_, k) => filler[k % filler.length]!);
  code.splice(Number(origin - codePage), vector.code.length / 2, ...bytesOf(vector.code));
  const data = Array.from({ length: Number(pageSize) }, (_, k) => (k < 64 ? (7 * k + 1) & 255 : 0));
  const before = [...data];
  // The stack pointer was not recorded.
  const compared = generalRegisters.filter((name) => name !== "sp" && name !== "pc");
  const numbers = new Map(generalRegisters.map((name, number) => [name, number]));
  const initial: Registers = {
    ...Object.fromEntries(compared.map((name) => [name, BigInt(`0x${vector.in[numbers.get(name)!] ?? "0"}`)])),
    ...flagsOf(vector.flagsIn),
  };
  let registers = initial;
  let pc = origin;

  const isIn = (page: bigint, address: bigint) => address >= page && address < page + pageSize;
  const byteAt = (address: bigint): number | undefined => {
    if (isIn(codePage, address)) return code[Number(address - codePage)];
    return isIn(dataPage, address) ? data[Number(address - dataPage)] : undefined;
  };
  const places = ({ address, size }: Access) => Array.from({ length: size }, (_, k) => address + BigInt(k));
  const load = (access: Access): bigint | undefined => {
    const bytes = places(access).map(byteAt);
    return bytes.includes(undefined) ? undefined : bytes.reduceRight((high, byte) => (high << 8n) | BigInt(byte!), 0n);
  };
  const result = (end: string): Result => {
    const changed = data.flatMap((byte, k) => (byte === before[k] ? [] : [[k, byte] as const]));
    const out = compared.flatMap((name) =>
      registers[name] === initial[name] ? [] : [[numbers.get(name), (registers[name] ?? 0n).toString(16)] as const],
    );
    const flags = flagRegisters.reduce((all, name, place) => all | ((registers[name] ?? 0n) << BigInt(31 - place)), 0n);
    return {
      out: Object.fromEntries(out),
      ...(changed.length > 0 && { mem: Object.fromEntries(changed) }),
      pc: Number(pc - origin),
      end,
      flagsOut: (flags | (mode === "t32" ? thumbBit : 0n)).toString(16),
    };
  };

  for (let steps = 0; steps < 10_000; steps += 1) {
    if (!isIn(codePage, pc)) return result("segv");
    const at = Number(pc - codePage);
    const bytes = code.slice(at, at + armv7InstructionSet.maxLength);
    const insn = armv7InstructionSet.decode(bytes, mode);
    if (insn === "unsupported") return result("unsupported");
    if (insn === "undefined") return result("illegal");
    if (insn === "short") return result("segv");
    ran(armv7InstructionSet.format(insn, pc), bytes.slice(0, insn.length));
    let outcome = armv7InstructionSet.execute(insn, pc, registers);
    if (outcome.do === "load") {
      const loaded = outcome.from.map(load);
      if (loaded.includes(undefined)) return result("segv");
      outcome = armv7InstructionSet.execute(insn, pc, registers, loaded as bigint[]);
    }
    if (outcome.do === "load") throw new Error("an instruction asked for loads twice");
    if (outcome.do === "trap") {
      pc = outcome.resume;
      return result(signals[outcome.vector] ?? outcome.vector);
    }
    const stores = outcome.do === "retire" ? (outcome.stores ?? []) : [];
    if (stores.some((store) => places(store).some((address) => byteAt(address) === undefined))) return result("segv");
    for (const store of stores) {
      places(store).forEach((address, k) => {
        // The code page was writable when the vectors were measured.
        const page = isIn(codePage, address) ? code : data;
        page[Number(address % pageSize)] = Number((store.value! >> BigInt(8 * k)) & 0xffn);
      });
    }
    registers = { ...registers, ...outcome.registers };
    if (outcome.do === "retire" && outcome.mode !== undefined) mode = outcome.mode;
    pc = outcome.next;
  }
  return result("endless");
};
