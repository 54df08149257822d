import { type Bytes, InputError } from "@cmodx/core";
import { type TargetCode, targetCodes } from "./branch-targets.js";
import { cacheOperation } from "./cache-operations.js";
import { decode } from "./decode.js";
import { type Form, forms } from "./forms.js";
import { type Condition, conditions, type Mode, type Operand } from "./instruction.js";
import type { OperandText } from "./operand-codes.js";
import { parseNumber, parseOperands } from "./operand-text.js";
import { type Fields, insert } from "./pattern.js";

/** Other names of conditions (DDI 0406C, A8.3). */
const conditionNames: ReadonlyMap<string, Condition> = new Map<string, Condition>([
  ...conditions.map((condition) => [condition, condition] as const),
  ["cs", "hs"],
  ["cc", "lo"],
  ["", "al"],
]);

/** A row of a table under one of its mnemonics, which tells the fields that the operands leave open. */
type Candidate = { readonly form: Form; readonly given: Fields };

const targetCode = ({ form }: { readonly form: Form }): TargetCode | undefined =>
  [...targetCodes.values()].find((code) => form.codes.includes(code));

/** The mnemonics of a row: with and without `s`, each condition, and `.w` or `.n` or neither where both sizes exist. */
const candidatesOf = (form: Form): readonly (readonly [string, Candidate])[] => {
  const { fields, bits } = form.pattern;
  const flags = form.flags === "field" ? [0, 1] : [form.flags === "always" ? 1 : 0];
  const suffixes =
    form.mode === "a32"
      ? [""]
      : form.isWide
        ? [".w", ...(targetCode({ form }) ? [] : [""])]
        : bits === 16
          ? ["", ".n"]
          : [""];
  // T32 has unconditional branches of their own.
  const isNamed = (condition: Condition) =>
    condition === "al" ? form.mode === "a32" || !fields.has("c") : fields.has("c");
  const names = [...conditionNames].filter(([, condition]) => isNamed(condition));
  return flags.flatMap((S) =>
    names.flatMap(([name, condition]) =>
      suffixes.map(
        (suffix) =>
          [
            `${form.op}${S ? "s" : ""}${name}${suffix}`,
            { form, given: { S, c: conditions.indexOf(condition) } },
          ] as const,
      ),
    ),
  );
};

const index = (mode: Mode): ReadonlyMap<string, readonly Candidate[]> => {
  const byName = new Map<string, Candidate[]>();
  for (const form of forms[mode].filter(({ op }) => op !== "outside" && op !== "undefined" && op !== "opaque")) {
    for (const [name, candidate] of candidatesOf(form)) {
      const found = byName.get(name);
      if (found) found.push(candidate);
      else byName.set(name, [candidate]);
    }
  }
  return byName;
};

const indexes = { a32: index("a32"), t32: index("t32") };

/** The bytes of a word in memory, the low byte first, of a T32 pair the first halfword. */
const bytesOf = (word: number, { mode, pattern }: Form): Bytes => {
  const bytes = [0, 8, 16, 24].map((place) => (word >>> place) & 0xff);
  if (pattern.bits === 16) return bytes.slice(0, 2);
  return mode === "a32" ? bytes : [...bytes.slice(2), ...bytes.slice(0, 2)];
};

const isSame = (given: OperandText, decoded: Operand): boolean => {
  if (given.kind === "address") return true;
  if (given.kind === "immediate" && decoded.kind === "immediate") {
    const isFree = given.rotation === undefined || given.rotation === (decoded.rotation ?? 0);
    return given.value === decoded.value && isFree;
  }
  return JSON.stringify(Object.entries(given).sort()) === JSON.stringify(Object.entries(decoded).sort());
};

