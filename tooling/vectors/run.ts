import type { Access, Bytes, Instruction, InstructionSet, Registers } from "@cmodx/core";

/** One measured execution; the shared data's description of `vectors/` explains the fields. */
export type Vector = {
  readonly code: string;
  readonly in: { readonly [register: string]: string };
  readonly out: { readonly [register: string]: string };
  readonly mem?: { readonly [offset: string]: number };
  readonly pc: number;
  readonly end: string;
  /** Absent where the architecture has no flags, as is `flagsOut`. */
  readonly flagsIn?: string;
  readonly flagsOut?: string;
};

/** What a vector leaves behind, in the words of a vector; `end` is `unsupported` or `endless` when the model cannot tell. */
export type Result = Pick<Vector, "out" | "mem" | "pc" | "end" | "flagsOut">;

/** What is an architecture's own about running its vectors. */
export type Target<I extends Instruction> = {
  readonly instructionSet: InstructionSet<I>;
  /** The registers that were measured, with their numbers. */
  readonly registers: readonly (readonly [name: string, number: number])[];
  /** Those of them that belonged to the measurement afterwards. */
  readonly notCompared?: readonly string[];
  /** The mode in which a vector starts; absent where there is one alone. */
  readonly modeOf?: (vector: Vector) => string;
  /** The trap that fills the page around the code. */
  readonly filler: (mode: string) => Bytes;
  /** What an exception ended a program with, by its vector. */
  readonly signals: { readonly [vector: string]: string };
  readonly flags?: {
    readonly read: (bits: bigint) => Registers;
    readonly write: (registers: Registers, mode: string) => bigint;
  };
  /** Where an instruction may go on without a look at registers, relative to where it lies. */
  readonly ways: (insn: I, mode: string) => readonly number[];
};

const codePage = 0x40000000n;
const dataPage = 0x50000000n;
const pageSize = 0x1000n;
const origin = codePage + 0x800n;

const bytesOf = (hexadecimal: string): Bytes => [...Buffer.from(hexadecimal, "hex")];

const isIn = (page: bigint, address: bigint) => address >= page && address < page + pageSize;

const places = ({ address, size }: Access) => Array.from({ length: size }, (_, k) => address + BigInt(k));

const initialData = Uint8Array.from({ length: Number(pageSize) }, (_, k) => (k < 64 ? 7 * k + 1 : 0));

/**
 * What keeps a vector outside the subset, as the decoder alone tells: the first bytes that it calls `unsupported` or opaque among those
 * reached from the start of the code by falling through and by direct branches. Nothing when the vector is inside.
 */
export const outside = <I extends Instruction>(target: Target<I>, vector: Vector): string | undefined => {
  const { instructionSet, modeOf, filler, ways } = target;
  const code = bytesOf(vector.code);
  const mode = modeOf?.(vector) ?? "";
  const behind = Array<Bytes>(instructionSet.maxLength).fill(filler(mode)).flat();
  const pending = [0];
  const seen = new Set<number>();
  while (pending.length > 0) {
    const offset = pending.pop()!;
    if (seen.has(offset) || offset < 0 || offset >= code.length) continue;
    seen.add(offset);
    const bytes = [...code.slice(offset, offset + instructionSet.maxLength), ...behind];
    const insn = instructionSet.decode(bytes, mode);
    if (insn === "unsupported" || (typeof insn !== "string" && insn.opaque))
      return Buffer.from(bytes.slice(0, 4)).toString("hex");
    if (typeof insn !== "string") pending.push(...ways(insn, mode).map((way) => offset + way));
  }
  return undefined;
};

/** Runs a vector's code in the memory that it was measured in; `ran` hears of each instruction. */
export const run = <I extends Instruction>(target: Target<I>, vector: Vector, ran?: (insn: I) => void): Result => {
  const { instructionSet, registers: measured, notCompared = [], filler, signals, flags } = target;
  let mode = target.modeOf?.(vector) ?? "";
  const trap = filler(mode);
  const code = Uint8Array.from({ length: Number(pageSize) }, (_, k) => trap[k % trap.length]!);
  code.set(bytesOf(vector.code), Number(origin - codePage));
  const data = initialData.slice();
  const initial: Registers = {
    ...Object.fromEntries(measured.map(([name, number]) => [name, BigInt(`0x${vector.in[number] ?? "0"}`)])),
    ...flags?.read(BigInt(`0x${vector.flagsIn}`)),
  };
  let registers = initial;
  let pc = origin;

  const byteAt = (address: bigint): number | undefined => {
    if (isIn(codePage, address)) return code[Number(address - codePage)];
    return isIn(dataPage, address) ? data[Number(address - dataPage)] : undefined;
  };
  const load = (access: Access): bigint | undefined => {
    const bytes = places(access).map(byteAt);
    return bytes.includes(undefined) ? undefined : bytes.reduceRight((high, byte) => (high << 8n) | BigInt(byte!), 0n);
  };
  const result = (end: string): Result => {
    const mem: { [offset: string]: number } = {};
    data.forEach((byte, k) => {
      if (byte !== initialData[k]) mem[k] = byte;
    });
    const out = measured.flatMap(([name, number]) =>
      registers[name] === initial[name] || notCompared.includes(name)
        ? []
        : [[number, (registers[name] ?? 0n).toString(16)] as const],
    );
    return {
      out: Object.fromEntries(out),
      ...(Object.keys(mem).length > 0 && { mem }),
      // The measurement kept the low half of the pc alone.
      pc: Number(BigInt.asIntN(32, pc - origin)),
      end,
      ...(flags && { flagsOut: flags.write(registers, mode).toString(16) }),
    };
  };

  for (let steps = 0; steps < 10_000; steps += 1) {
    if (!isIn(codePage, pc)) return result("segv");
    const at = Number(pc - codePage);
    const insn = instructionSet.decode([...code.subarray(at, at + instructionSet.maxLength)], mode);
    if (insn === "unsupported") return result("unsupported");
    if (insn === "undefined") return result("illegal");
    if (insn === "short") return result("segv");
    ran?.(insn);
    let outcome = instructionSet.execute(insn, pc, registers);
    if (outcome.do === "load") {
      const loaded = outcome.from.map(load);
      if (loaded.includes(undefined)) return result("segv");
      outcome = instructionSet.execute(insn, pc, registers, loaded as bigint[]);
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
