import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import type { Access, Bytes, Registers } from "@cmodx/core";
import { arm64InstructionSet, conditionFlags } from "../../src/isa/index.js";
import { generalRegisters } from "../../src/isa/registers.js";

/** One execution measured under QEMU; the shared data's description of `vectors/` explains the fields. */
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

const breakpoint: Bytes = [0x00, 0x00, 0x20, 0xd4];
const codePage = 0x40000000n;
const dataPage = 0x50000000n;
const pageSize = 0x1000n;
const origin = codePage + 0x800n;
const signals: { readonly [vector: string]: string } = {
  brk: "trap",
  ud: "illegal",
  pf: "bus",
};

const bytesOf = (hexadecimal: string): Bytes => [...Buffer.from(hexadecimal, "hex")];

const wordAt = (code: Bytes, offset: number): Bytes => code.slice(offset, offset + 4);

/** Registers that the measurement compared; the others belonged to it. */
const compared = generalRegisters.filter((name) => name !== "x18" && name !== "x29");

/** Branches after which the instruction behind is not reached. */
const leaving: ReadonlySet<string> = new Set(["b", "br", "ret", "brk", "udf"]);

/**
 * What keeps a vector outside the subset, as the decoder alone tells: the first word that it calls `unsupported` among those
 * reached from the start of the code by falling through and by direct branches. Nothing when the vector is inside.
 */
export const outside = (vector: Vector): string | undefined => {
  const code = bytesOf(vector.code);
  const pending = [0];
  const seen = new Set<number>();
  while (pending.length > 0) {
    const offset = pending.pop()!;
    if (seen.has(offset) || offset < 0 || offset >= code.length) continue;
    seen.add(offset);
    const insn = arm64InstructionSet.decode(wordAt(code, offset), "");
    if (insn === "unsupported") return Buffer.from(wordAt(code, offset)).toString("hex");
    if (typeof insn === "string") continue;
    const target = insn.operands.at(-1);
    if (target?.kind === "relative" && /^(b|c|t)/.test(insn.op)) pending.push(offset + Number(target.displacement));
    if (!leaving.has(insn.op)) pending.push(offset + 4);
  }
  return undefined;
};

/** The operations of a vector's code. */
export const operations = ({ code }: Vector): readonly string[] =>
  Array.from({ length: code.length / 8 }, (_, k) => {
    const insn = arm64InstructionSet.decode(wordAt(bytesOf(code), k * 4), "");
    return typeof insn === "string" ? [] : [insn.op];
  }).flat();

/** What a vector leaves behind, in the words of a vector; `end` is `unsupported` or `endless` when the model cannot tell. */
export type Result = Pick<Vector, "out" | "mem" | "pc" | "end" | "flagsOut">;

/** Runs a vector's code in the memory that it was measured in. */
export const run = (vector: Vector): Result => {
  const code = Array.from({ length: Number(pageSize) }, (_, k) => breakpoint[k % 4]!);
  code.splice(Number(origin - codePage), vector.code.length / 2, ...bytesOf(vector.code));
  const data = Array.from({ length: Number(pageSize) }, (_, k) => (k < 64 ? (7 * k + 1) & 255 : 0));
  const before = [...data];
  const initial: Registers = {
    ...Object.fromEntries(generalRegisters.map((name, number) => [name, BigInt(`0x${vector.in[number] ?? "0"}`)])),
    nzcv: BigInt(`0x${vector.flagsIn}`),
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
      registers[name] === initial[name] ? [] : [[name.slice(1), (registers[name] ?? 0n).toString(16)] as const],
    );
    return {
      out: Object.fromEntries(out),
      ...(changed.length > 0 && { mem: Object.fromEntries(changed) }),
      // The measurement kept the low half of the pc alone.
      pc: Number(BigInt.asIntN(32, pc - origin)),
      end,
      flagsOut: ((registers.nzcv ?? 0n) & conditionFlags).toString(16),
    };
  };

  for (let steps = 0; steps < 10_000; steps += 1) {
    if (!isIn(codePage, pc)) return result("segv");
    const at = Number(pc - codePage);
    const insn = arm64InstructionSet.decode(wordAt(code, at), "");
    if (insn === "unsupported") return result("unsupported");
    if (insn === "undefined") return result("illegal");
    if (insn === "short") return result("segv");
    let outcome = arm64InstructionSet.execute(insn, pc, registers);
    if (outcome.do === "load") {
      const loaded = outcome.from.map(load);
      if (loaded.includes(undefined)) return result("segv");
      outcome = arm64InstructionSet.execute(insn, pc, registers, loaded as bigint[]);
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
    pc = outcome.next;
  }
  return result("endless");
};
