import type { Condition, Operation, Width } from "./instruction.js";
import { conditions } from "./instruction.js";
import { opaqueRows } from "./opaque-rows.js";

/**
 * How an operand is encoded, in the letters of Intel SDM vol. 2, appendix A.2: `E` ModRM register or memory, `G` ModRM
 * register, `M` ModRM memory, `Z` register in the opcode, `I` sign-extended immediate, `J` relative target; `b`, `w` one and two bytes,
 * `v` operand size, `z` the same but at most four bytes. `rAX` has operand size, `1` is the
 * constant, `O` an address in the instruction. `U`, which Intel does not tell from `I`, is a count: an immediate without a sign.
 */
export type OperandCode = "Eb" | "Ew" | "Ev" | "Ez" | "Gb" | "Gv" | "M" | "Zb" | "Zv" | ImmediateCode | FixedCode;
type ImmediateCode = "Ib" | "Iz" | "Iv" | "Ub" | "Uw" | "Jb" | "Jz" | "Ob";
type FixedCode = "AL" | "CL" | "rAX" | "1";

/**
 * What else an encoding asks for or allows.
 *
 * - `d64`: the operand size is 8 bytes, or 2 with prefix 66. `f64`: it is 8 bytes, and with prefix 66 the instruction is
 *   outside the subset: on near branches Intel ignores the prefix and AMD truncates RIP to 16 bits.
 * - `lock`: LOCK is allowed when the destination is memory.
 * - `W`, `b0`, `F3`, `np`, `prefixed`: only with REX.W, without REX.B, with prefix F3, without or with any of 66, F2, F3.
 * - `o16`: only with prefix 66 in force. `bare`: without F2 and F3. `a64`: without prefix 67.
 * - `string`: prefix F3 repeats it; other forms of repetition, of addresses and of segments are other encodings.
 * - `register`, `memory`: only with a ModRM byte of that kind.
 * - `vex`: the first byte of a VEX or EVEX prefix, which no other prefix but a segment's or 67 may precede.
 * - `escape`: a further byte of opcode comes before the ModRM byte.
 */
export type Attribute = (typeof attributes)[number];
const attributes = [
  "d64",
  "f64",
  "lock",
  "W",
  "b0",
  "F3",
  "np",
  "prefixed",
  "o16",
  "bare",
  "a64",
  "string",
  "register",
  "memory",
  "vex",
  "escape",
] as const;

/** One encoding. Opcodes of the two-byte map are 0x0F00 to 0x0FFF; `reg` and `rm` are ModRM fields that it fixes. */
export type Form = {
  readonly opcode: number;
  readonly op: Operation | "outside";
  readonly condition?: Condition;
  /** The mnemonic of an opaque instruction that has one here. */
  readonly name?: string;
  readonly operands: readonly OperandCode[];
  readonly attributes: ReadonlySet<Attribute>;
  readonly reg?: number;
  readonly rm?: number;
};

const arithmetic = ["add", "or", "adc", "sbb", "and", "sub", "xor", "cmp"]
  .map((op, number) => {
    const row = (column: number) => (number * 8 + column).toString(16).padStart(2, "0");
    const lock = op === "cmp" ? "" : "lock";
    return `
      ${row(0)} ${op} Eb Gb ${lock}
      ${row(1)} ${op} Ev Gv ${lock}
      ${row(2)} ${op} Gb Eb
      ${row(3)} ${op} Gv Ev
      ${row(4)} ${op} AL Ib
      ${row(5)} ${op} rAX Iz
      80/${number} ${op} Eb Ib ${lock}
      81/${number} ${op} Ev Iz ${lock}
      83/${number} ${op} Ev Ib ${lock}`;
  })
  .join("");

// /6 is an undocumented twin of /4 on every x86 (AMD documents it as SAL).
const shifts = ["0 rol", "1 ror", "2 rcl", "3 rcr", "4 shl", "5 shr", "6 shl", "7 sar"]
  .map(
    (extension) => `
      C0/${extension} Eb Ub
      C1/${extension} Ev Ub
      D0/${extension} Eb 1
      D1/${extension} Ev 1
      D2/${extension} Eb CL
      D3/${extension} Ev CL`,
  )
  .join("");

const conditional = conditions
  .map((condition, number) => {
    const digit = number.toString(16);
    return `
      7${digit} jcc:${condition} Jb f64
      0F8${digit} jcc:${condition} Jz f64
      0F4${digit} cmovcc:${condition} Gv Ev
      0F9${digit} setcc:${condition} Eb`;
  })
  .join("");

/**
 * Opcode (a range, or with `+` eight of them for a register), fixed ModRM fields `/reg/rm`, operation, operand codes and
 * attributes. Of several rows for an opcode the first that fits counts; for `opaque` and `outside` see opaque-rows.ts.
 * What no row fits is undefined. Vector instructions are `opaque` by opcode alone, whatever their prefixes. The hint space
 * 0F 19 to 0F 1F does nothing where MPX and CET are off. Source: Intel SDM vol. 2, appendix A.3 and A.4, and the instructions' own pages.
 */