/** The encoding in one row, or nothing when the operands do not fit it or another row has those bits. */
const encode = ({ form, given }: Candidate, operands: readonly OperandText[], at: bigint): Bytes | undefined => {
  if (operands.length !== form.codes.length) return undefined;
  let fields = given;
  for (const [position, code] of form.codes.entries()) {
    const more = code.encode(operands[position]!, at);
    if (more === undefined || Object.keys(more).some((key) => (fields[key] ?? more[key]) !== more[key]))
      return undefined;
    fields = { ...fields, ...more };
  }
  const word = insert(form.pattern, fields);
  if (word === undefined) return undefined;
  const bytes = bytesOf(word, form);
  const insn = decode(bytes, form.mode);
  const isIt =
    typeof insn !== "string" &&
    insn.op === form.op &&
    (insn.setsFlags === true) === (given.S === 1) &&
    (insn.condition ?? "al") === conditions[given.c!] &&
    insn.operands.length === operands.length &&
    insn.operands.every((operand, position) => isSame(operands[position]!, operand));
  return isIt ? bytes : undefined;
};

/** The operands as given; with the destination named once more, or once less, where it is also the first source. */
const variants = (operands: readonly OperandText[]): readonly (readonly OperandText[])[] => {
  const [first, second] = operands;
  if (first?.kind !== "register") return [operands];
  const isTwice = second?.kind === "register" && isSame(first, second as Operand) && operands.length === 3;
  if (isTwice) return [operands, operands.slice(1)];
  return operands.length === 2 ? [operands, [first, ...operands]] : [operands];
};

const hex = (value: bigint): string => `0x${BigInt.asUintN(32, value).toString(16)}`;

const outOfReach = (mnemonic: string, code: TargetCode, target: bigint, at: bigint): InputError => {
  const distance = BigInt.asIntN(32, target - at - code.ahead(at));
  const fault =
    distance % BigInt(code.scale) === 0n
      ? `allowed are ${code.low} to ${code.high}`
      : `which is no multiple of ${code.scale}`;
  return new InputError(
    `"${mnemonic}" at ${hex(at)} cannot reach ${hex(target)}: the target lies ${distance} bytes from the pc that it ` +
      `reads, ${fault}.`,
    { code: "out-of-range" },
  );
};

const data = (directive: string, text: string, mode: Mode): Bytes => {
  const values = text.split(",").map((word) => parseNumber(word.trim()));
  const size = directive === ".byte" ? 1 : directive === ".inst.n" ? 2 : 4;
  const limit = 1n << BigInt(8 * size);
  if (!values.every((value) => value !== undefined && value >= 0n && value < limit)) {
    throw new InputError(
      `"${directive} ${text}" needs numbers from 0 to 0x${(limit - 1n).toString(16)}, separated by commas.`,
      { code: "out-of-range" },
    );
  }
  return values.flatMap((value) => {
    const bytes = Array.from({ length: size }, (_, place) => Number((value! >> BigInt(8 * place)) & 0xffn));
    return mode === "t32" && size === 4 ? [...bytes.slice(2), ...bytes.slice(0, 2)] : bytes;
  });
};

