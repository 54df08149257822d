import type { Bytes } from "@cmodx/core";
import type { MemoryOperand, Operand, Width, X86Instruction } from "./instruction.js";
import { type Attribute, type Form, formsOf, hasModRM, immediateSize, type OperandCode } from "./opcodes.js";
import { type Prefixes, readPrefixes } from "./prefixes.js";
import { generalRegisters, legacyByteOperand, registerOperand } from "./registers.js";

/** The longest instruction in bytes; a longer one raises #GP (Intel SDM vol. 2, 2.3.11). */
export const maxLength = 15;

/** Why bytes are not an instruction of the subset; see `InstructionSet.decode`. */
export type Undecoded = "short" | "undefined" | "unsupported";

/** The answer when an instruction of `needed` bytes or more has not all of them, or has too many; nothing when it is there. */
const missing = (bytes: Bytes, needed: number): "short" | "undefined" | undefined => {
  if (needed > maxLength) return "undefined";
  return needed > bytes.length ? "short" : undefined;
};

const requirements: {
  readonly [attribute in Attribute]?: (prefixes: Prefixes, modrm: number | undefined) => boolean;
} = {
  W: ({ rex }) => (rex & 8) !== 0,
  b0: ({ rex }) => (rex & 1) === 0,
  F3: ({ repeat }) => repeat === 0xf3,
  np: ({ repeat, operandSize }) => repeat === 0 && !operandSize,
  prefixed: ({ repeat, operandSize }) => repeat !== 0 || operandSize,
  o16: ({ rex, operandSize }) => operandSize && (rex & 8) === 0,
  bare: ({ repeat }) => repeat === 0,
  a64: ({ addressSize }) => !addressSize,
  string: ({ repeat, addressSize, segment }) => repeat !== 0xf2 && !addressSize && segment === undefined,
  register: (_, modrm) => modrm !== undefined && modrm >= 0xc0,
  memory: (_, modrm) => modrm !== undefined && modrm < 0xc0,
};

const fits = (form: Form, prefixes: Prefixes, modrm: number | undefined): boolean =>
  (form.reg === undefined || form.reg === ((modrm ?? 0) >> 3) % 8) &&
  (form.rm === undefined || form.rm === (modrm ?? 0) % 8) &&
  [...form.attributes].every((attribute) => requirements[attribute]?.(prefixes, modrm) ?? true);

/** Faults that prefixes cause whatever the opcode does. */
const misusesPrefix = (form: Form, { lock, rex, operandSize, repeat }: Prefixes, modrm: number | undefined): boolean =>
  (lock && !(form.attributes.has("lock") && modrm !== undefined && modrm < 0xc0)) ||
  (form.attributes.has("vex") && (rex !== 0 || operandSize || repeat !== 0));

const operandSize = (form: Form, prefixes: Prefixes): 2 | 4 | 8 => {
  if (prefixes.rex & 8 || form.attributes.has("f64")) return 8;
  if (prefixes.operandSize) return 2;
  return form.attributes.has("d64") ? 8 : 4;
};

const signed = (bytes: Bytes, offset: number, size: number): bigint => {
  const value = bytes.slice(offset, offset + size).reduceRight((high, byte) => (high << 8n) | BigInt(byte), 0n);
  return BigInt.asIntN(size * 8, value);
};

/** The length of SIB byte and displacement after a ModRM byte; the SIB byte itself has to be there. */
const addressLength = (modrm: number, sib: number): { readonly sib: 0 | 1; readonly displacement: 0 | 1 | 4 } => {
  const mode = modrm >> 6;
  const hasSib = mode !== 3 && modrm % 8 === 4;
  const base = hasSib ? sib % 8 : modrm % 8;
  const displacement = mode === 1 ? 1 : mode === 2 || (mode === 0 && base === 5) ? 4 : 0;
  return { sib: hasSib ? 1 : 0, displacement };
};