const rows = `
  ${arithmetic}
  ${shifts}
  ${conditional}
  50+ push Zv d64
  58+ pop Zv d64
  63 movsxd Gv Ez
  68 push Iz f64
  69 imul Gv Ev Iz
  6A push Ib f64
  6B imul Gv Ev Ib
  84 test Eb Gb
  85 test Ev Gv
  86 xchg Eb Gb lock
  87 xchg Ev Gv lock
  88 mov Eb Gb
  89 mov Ev Gv
  8A mov Gb Eb
  8B mov Gv Ev
  8D lea Gv M
  8F/0 pop Ev d64
  90 pause b0 F3
  90 nop b0
  90+ xchg Zv rAX
  98 cdqe W
  98 cbw o16
  98 cwde
  99 cqo W
  99 cwd o16
  99 cdq
  A4 movsb string
  A5 movsq W string
  A5 movsw o16 string
  A5 movsd string
  A8 test AL Ib
  A9 test rAX Iz
  AA stosb string
  AB stosq W string
  AB stosw o16 string
  AB stosd string
  B0+ mov Zb Ib
  B8+ mov Zv Iv
  C2 ret Uw f64
  C3 ret f64
  C6/0 mov Eb Ib
  C7/0 mov Ev Iz
  C9 leave f64
  CC int3
  CF iretq W
  E8 call Jz f64
  E9 jmp Jz f64
  EB jmp Jb f64
  F4 hlt
  F5 cmc
  F6/0 test Eb Ib
  F6/1 test Eb Ib
  F6/2 not Eb lock
  F6/3 neg Eb lock
  F6/4 mul Eb
  F6/5 imul Eb
  F6/6 div Eb
  F6/7 idiv Eb
  F7/0 test Ev Iz
  F7/1 test Ev Iz
  F7/2 not Ev lock
  F7/3 neg Ev lock
  F7/4 mul Ev
  F7/5 imul Ev
  F7/6 div Ev
  F7/7 idiv Ev
  F8 clc
  F9 stc
  FE/0 inc Eb lock
  FE/1 dec Eb lock
  FF/0 inc Ev lock
  FF/1 dec Ev lock
  FF/2 call Ev f64
  FF/4 jmp Ev f64
  FF/6 push Ev d64

  0F00/2 lldt Ew
  0F01/5/0 serialize register np
  0F0B ud2
  0F1E/7/2 endbr64 register F3
  0F1E/1 outside register F3
  0F19-0F1F nop Ev
  0FA2 cpuid
  0FA3 bt Ev Gv
  0FAB bts Ev Gv lock
  0FAE/5/0 lfence register np
  0FAE/6/0 mfence register np
  0FAE/7/0 sfence register np
  0FAF imul Gv Ev
  0FB0 cmpxchg Eb Gb lock
  0FB1 cmpxchg Ev Gv lock
  0FB3 btr Ev Gv lock
  0FB6 movzx Gv Eb
  0FB7 movzx Gv Ew
  0FB9 ud1 Gv Ev
  0FBA/4 bt Ev Ub
  0FBA/5 bts Ev Ub lock
  0FBA/6 btr Ev Ub lock
  0FBA/7 btc Ev Ub lock
  0FBB btc Ev Gv lock
  0FBC bsf Gv Ev bare
  0FBD bsr Gv Ev bare
  0FBE movsx Gv Eb
  0FBF movsx Gv Ew
  0FC0 xadd Eb Gb lock
  0FC1 xadd Ev Gv lock
  0FC8+ bswap Zv np

  ${opaqueRows}
`;

const isAttribute = (word: string): word is Attribute => (attributes as readonly string[]).includes(word);

const parse = (row: string): Form[] => {
  const [place, name, ...words] = row.trim().split(/\s+/);
  const [opcodes, reg, rm] = place!.split("/");
  const [op, detail] = name!.split(":");
  const [first, last] = opcodes!.split("-").map((text) => Number.parseInt(text, 16));
  const form = {
    op: op as Form["op"],
    ...(detail && (op === "opaque" ? { name: detail } : { condition: detail as Condition })),
    operands: words.filter((word) => !isAttribute(word)) as OperandCode[],
    attributes: new Set(words.filter(isAttribute)),
    ...(reg && { reg: Number(reg) }),
    ...(rm && { rm: Number(rm) }),
  };
  const count = opcodes!.endsWith("+") ? 8 : (last ?? first!) - first! + 1;
  return Array.from({ length: count }, (_, number) => ({ opcode: first! + number, ...form }));
};

/** Every encoding in the order in which they are tried. */
export const forms: readonly Form[] = rows
  .split("\n")
  .filter((row) => row.trim() !== "")
  .flatMap(parse);

const byOpcode = new Map<number, Form[]>();
for (const form of forms) byOpcode.set(form.opcode, [...(byOpcode.get(form.opcode) ?? []), form]);

/** The encodings of an opcode, in the order in which they are tried; none when it is undefined. */
export const formsOf = (opcode: number): readonly Form[] => byOpcode.get(opcode) ?? [];

/** Whether a ModRM byte belongs to an encoding. */
export const hasModRM = (form: Form): boolean =>
  form.reg !== undefined ||
  form.attributes.has("register") ||
  form.attributes.has("memory") ||
  form.operands.some((code) => /^[EGM]/.test(code));

/** The width in bytes of an immediate or a branch displacement under an operand size; 0 for any other operand. */
export const immediateSize = (code: OperandCode, operandSize: Width): Width | 0 => {
  if (code === "Ib" || code === "Ub" || code === "Jb") return 1;
  if (code === "Uw") return 2;
  if (code === "Ob") return 8;
  if (code === "Iv") return operandSize;
  if (code === "Iz") return operandSize === 2 ? 2 : 4;
  return code === "Jz" ? 4 : 0;
};
