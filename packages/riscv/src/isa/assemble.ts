import { type Bytes, InputError, own } from "@cmodx/core";
import { decode } from "./decode.js";
import { formNamed } from "./encodings.js";
import { canName, rangeOf, withFixed, writeFields } from "./fields.js";
import type { Form, Meaning, OperandCode, Values } from "./form.js";
import { hex, parseAddress, parseFence, parseNumber } from "./literals.js";
import { patchingEncodings, pcRelative } from "./patching.js";
import { pseudoInstructions } from "./pseudo-instructions.js";
import { type Register, registersByName } from "./registers.js";

/** One line of text under way: what errors are to name, and where it lies. */
type Line = { readonly text: string; readonly mnemonic: string; readonly at: bigint };

const refuse = ({ text }: Line, what: string): never => {
  throw new InputError(`"${text}" ${what}.`, { code: "wrong-type" });
};

const meanings = new Map<string, readonly Meaning[]>();
for (const meaning of [...formNamed.values(), ...pseudoInstructions]) {
  meanings.set(meaning.name, [...(meanings.get(meaning.name) ?? []), meaning]);
}

/** The encoding that a meaning is written in: its own, or that of the instruction for which it stands. */
const formFor = (meaning: Meaning): Form => ("fields" in meaning ? (meaning as Form) : formNamed.get(meaning.op)!);

const register = (text: string, line: Line): Register =>
  registersByName.get(text) ?? refuse(line, `needs a register where it has "${text}"`);

const number = (text: string, line: Line): bigint =>
  parseNumber(text) ?? refuse(line, `needs a number where it has "${text}"`);

const address = (text: string, line: Line): bigint =>
  BigInt.asUintN(64, parseAddress(text, line.at) ?? refuse(line, `needs an address where it has "${text}"`));

const relocated = (text: string, name: string, line: Line): bigint | undefined => {
  const [, inner] = new RegExp(`^%${name}\\s*\\(([^()]*)\\)$`).exec(text) ?? [];
  return inner === undefined ? undefined : address(inner.trim(), line);
};

const lowPart = (text: string, line: Line): bigint => {
  const target = relocated(text, "pcrel_lo", line);
  // The AUIPC lies right before.
  return target === undefined ? number(text, line) : pcRelative(target, line.at - 4n).low;
};

const upperPart = (text: string, line: Line): bigint => {
  const target = relocated(text, "pcrel_hi", line);
  if (target !== undefined) {
    const { high, low } = pcRelative(target, line.at);
    if (BigInt.asIntN(32, high) === high) return high;
    const reach = `the target lies ${high + low} bytes away, allowed are -2147485696 to 2147481599`;
    return refuse(line, `cannot reach ${hex(target)} from ${hex(line.at)}: ${reach}`);
  }
  const value = number(text, line);
  if (value < -0x80000n || value > 0xfffffn) refuse(line, `needs a number of 20 bits, not ${text}`);
  return BigInt.asIntN(32, value << 12n);
};

const place = (text: string, line: Line): { readonly offset: string; readonly base: Register } => {
  const [, offset = "", base] = /^(.*)\(\s*(\w+)\s*\)$/.exec(text) ?? [];
  if (base === undefined) return refuse(line, `needs a place in memory, as in 8(sp), where it has "${text}"`);
  return { offset: offset.trim(), base: register(base, line) };
};

const operandValues = (code: OperandCode, text: string, line: Line): Values => {
  switch (code) {
    case "rd":
    case "rs1":
    case "rs2":
      return { [code]: register(text, line) };
    case "imm":
      return { imm: lowPart(text, line) };
    case "imm20":
      return { imm: upperPart(text, line) };
    case "target":
      return { imm: BigInt.asIntN(64, address(text, line) - line.at) };
    case "pred":
    case "succ":
      return { [code]: parseFence(text) ?? refuse(line, `needs letters of iorw, or 0, where it has "${text}"`) };
    case "sp":
      return register(text, line) === "sp" ? {} : refuse(line, `needs sp where it has "${text}"`);
    case "imm(rs1)":
    case "imm(sp)":
    case "(rs1)": {
      const { offset, base } = place(text, line);
      if (code === "imm(sp)" && base !== "sp") refuse(line, `needs sp where it has "${base}"`);
      if (code === "(rs1)" && offset !== "" && number(offset, line) !== 0n) refuse(line, "takes no offset");
      return { rs1: base, ...(code !== "(rs1)" && { imm: offset === "" ? 0n : lowPart(offset, line) }) };
    }
  }
};

const checkImmediate = (form: Form, operands: readonly OperandCode[], imm: bigint, line: Line): void => {
  const field = form.fields.find(({ name }) => name === "imm");
  if (field === undefined) return;
  const { least, greatest, step } = rangeOf(field);
  if (imm >= least && imm <= greatest && imm % step === 0n) return;
  if (operands.includes("target")) {
    const target = hex(BigInt.asUintN(64, line.at + imm));
    throw new InputError(
      `"${line.mnemonic}" at ${hex(line.at)} cannot reach ${target}: the target lies ${imm} bytes away, ` +
        `allowed are even distances from ${least} to ${greatest}.`,
      { code: "out-of-range" },
    );
  }
  const shown = operands.includes("imm20") ? (value: bigint) => value >> 12n : (value: bigint) => value;
  const steps = operands.includes("imm20") || step === 1n ? "" : `, a multiple of ${step}`;
  refuse(line, `needs a number from ${shown(least)} to ${shown(greatest)}${steps}, not ${shown(imm)}`);
};