/** The memory operand of a ModRM byte at `offset` (Intel SDM vol. 2, tables 2-2 and 2-3, and 2.2.1.6 for RIP). */
const memoryOperand = (bytes: Bytes, offset: number, prefixes: Prefixes, size: Width): MemoryOperand => {
  const modrm = bytes[offset]!;
  const sib = bytes[offset + 1] ?? 0;
  const layout = addressLength(modrm, sib);
  const register = (number: number, extension: number) =>
    generalRegisters[(number % 8) + (prefixes.rex & extension ? 8 : 0)]!;
  const index = layout.sib ? register(sib >> 3, 2) : "rsp";
  const baseless = modrm < 0x40 && layout.displacement === 4;
  const base = baseless ? (layout.sib ? undefined : "rip") : register(layout.sib ? sib : modrm, 1);
  return {
    kind: "memory",
    size,
    addressSize: prefixes.addressSize ? 4 : 8,
    ...(prefixes.segment && { segment: prefixes.segment }),
    ...(base && { base }),
    // The encoding of RSP means no index.
    ...(index !== "rsp" && { index, scale: (1 << (sib >> 6)) as 1 | 2 | 4 | 8 }),
    displacement: signed(bytes, offset + 1 + layout.sib, layout.displacement),
  };
};

type Layout = {
  readonly opcodeAt: number;
  readonly modrmAt: number;
  readonly immediateAt: number;
  readonly size: 2 | 4 | 8;
};

const operand = (code: OperandCode, bytes: Bytes, prefixes: Prefixes, layout: Layout): Operand => {
  const { modrmAt, immediateAt, size } = layout;
  const modrm = bytes[modrmAt] ?? 0;
  const register = (number: number, extension: number, width: Width): Operand =>
    width === 1 && prefixes.rex === 0
      ? legacyByteOperand(number % 8)
      : registerOperand((number % 8) + (prefixes.rex & extension ? 8 : 0), width);
  const place = (width: Width) =>
    modrm >= 0xc0 ? register(modrm, 1, width) : memoryOperand(bytes, modrmAt, prefixes, width);
  switch (code) {
    case "Eb":
      return place(1);
    case "Ew":
      return place(2);
    case "Ez":
      return place(size === 2 ? 2 : 4);
    case "Ev":
    case "M":
      return place(size);
    case "Gb":
      return register(modrm >> 3, 4, 1);
    case "Gv":
      return register(modrm >> 3, 4, size);
    case "Zb":
      return register(bytes[layout.opcodeAt]!, 1, 1);
    case "Zv":
      return register(bytes[layout.opcodeAt]!, 1, size);
    case "AL":
      return registerOperand(0, 1);
    case "rAX":
      return registerOperand(0, size);
    case "CL":
      return registerOperand(1, 1);
    case "1":
      return { kind: "immediate", size: 1, value: 1n };
    case "Jb":
    case "Jz": {
      const width = code === "Jb" ? 1 : 4;
      return { kind: "relative", size: width, displacement: signed(bytes, immediateAt, width) };
    }
    default: {
      const width = immediateSize(code, size) as Width;
      const value = signed(bytes, immediateAt, width);
      return { kind: "immediate", size: width, value: code.startsWith("U") ? BigInt.asUintN(width * 8, value) : value };
    }
  }
};

/** An instruction of which the length alone is known. */
const nameless = (bytes: Bytes, length: number): X86Instruction => ({
  length,
  op: "opaque",
  operands: [],
  opaque: true,
  bytes: bytes.slice(0, length),
});

/** Bytes of the prefix of vector instructions by its first byte (Intel SDM vol. 2, 2.3.5 and 2.7.1). */
const vectorPrefixes: { readonly [first: number]: number } = { 196: 3, 197: 2, 98: 4 };

/**
 * A vector instruction whose VEX or EVEX prefix lies at `at`. Of its opcode map 1 is that of 0F, 2 that of 0F 38, 3 that of 0F 3A;
 * 5 and 6 are those of FP16, without immediates.
 */
