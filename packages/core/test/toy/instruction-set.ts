import { type Bytes, InputError, type Instruction, type InstructionSet, type Outcome } from "../../src/index.js";

/** A toy instruction: one byte of operation, and for some a 16-bit operand behind it, the low byte first. */
export type ToyInstruction = Instruction & { readonly op: string; readonly operand: number };

const SHORT: { readonly [op: string]: number } = {
  nop: 0x00,
  ret: 0x01,
  trap: 0x02,
  serialise: 0x03,
  clean: 0x04,
  invalidate: 0x05,
  isb: 0x06,
};
const LONG: { readonly [op: string]: number } = {
  nop3: 0x10,
  jump: 0x11,
  call: 0x12,
  add: 0x13,
  load: 0x14,
  store: 0x15,
};

const inputs: { readonly [op: string]: ReturnType<InstructionSet["inputs"]> } = {
  ret: [{ register: "sp", role: "address" }],
  call: [{ register: "sp", role: "address" }],
  add: [{ register: "acc", role: "data" }],
  store: [{ register: "acc", role: "data" }],
};

const nameOf = (table: { readonly [op: string]: number }, code: number): string | undefined =>
  Object.keys(table).find((op) => table[op] === code);

/** A valid instruction that the toy does not model. */
export const UNSUPPORTED = 0xf0;

/** An instruction that the toy passes without a model of its effect. */
export const OPAQUE = 0xf1;

const decode = (bytes: Bytes): ToyInstruction | "short" | "undefined" | "unsupported" => {
  const [code, low, high] = bytes;
  if (code === undefined) return "short";
  if (code === UNSUPPORTED) return "unsupported";
  if (code === OPAQUE) return { length: 1, op: "opaque", operand: 0, opaque: true };
  const op = nameOf(SHORT, code);
  if (op !== undefined) return { length: 1, op, operand: 0 };
  const long = nameOf(LONG, code);
  if (long === undefined) return "undefined";
  if (low === undefined || high === undefined) return "short";
  return { length: 3, op: long, operand: low + 256 * high };
};

const format = ({ length, op, operand }: ToyInstruction): string =>
  length === 1 || (op === "nop3" && operand === 0) ? op : `${op} 0x${operand.toString(16)}`;

const assemble = (text: string): Bytes => {
  const [op = "", operand] = text.split(" ");
  const short = SHORT[op];
  if (short !== undefined) return [short];
  const long = LONG[op];
  const value = Number(operand ?? 0);
  if (long === undefined || !(value >= 0 && value < 0x10000)) {
    throw new InputError(`"${text}" is no toy instruction.`, { code: "unknown-name" });
  }
  return [long, value % 256, value >> 8];
};

const execute: InstructionSet<ToyInstruction>["execute"] = (insn, at, registers, loaded): Outcome => {
  const next = at + BigInt(insn.length);
  const operand = BigInt(insn.operand);
  const sp = registers.sp ?? 0n;
  const acc = registers.acc ?? 0n;
  switch (insn.op) {
    case "nop":
    case "nop3":
    case "opaque":
      return { do: "retire", registers: {}, next };
    case "trap":
      return { do: "trap", vector: "brk", resume: next };
    case "jump":
      return { do: "retire", registers: {}, next: operand };
    case "call": {
      const address = sp - 8n;
      const stores = [{ address, size: 8, value: next, tags: [] }];
      return { do: "retire", registers: { sp: address }, next: operand, stores, link: next };
    }
    case "ret": {
      const [home] = loaded ?? [];
      if (home === undefined) return { do: "load", from: [{ address: sp, size: 8, tags: [] }] };
      return { do: "retire", registers: { sp: sp + 8n }, next: home };
    }
    case "add":
      return { do: "retire", registers: { acc: acc + operand }, next };
    case "load": {
      const [value] = loaded ?? [];
      if (value === undefined) return { do: "load", from: [{ address: operand, size: 2, tags: [] }] };
      return { do: "retire", registers: { acc: value }, next };
    }
    case "store":
      return { do: "retire", registers: {}, next, stores: [{ address: operand, size: 2, value: acc, tags: [] }] };
    default:
      return { do: "operate", step: insn.op, registers: {}, next };
  }
};

/** One- and three-byte instructions over an accumulator and a stack; branches go to absolute 16-bit addresses. */
export const toyInstructionSet: InstructionSet<ToyInstruction> = {
  maxLength: 3,
  alignment: 1,
  decode: (bytes) => decode(bytes),
  assemble: (text) => assemble(text),
  format,
  inputs: ({ op }) => inputs[op] ?? [],
  execute,
  enter: (home, stackTop) => ({
    registers: { sp: stackTop - 8n },
    stores: [{ address: stackTop - 8n, size: 8, value: home, tags: [] }],
  }),
};
