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
  const modrmAt = opcodeAt + 1;
  const noOpcode = missing(bytes, modrmAt);
  if (noOpcode) return noOpcode;

  const candidates = formsOf((escapes ? 0x0f00 : 0) + bytes[opcodeAt]!);
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
  if (form.operands.includes("M") && modrm! >= 0xc0) return "undefined";

  const noSib = modrm !== undefined && missing(bytes, modrmAt + 1 + addressLength(modrm, 0).sib);
  if (noSib) return noSib;
  const address = modrm === undefined ? undefined : addressLength(modrm, bytes[modrmAt + 1] ?? 0);
  const immediateAt = modrmAt + (address ? 1 + address.sib + address.displacement : 0);
  const length = form.operands.reduce((end, code) => end + immediateSize(code, size), immediateAt);
  const layout = { opcodeAt, modrmAt, immediateAt, size };
  return (
    missing(bytes, length) ?? {
      length,
      op: form.op,
      ...(form.condition && { condition: form.condition }),
      operands: form.op === "nop" ? [] : form.operands.map((code) => operand(code, bytes, prefixes, layout)),
      ...(prefixes.lock && { locked: true as const }),
    }
  );
};
