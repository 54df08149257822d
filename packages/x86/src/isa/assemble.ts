import { type Bytes, InputError } from "@cmodx/core";
import { decode } from "./decode.js";
import { encode, littleEndian, type OperandText, signExtended } from "./encode.js";
import { type Condition, conditions, type Width } from "./instruction.js";
import { type Form, forms } from "./opcodes.js";
import { patchingEncodings } from "./patching.js";
import { registersByName } from "./registers.js";

/** Other names of the conditions (Intel SDM vol. 1, appendix B). */
const synonyms: { readonly [name: string]: Condition } = {
  c: "b",
  nae: "b",
  nc: "ae",
  nb: "ae",
  z: "e",
  nz: "ne",
  na: "be",
  nbe: "a",
  pe: "p",
  po: "np",
  nge: "l",
  nl: "ge",
  ng: "le",
  nle: "g",
};

const conditionNames = new Map<string, Condition>([
  ...conditions.map((condition) => [condition, condition] as const),
  ...Object.entries(synonyms),
]);

const isBranch = (form: Form): boolean => form.operands.some((code) => code.startsWith("J"));

/** The mnemonics that an encoding has: `jmp`, `jmp32` and `jmp8`, `je` and `jz`, `mov` and `movabs`. */
const mnemonics = (form: Form): readonly string[] => {
  const names = form.condition
    ? [...conditionNames].filter(([, c]) => c === form.condition).map(([name]) => form.op.replace("cc", name))
    : [form.name ?? form.op];
  if (form.operands.includes("Jb")) return names.map((name) => `${name}8`);
  if (form.operands.includes("Jz")) return names.flatMap((name) => [name, `${name}32`]);
  return form.operands.includes("Iv") ? [...names, "movabs"] : names;
};

const formsByMnemonic = new Map<string, Form[]>();
for (const form of forms.filter(({ op, name }) => op !== "outside" && (op !== "opaque" || name !== undefined))) {
  for (const name of mnemonics(form)) formsByMnemonic.set(name, [...(formsByMnemonic.get(name) ?? []), form]);
}

const sizes: { readonly [name: string]: Width } = { byte: 1, word: 2, dword: 4, qword: 8 };

const parseNumber = (text: string): bigint | undefined => {
  const [, sign, digits] = /^([+-]?)\s*(0x[0-9a-f]+|\d+)$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  return sign === "-" ? -BigInt(digits) : BigInt(digits);
};

/** A number, or a place relative to the start of the instruction: `.`, `.+n`, `.-n`. */
const parseAddress = (text: string, at: bigint): bigint | undefined => {
  if (text === ".") return at;
  if (!text.startsWith(".")) return parseNumber(text);
  const distance = parseNumber(text.slice(1).trim());
  return distance === undefined ? undefined : at + distance;
};

const memoryPattern = /^(?:(byte|word|dword|qword)\s+(?:ptr\s+)?)?(?:(fs|gs):)?\[([^\]]+)\]$/;

type AddressText = Omit<Extract<OperandText, { kind: "memory" }>, "kind" | "size">;

const isFormed = ({ base, index }: AddressText): boolean => base !== undefined || index !== undefined;

const parseMemory = (text: string): OperandText | undefined => {
  const [, size, segment, inner] = memoryPattern.exec(text) ?? [];
  if (inner === undefined) return undefined;
  const terms = inner.replace(/\s+/g, "").match(/[+-]?[^+-]+/g) ?? [];
  let place: AddressText = { addressSize: 8, displacement: 0n };
  for (const term of terms) {
    const [name = "", factor] = term.replace(/^\+/, "").split("*");
    const number = factor === undefined ? parseNumber(term) : undefined;
    const register = registersByName.get(name);
    const addressSize = name === "eip" ? 4 : name === "rip" ? 8 : register?.size;
    if (number !== undefined) {
      place = { ...place, displacement: place.displacement + number };
    } else if ((addressSize !== 4 && addressSize !== 8) || (isFormed(place) && addressSize !== place.addressSize)) {
      return undefined;
    } else if (register === undefined) {
      if (place.base !== undefined || factor !== undefined) return undefined;
      place = { ...place, base: "rip", addressSize };
    } else if (place.base === undefined && factor === undefined) {
      place = { ...place, base: register.register, addressSize };
    } else {
      const scale = Number(factor ?? 1) as 1 | 2 | 4 | 8;
      if (place.index !== undefined || register.register === "rsp" || ![1, 2, 4, 8].includes(scale)) return undefined;
      place = { ...place, index: register.register, scale, addressSize };
    }
  }
  if (place.base === "rip" && place.index !== undefined) return undefined;
  // A displacement is sign-extended: kernel addresses such as 0xffffffff82000000 are ones of 32 bits.
  const displacement = signExtended(place.displacement, place.addressSize) ?? place.displacement;
  return {
    kind: "memory",
    size: size === undefined ? undefined : sizes[size],
    ...(segment !== undefined && { segment: segment as "fs" | "gs" }),
    ...place,
    displacement,
  };
};