const encode = (meaning: Meaning, texts: readonly string[], ordering: Values, line: Line): Bytes => {
  const form = formFor(meaning);
  const given: Values = Object.assign(
    { ...ordering },
    ...meaning.operands.map((code, position) => operandValues(code, texts[position]!, line)),
  );
  const values = withFixed(meaning, given);
  checkImmediate(form, meaning.operands, values.imm ?? 0n, line);
  for (const field of form.fields) {
    const value = values[field.name];
    if (typeof value === "string" && field.compressed && !canName(field, value as Register)) {
      refuse(line, `needs s0, s1 or a0 to a5 where it has "${value}"`);
    }
  }
  const word = writeFields(form, values);
  const bytes = Array.from({ length: form.length }, (_, position) => (word >>> (8 * position)) & 0xff);
  const insn = decode(bytes);
  // Some operands turn one compressed encoding into another or into a reserved one.
  if (typeof insn === "string" || insn.form !== form.name) refuse(line, "has no encoding with these operands");
  return bytes;
};

const data: { readonly [directive: string]: number } = { ".byte": 1, ".half": 2, ".word": 4 };

const parseData = (size: number, rest: string, line: Line): Bytes =>
  rest.split(",").flatMap((word) => {
    const value = parseNumber(word.trim());
    if (value === undefined || BigInt.asUintN(8 * size, value) !== value) {
      return refuse(line, `needs numbers from 0x0 to ${hex((1n << BigInt(8 * size)) - 1n)}, separated by commas`);
    }
    return Array.from({ length: size }, (_, position) => Number((value >> BigInt(8 * position)) & 0xffn));
  });

/**
 * The two instructions of `call` and `tail`: `call` links through the register of its AUIPC, `call t1` through t0 as BPF programs are
 * called, `tail` not at all. A target `.+n` counts from the first of them.
 */
const pairOf = (mnemonic: string, rest: string): readonly [string, string] | undefined => {
  if (mnemonic !== "call" && mnemonic !== "tail") return undefined;
  const operands = rest.split(",").map((operand) => operand.trim());
  const target = operands.at(-1) ?? "";
  const via = mnemonic === "tail" ? "t1" : operands.length > 1 ? operands[0] : "ra";
  const link = mnemonic === "tail" ? "zero" : via === "t1" ? "t0" : via;
  return [`auipc ${via}, %pcrel_hi(${target})`, `jalr ${link}, %pcrel_lo(${fromSecond(target)})(${via})`];
};

/** A place relative to the first instruction of a pair, as the second has to call it. */
const fromSecond = (target: string): string => {
  if (!target.startsWith(".")) return target;
  const distance = (parseNumber(target.slice(1).trim()) ?? 0n) - 4n;
  return distance < 0n ? `.-${-distance}` : `.+${distance}`;
};

/**
 * Encodes one instruction of assembler text to lie at `at`; the inverse of `format`.
 *
 * - Registers have their names in the calling convention or `x0` to `x31`.
 * - Mnemonics without `c.` are the full-size forms; nothing chooses a compressed one by itself. `nop` and `nop4` have four bytes.
 * - A target is an absolute address, or `.+n` and `.-n`, n bytes from the start of the instruction.
 * - `auipc t0, %pcrel_hi(TARGET)` and right behind it `jalr t0, %pcrel_lo(TARGET)(t0)` form an address: both name the target itself.
 * - `call TARGET`, `call t0, TARGET` and `tail TARGET` are such a pair of AUIPC and JALR: eight bytes.
 * - `unimp` and `c.unimp` are the defined illegal instructions; `.byte`, `.half` and `.word` give bytes as they are.
 *
 * Throws {@link InputError} for text that is no instruction of the subset, and for a target or a number out of range.
 */
export const assemble = (text: string, at: bigint): Bytes => {
  const clean = text.trim().toLowerCase().replace(/\s+/g, " ");
  const named = patchingEncodings.get(clean);
  if (named) return named;
  const [, word = "", rest = ""] = /^(\S*)\s*(.*)$/.exec(clean) ?? [];
  const line: Line = { text, mnemonic: word, at };
  const pair = pairOf(word, rest);
  if (pair !== undefined) return [...assemble(pair[0], at), ...assemble(pair[1], at + 4n)];
  const size = own(data, word);
  if (size !== undefined) return parseData(size, rest, line);
  const [, , suffix = ""] = /^(amo[a-z]+\.[wd]|(?:lr|sc)\.[wd]|[ls][bhwd])\.(aq|rl|aqrl)$/.exec(word) ?? [];
  const plain = suffix === "" ? word : word.slice(0, -suffix.length - 1);
  const mnemonic = suffix !== "" && !plain.includes(".") ? `${plain}.ordered` : plain;
  const candidates = meanings.get(mnemonic);
  if (candidates === undefined) return refuse(line, `is not an instruction known here: no "${word}"`);
  const texts = rest === "" ? [] : rest.split(",").map((operand) => operand.trim());
  const meaning = candidates.find(({ operands }) => operands.length === texts.length);
  if (meaning === undefined) {
    const counts = candidates.map(({ operands }) => operands.length).sort();
    return refuse(line, `has ${texts.length} operands where "${mnemonic}" takes ${counts.join(" or ")}`);
  }
  return encode(meaning, texts, { aq: suffix.includes("aq"), rl: suffix.includes("rl") }, line);
};