/** Other spellings of what has a name of its own here. */
const synonyms: readonly (readonly [RegExp, string])[] = [
  [/^mov(s?\w*?)(\.w)? ([^,]+,[^,]+), ?rrx$/, "rrx$1$2 $3"],
  [/^mov(s?\w*?)(\.w)? ([^,]+,[^,]+), ?(lsl|lsr|asr|ror)\b ?(.*)$/, "$4$1$2 $3, $5"],
  [/^(ldm|stm)(?:ia)(\w*(?:\.w)?) /, "$1$2 "],
  [/^stm(?:db|fd)(\w*(?:\.w)?) sp!, ?/, "push$1 "],
  [/^ldm(?:ia|fd|)(\w*(?:\.w)?) sp!, ?/, "pop$1 "],
  [/^str(\w*(?:\.w)?) (\w+), ?\[sp, ?#-4\]!$/, "push$1 {$2}"],
  [/^ldr(\w*(?:\.w)?) (\w+), ?\[sp\], ?#4$/, "pop$1 {$2}"],
];

const maintenance = (line: string): readonly string[] => {
  const [, condition = "", register, crm, opc2] =
    /^mcr(\w\w)? p15, ?#?0, ?(\w+), ?c7, ?c(\d+), ?#?(\d)$/.exec(line) ?? [];
  const operation = cacheOperation(Number(crm), Number(opc2));
  return operation && register ? [`${operation}${condition} ${register}`] : [];
};

const spellings = (line: string): readonly string[] => [
  line,
  ...synonyms.flatMap(([pattern, replacement]) => (pattern.test(line) ? [line.replace(pattern, replacement)] : [])),
  ...maintenance(line),
];

/** Barriers have option SY where none is named, and may name it by number. */
const barrierOperands = (operands: readonly OperandText[]): readonly OperandText[] => {
  if (operands.length === 0) return [{ kind: "option", value: 15 }];
  return operands.map((operand) => (operand.kind === "immediate" ? { kind: "option", value: operand.value } : operand));
};

const directives: { readonly [mode in Mode]: readonly string[] } = {
  a32: [".byte", ".inst"],
  t32: [".byte", ".inst.n", ".inst.w"],
};

const parseLine = (line: string, at: bigint, mode: Mode) => {
  const [mnemonic = "", ...words] = line.split(" ");
  const parsed = parseOperands(words.join(" "), at, !/^[su]bfx/.test(mnemonic));
  const operands = parsed && /^(dmb|dsb|isb)/.test(mnemonic) ? barrierOperands(parsed) : parsed;
  return { mnemonic, candidates: indexes[mode].get(mnemonic), operands };
};

const encodeLine = (line: string, at: bigint, mode: Mode): Bytes | undefined => {
  const { candidates = [], operands } = parseLine(line, at, mode);
  if (operands === undefined) return undefined;
  const encodings = variants(operands).flatMap((variant) =>
    candidates.map((candidate) => encode(candidate, variant, at)).filter((bytes) => bytes !== undefined),
  );
  return encodings.find((bytes) => bytes.length === 2) ?? encodings[0];
};

/** Why a line has no encoding. */
const refusal = (text: string, line: string, at: bigint, mode: Mode): InputError => {
  const { mnemonic, candidates, operands } = parseLine(line, at, mode);
  if (candidates === undefined) {
    return new InputError(`"${text}" is no ${mode} instruction known here: no "${mnemonic}".`, {
      code: "unknown-name",
    });
  }
  if (operands === undefined) {
    return new InputError(`"${text}" has an operand that is no register, #number, address, list or place in memory.`, {
      code: "wrong-type",
    });
  }
  const target = operands.at(-1);
  const code = candidates.map(targetCode).find((found) => found !== undefined);
  if (target?.kind === "address" && code !== undefined) return outOfReach(mnemonic, code, target.value, at);
  return new InputError(`"${text}" has no ${mode} encoding with these operands.`, { code: "impossible" });
};

/**
 * Encodes one instruction of unified assembler text to lie at `at`; the inverse of `format`.
 *
 * - In T32 an instruction gets 16 bits where its operands allow it; `.w` asks for 32. A branch has 32 bits only with `.w`: nothing
 *   chooses by distance.
 * - A branch target is an absolute address, or `.+n` and `.-n`, n bytes from the start of the instruction.
 * - Cache maintenance has the name of its register, `icimvau r0`, or is an MCR.
 * - `.byte`, `.inst`, and in T32 `.inst.n` and `.inst.w`, give bits as they are.
 *
 * Throws {@link InputError} for text that is no instruction of the subset and for a target out of range.
 */
export const assemble = (text: string, at: bigint, mode: Mode): Bytes => {
  const line = text.trim().toLowerCase().replace(/\s+/g, " ");
  const [directive = "", ...words] = line.split(" ");
  if (directives[mode].includes(directive)) return data(directive, words.join(" "), mode);
  for (const spelling of spellings(line)) {
    const bytes = encodeLine(spelling, at, mode);
    if (bytes !== undefined) return bytes;
  }
  throw refusal(text, line, at, mode);
};
