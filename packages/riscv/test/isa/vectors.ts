import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { Access, Bytes, Registers } from "@cmodx/core";
import { integerRegisters, riscvInstructionSet, type Vector as TrapVector } from "../../src/isa/index.js";

/** One measured execution; the shared data's description of `vectors/` explains the fields. */
export type Vector = {
  readonly code: string;
  readonly in: { readonly [register: string]: string };
  readonly out: { readonly [register: string]: string };
  readonly mem?: { readonly [offset: string]: number };
  readonly pc: number;
  readonly end: string;
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
const signals: { readonly [vector in TrapVector]?: string } = {
  ebreak: "trap",
  ud: "illegal",
  pf: "segv",
  misaligned: "bus",
};

// The measurement kept sp, gp and tp to itself.
const compared = integerRegisters
  .map((name, number) => [name, number] as const)
  .filter(([name]) => !["zero", "sp", "gp", "tp"].includes(name));

const bytesOf = (hexadecimal: string): Bytes => [...Buffer.from(hexadecimal, "hex")];

const filler: Bytes = [0x02, 0x90];

const decodeAt = (code: Bytes, offset: number) =>
  riscvInstructionSet.decode([...code.slice(offset, offset + riscvInstructionSet.maxLength), ...filler], "");

/** The forms of the instructions that are reached from the start of the code by falling through and by direct branches. */
export const reached = (vector: Vector): ReadonlyMap<number, string> => {
  const code = bytesOf(vector.code);
  const pending = [0];
  const seen = new Map<number, string>();
  while (pending.length > 0) {
    const offset = pending.pop()!;
    if (seen.has(offset) || offset < 0 || offset >= code.length) continue;
    const insn = decodeAt(code, offset);
    if (typeof insn === "string") {
      seen.set(offset, insn);
      continue;
    }
    seen.set(offset, insn.form);
    if (insn.op.startsWith("b") || insn.op === "jal") pending.push(offset + Number(insn.imm));
    if (insn.op !== "jal" || insn.rd !== "zero") pending.push(offset + insn.length);
  }
  return seen;
};

/**
 * What keeps a vector outside the subset, as the decoder alone tells: the first bytes that it calls `unsupported` among those
 * reached. Nothing when the vector is inside.
 */
export const outside = (vector: Vector): string | undefined => {
  const [offset] = [...reached(vector)].find(([, form]) => form === "unsupported") ?? [];
  return offset === undefined ? undefined : vector.code.slice(2 * offset, 2 * offset + 8);
};

/** What a vector leaves behind, in the words of a vector; `end` is `unsupported` or `endless` when the model cannot tell. */
export type Result = Pick<Vector, "out" | "mem" | "pc" | "end">;

/** Runs a vector's code in the memory that it was measured in; `ran` hears the form of each instruction. */
export const run = (vector: Vector, ran?: (form: string) => void): Result => {
  const code = Array.from({ length: Number(pageSize) }, (_, k) => filler[k % 2]!);
  code.splice(Number(origin - codePage), vector.code.length / 2, ...bytesOf(vector.code));
  const data = Array.from({ length: Number(pageSize) }, (_, k) => (k < 64 ? (7 * k + 1) & 255 : 0));
  const before = [...data];
  const initial: Registers = Object.fromEntries(
    integerRegisters.map((name, number) => [name, BigInt(`0x${vector.in[number] ?? "0"}`)]),
  );
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
    const out = compared.flatMap(([name, number]) =>
      registers[name] === initial[name] ? [] : [[number, (registers[name] ?? 0n).toString(16)] as const],
    );
    return {
      out: Object.fromEntries(out),
      ...(changed.length > 0 && { mem: Object.fromEntries(changed) }),
      // The measurement kept the low half of the pc alone.
      pc: Number(BigInt.asIntN(32, pc - origin)),
      end,
    };
  };

  for (let steps = 0; steps < 10_000; steps += 1) {
    if (!isIn(codePage, pc)) return result("segv");
    const insn = decodeAt(code, Number(pc - codePage));
    if (insn === "unsupported") return result("unsupported");
    if (insn === "undefined") return result("illegal");
    if (insn === "short") return result("segv");
    ran?.(insn.form);
    let outcome = riscvInstructionSet.execute(insn, pc, registers);
    if (outcome.do === "load") {
      const loaded = outcome.from.map(load);
      if (loaded.includes(undefined)) return result("segv");
      outcome = riscvInstructionSet.execute(insn, pc, registers, loaded as bigint[]);
    }
    if (outcome.do === "load") throw new Error("an instruction asked for loads twice");
    if (outcome.do === "trap") {
      pc = outcome.resume;
      return result(signals[outcome.vector as TrapVector] ?? outcome.vector);
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
    pc = outcome.next;
  }
  return result("endless");
};