const parseOperand = (text: string, at: bigint): OperandText | undefined => {
  const value = parseAddress(text, at);
  if (value !== undefined) return { kind: "number", value };
  return registersByName.get(text) ?? parseMemory(text);
};

const parseBytes = (text: string): Bytes => {
  const values = text.split(",").map((word) => parseNumber(word.trim()));
  if (values.every((value) => value !== undefined && value >= 0n && value <= 0xffn)) return values.map(Number);
  throw new InputError(`".byte ${text}" needs numbers from 0x00 to 0xff, separated by commas.`, {
    code: "out-of-range",
  });
};

/** XCHG of EAX with itself would become a NOP that leaves the upper half alone. */
const decodesAs = (form: Form, bytes: Bytes): boolean => {
  const insn = decode(bytes);
  return typeof insn !== "string" && insn.op === form.op && insn.name === form.name;
};

const hex = (value: bigint): string => `0x${BigInt.asUintN(64, value).toString(16)}`;

const branch = (form: Form, mnemonic: string, target: bigint, at: bigint): Bytes => {
  const opcode = form.opcode >= 0x0f00 ? [0x0f, form.opcode & 0xff] : [form.opcode];
  const size = form.operands.includes("Jb") ? 1 : 4;
  const end = at + BigInt(opcode.length + size);
  const distance = BigInt.asIntN(64, target - end);
  if (BigInt.asIntN(size * 8, distance) === distance) return [...opcode, ...littleEndian(distance, size)];
  const limit = 1n << BigInt(size * 8 - 1);
  throw new InputError(
    `"${mnemonic}" at ${hex(at)} cannot reach ${hex(target)}: the target lies ${distance} bytes from the end of the ` +
      `instruction, allowed are ${-limit} to ${limit - 1n}.`,
    { code: "out-of-range" },
  );
};

/**
 * Encodes one instruction of Intel assembler text to lie at `at`; the inverse of `format`.
 *
 * - `jmp` and `je` are the forms with a 32-bit displacement, as code patchers use them, and so are `jmp32` and `je32`; `jmp8`
 *   and `je8` are the short ones. Nothing chooses between them by distance.
 * - A branch target is an absolute address, or `.+n` and `.-n`, n bytes from the start of the instruction.
 * - The encodings of patching code have their own names: `nop` to `nop15`, `ud1`, `xor5rax`, `warninsn`, `unlockinsn`.
 * - Anything else gets its shortest encoding. `.byte 0x90, …` gives the bytes as they are.
 *
 * Throws {@link InputError} for text that is no instruction of the subset and for a target out of range.
 */
export const assemble = (text: string, at: bigint): Bytes => {
  const line = text.trim().toLowerCase().replace(/\s+/g, " ");
  const named = patchingEncodings.get(line);
  if (named) return named;
  if (line.startsWith(".byte ")) return parseBytes(line.slice(".byte ".length));
  const lock = line.startsWith("lock ");
  const repeated = line.startsWith("rep ");
  const [mnemonic = "", ...words] = line.replace(/^(lock|rep) /, "").split(" ");
  const candidates = formsByMnemonic.get(mnemonic);
  if (candidates === undefined)
    throw new InputError(`"${text}" is not an instruction known here: no "${mnemonic}".`, { code: "unknown-name" });
  const rest = words.join(" ");
  const operands = rest === "" ? [] : rest.split(",").map((operand) => parseOperand(operand.trim(), at));
  if (!operands.every((operand) => operand !== undefined)) {
    throw new InputError(`"${text}" has an operand that is no register, number, address or place in memory.`, {
      code: "wrong-type",
    });
  }
  const [target] = operands;
  const branching = candidates.find(isBranch);
  if (branching && !lock && operands.length === 1 && target?.kind === "number") {
    return branch(branching, mnemonic, target.value, at);
  }
  const suitable = mnemonic === "movabs" ? candidates.filter((form) => form.operands.includes("Iv")) : candidates;
  const encodings = suitable.flatMap((form) => {
    const bytes = encode(form, operands, lock, repeated);
    return bytes !== undefined && decodesAs(form, bytes) ? [bytes] : [];
  });
  const [shortest] = encodings.sort((left, right) => left.length - right.length);
  if (shortest === undefined)
    throw new InputError(`"${text}" has no encoding with these operands.`, { code: "impossible" });
  return shortest;
};