const vectorInstruction = (bytes: Bytes, at: number): X86Instruction | Undecoded => {
  const first = bytes[at]!;
  const noMap = missing(bytes, at + 2);
  if (noMap) return noMap;
  const map = first === 0xc5 ? 1 : bytes[at + 1]! & (first === 0x62 ? 0x07 : 0x1f);
  if (![1, 2, 3, ...(first === 0x62 ? [5, 6] : [])].includes(map)) return "unsupported";
  const opcodeAt = at + vectorPrefixes[first]!;
  const noOpcode = missing(bytes, opcodeAt + 1);
  if (noOpcode) return noOpcode;
  const opcode = bytes[opcodeAt]!;
  // VZEROUPPER and VZEROALL have no operands.
  if (map === 1 && opcode === 0x77 && first !== 0x62) return nameless(bytes, opcodeAt + 1);
  const modrmAt = opcodeAt + 1;
  const noModRM = missing(bytes, modrmAt + 1) ?? missing(bytes, modrmAt + 1 + addressLength(bytes[modrmAt]!, 0).sib);
  if (noModRM) return noModRM;
  const address = addressLength(bytes[modrmAt]!, bytes[modrmAt + 1] ?? 0);
  const isImmediate =
    map === 3 || (map === 1 && ((opcode >= 0x70 && opcode <= 0x73) || [0xc2, 0xc4, 0xc5, 0xc6].includes(opcode)));
  const length = modrmAt + 1 + address.sib + address.displacement + (isImmediate ? 1 : 0);
  return missing(bytes, length) ?? nameless(bytes, length);
};

/**
 * Decodes the instruction that starts at the first byte, in 64-bit mode (Intel SDM vol. 2, chapter 2 and appendix A).
 *
 * It answers as soon as the bytes decide: `unsupported` at the opcode, a misplaced LOCK as `undefined` at the ModRM byte.
 * An instruction of more than 15 bytes raises #GP, which counts as `undefined` too.
 */
export const decode = (bytes: Bytes): X86Instruction | Undecoded => {
  const prefixes = readPrefixes(bytes, maxLength);
  const escapes = bytes[prefixes.length] === 0x0f ? 1 : 0;
  const opcodeAt = prefixes.length + escapes;
  const noOpcode = missing(bytes, opcodeAt + 1);
  if (noOpcode) return noOpcode;

  const candidates = formsOf((escapes ? 0x0f00 : 0) + bytes[opcodeAt]!);
  const modrmAt = opcodeAt + (candidates.some(({ attributes }) => attributes.has("escape")) ? 2 : 1);
  if (prefixes.lock && !candidates.some(({ attributes }) => attributes.has("lock"))) return "undefined";
  const needsModRM = candidates.some(hasModRM);
  const noModRM = needsModRM && missing(bytes, modrmAt + 1);
  if (noModRM) return noModRM;

  const modrm = needsModRM ? bytes[modrmAt]! : undefined;
  const form = candidates.find((candidate) => fits(candidate, prefixes, modrm));
  if (form === undefined || misusesPrefix(form, prefixes, modrm)) return "undefined";
  const size = operandSize(form, prefixes);
  const truncates = form.attributes.has("f64") && prefixes.operandSize && !(prefixes.rex & 8);
  if (form.op === "outside" || truncates) return "unsupported";
  if (form.attributes.has("vex")) return vectorInstruction(bytes, opcodeAt);
  if (form.operands.includes("M") && modrm! >= 0xc0) return "undefined";

  const noSib = modrm !== undefined && missing(bytes, modrmAt + 1 + addressLength(modrm, 0).sib);
  if (noSib) return noSib;
  const address = modrm === undefined ? undefined : addressLength(modrm, bytes[modrmAt + 1] ?? 0);
  const immediateAt = modrmAt + (address ? 1 + address.sib + address.displacement : 0);
  const length = form.operands.reduce((end, code) => end + immediateSize(code, size), immediateAt);
  const layout = { opcodeAt, modrmAt, immediateAt, size };
  const cutOff = missing(bytes, length);
  if (cutOff) return cutOff;
  if (form.op === "opaque" && form.name === undefined) return nameless(bytes, length);
  return {
    length,
    op: form.op,
    ...(form.condition && { condition: form.condition }),
    operands: form.op === "nop" ? [] : form.operands.map((code) => operand(code, bytes, prefixes, layout)),
    ...(prefixes.lock && { locked: true as const }),
    ...(form.attributes.has("string") && prefixes.repeat === 0xf3 && { repeated: true as const }),
    ...(form.name && { opaque: true as const, name: form.name }),
  };
};
