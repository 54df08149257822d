import type { Condition, Operation, Width } from "./instruction.js";
import { conditions } from "./instruction.js";

/**
 * How an operand is encoded, in the letters of Intel SDM vol. 2, appendix A.2: `E` ModRM register or memory, `G` ModRM
 * register, `M` ModRM memory, `Z` register in the opcode, `I` sign-extended immediate, `J` relative target; `b`, `w` one and two bytes,
 * `v` operand size, `z` the same but at most four bytes. `rAX` has operand size, `1` is the
 * constant. `U`, which Intel does not tell from `I`, is a count: an immediate without a sign.
 */
export type OperandCode = "Eb" | "Ew" | "Ev" | "Ez" | "Gb" | "Gv" | "M" | "Zb" | "Zv" | ImmediateCode | FixedCode;
type ImmediateCode = "Ib" | "Iz" | "Iv" | "Ub" | "Uw" | "Jb" | "Jz";
type FixedCode = "AL" | "CL" | "rAX" | "1";

/**
 * What else an encoding asks for or allows.
 *
 * - `d64`: the operand size is 8 bytes, or 2 with prefix 66. `f64`: it is 8 bytes, and with prefix 66 the instruction is
 *   outside the subset: on near branches Intel ignores the prefix and AMD truncates RIP to 16 bits.
 * - `lock`: LOCK is allowed when the destination is memory.
 * - `W`, `b0`, `F3`, `np`, `prefixed`: only with REX.W, without REX.B, with prefix F3, without or with any of 66, F2, F3.
 * - `register`, `memory`: only with a ModRM byte of that kind.
 * - `vex`: the first byte of a VEX or EVEX prefix, which no other prefix but a segment's or 67 may precede.
 */
export type Attribute = (typeof attributes)[number];
const attributes = ["d64", "f64", "lock", "W", "b0", "F3", "np", "prefixed", "register", "memory", "vex"] as const;

/** One encoding. Opcodes of the two-byte map are 0x0F00 to 0x0FFF; `reg` and `rm` are ModRM fields that it fixes. */
export type Form = {
  readonly opcode: number;
  readonly op: Operation | "outside";
  readonly condition?: Condition;
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
const shifts = ["4 shl", "5 shr", "6 shl", "7 sar"]
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
 * attributes. Of several rows for an opcode the first that fits counts. `outside` is valid but not modelled;
 * what no row fits is undefined. Vector instructions are `outside` by opcode alone, whatever their prefixes. The hint space
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
  A8 test AL Ib
  A9 test rAX Iz
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
  F6/0 test Eb Ib
  F6/1 test Eb Ib
  F6/2 not Eb lock
  F6/3 neg Eb lock
  F7/0 test Ev Iz
  F7/1 test Ev Iz
  F7/2 not Ev lock
  F7/3 neg Ev lock
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
  0FAE/5/0 lfence register np
  0FAE/6/0 mfence register np
  0FAE/7/0 sfence register np
  0FAF imul Gv Ev
  0FB6 movzx Gv Eb
  0FB7 movzx Gv Ew
  0FB9 ud1 Gv Ev
  0FBE movsx Gv Eb
  0FBF movsx Gv Ew

  62 outside vex
  C4-C5 outside vex
  6C-6F outside
  8C outside
  8E outside
  98-99 outside
  9B-A7 outside
  AA-AF outside
  C0-C1 outside
  C6/7/0 outside register
  C7/7/0 outside register
  C8 outside
  CA-CB outside
  CD outside
  CF outside
  D0-D3 outside
  D7-DF outside
  E0-E7 outside
  EC-EF outside
  F1 outside
  F5 outside
  F6-F7 outside
  F8-FD outside
  FF/3 outside memory
  FF/5 outside memory

  0F00/0 outside
  0F00/1 outside
  0F00/3 outside
  0F00/4 outside
  0F00/5 outside
  0F01-0F03 outside
  0F05-0F09 outside
  0F0D outside
  0F10-0F18 outside
  0F20-0F23 outside
  0F28-0F35 outside
  0F37-0F38 outside
  0F3A outside
  0F50-0F79 outside
  0F7C-0F7F outside
  0FA0-0FA1 outside
  0FA3-0FA5 outside
  0FA8-0FAA outside
  0FAB outside lock
  0FAC-0FAD outside
  0FAE outside memory
  0FAE outside prefixed
  0FAE/5 outside
  0FAE/6 outside
  0FAE/7 outside
  0FB0-0FB1 outside lock
  0FB2 outside memory
  0FB3 outside lock
  0FB4-0FB5 outside memory
  0FB8 outside F3
  0FBA/4 outside
  0FBA/5 outside lock
  0FBA/6 outside lock
  0FBA/7 outside lock
  0FBB outside lock
  0FBC-0FBD outside
  0FC0-0FC1 outside lock
  0FC2-0FC6 outside
  0FC7/1 outside memory lock
  0FC7/3 outside memory
  0FC7/4 outside memory
  0FC7/5 outside memory
  0FC7/6 outside
  0FC7/7 outside
  0FC8-0FFE outside
`;

const isAttribute = (word: string): word is Attribute => (attributes as readonly string[]).includes(word);

const parse = (row: string): Form[] => {
  const [place, name, ...words] = row.trim().split(/\s+/);
  const [opcodes, reg, rm] = place!.split("/");
  const [op, condition] = name!.split(":");
  const [first, last] = opcodes!.split("-").map((text) => Number.parseInt(text, 16));
  const form = {
    op: op as Form["op"],
    ...(condition && { condition: condition as Condition }),
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
  if (code === "Iv") return operandSize;
  if (code === "Iz") return operandSize === 2 ? 2 : 4;
  return code === "Jz" ? 4 : 0;
};
