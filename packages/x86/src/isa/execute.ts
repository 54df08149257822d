import type { Outcome, Registers } from "@cmodx/core";
import { type ArithmeticOperation, arithmetic, holds } from "./arithmetic.js";
import { bitScan, bitTest, byteSwap } from "./bits.js";
import {
  access,
  addressFault,
  type Context,
  destinationSize,
  effectiveAddress,
  fault,
  flagsOf,
  isCanonical,
  isMemory,
  operandFault,
  operate,
  popping,
  pushing,
  reading,
  retire,
  stackTop,
  start,
  unsigned,
  withFlags,
  write,
} from "./effect.js";
import { compareAndExchange, exchangeAndAdd } from "./exchanges.js";
import type { MemoryOperand, Operation, Width, X86Instruction } from "./instruction.js";
import { flag } from "./registers.js";
import { string } from "./strings.js";
import { divide, multiply, spread, widen } from "./wide.js";

const isArithmetic = (op: Operation): op is ArithmeticOperation => op in arithmetic;

const compute = (context: Context, op: ArithmeticOperation): Outcome => {
  const { insn } = context;
  const [destination] = insn.operands;
  const positions = insn.operands.map((_, position) => position);
  // IMUL with three operands writes the first without reading it.
  return reading(context, positions.slice(positions.length === 3 ? 1 : 0), ([left = 0n, right = 0n]) => {
    const size = destinationSize(insn);
    const truncate = (value: bigint) => BigInt.asUintN(size * 8, value);
    const { value, flags } = arithmetic[op](truncate(left), truncate(right), size, flagsOf(context));
    const discardsResult = op === "cmp" || op === "test";
    const effect = discardsResult ? start(context) : write(context, start(context), destination!, value);
    return retire(context, { ...effect, registers: withFlags(effect.registers, flags) });
  });
};

const move = (context: Context, extend: (value: bigint, size: Width) => bigint): Outcome =>
  reading(context, [1], ([value]) => {
    const [destination, source] = context.insn.operands;
    return retire(context, write(context, start(context), destination!, extend(value!, source!.size)));
  });

const signExtend = (value: bigint, size: Width): bigint => BigInt.asIntN(size * 8, value);

/** RIP, CS, RFLAGS, RSP and SS lie on the stack; segments and privilege are not modelled (Intel SDM vol. 3, 6.14.3). */
const interruptReturn = (context: Context): Outcome => {
  const top = stackTop(context);
  const faulting = addressFault(context, top, 40, true);
  if (faulting) return faulting;
  const [rip, , rflags, rsp] = context.loaded;
  if (rip === undefined || rflags === undefined || rsp === undefined) {
    return { do: "load", from: [0n, 8n, 16n, 24n, 32n].map((place) => access(context, unsigned(top + place), 8)) };
  }
  if (!isCanonical(rip)) return fault(context, "gp");
  return operate(context, "iret", withFlags({ ...context.registers, rsp }, rflags), rip);
};

const pop = (context: Context): Outcome => {
  const [destination] = context.insn.operands;
  return popping(context, stackTop(context), destinationSize(context.insn), (value, registers) => {
    // An address formed from RSP is formed after the increment (Intel SDM vol. 2, POP).
    const faulting = isMemory(destination) && operandFault(context, destination, registers);
    return faulting || retire(context, write(context, { registers, stores: [] }, destination!, value));
  });
};

const isTaken = (context: Context): boolean => holds(context.insn.condition!, flagsOf(context));

const setCarry = (context: Context, change: (carry: bigint) => bigint): Outcome => {
  const flags = flagsOf(context);
  const registers = withFlags(context.registers, (flags & ~flag.carry) | change(flags & flag.carry));
  return retire(context, { registers, stores: [] });
};

const semantics: { readonly [op in Exclude<Operation, ArithmeticOperation>]: (context: Context) => Outcome } = {
  bsf: (context) => bitScan(context, true),
  bsr: (context) => bitScan(context, false),
  bswap: byteSwap,
  bt: (context) => bitTest(context, (value) => value),
  btc: (context) => bitTest(context, (value, mask) => value ^ mask),
  btr: (context) => bitTest(context, (value, mask) => value & ~mask),
  bts: (context) => bitTest(context, (value, mask) => value | mask),
  call: (context) =>
    reading(context, [0], ([target]) =>
      pushing(context, context.next, 8, (effect) => retire(context, effect, target!, context.next)),
    ),
  cbw: (context) => widen(context, 2),
  cdq: (context) => spread(context, 4),
  cdqe: (context) => widen(context, 8),
  clc: (context) => setCarry(context, () => 0n),
  cmc: (context) => setCarry(context, (carry) => carry ^ flag.carry),
  cmpxchg: compareAndExchange,
  cqo: (context) => spread(context, 8),
  cwd: (context) => spread(context, 2),
  cwde: (context) => widen(context, 4),
  cmovcc: (context) =>
    reading(context, [0, 1], ([old, source]) => {
      // Written either way: a 32-bit destination loses its upper half.
      const value = isTaken(context) ? source! : old!;
      return retire(context, write(context, start(context), context.insn.operands[0]!, value));
    }),
  cpuid: (context) => operate(context, "cpuid", { ...context.registers, rax: 0n, rbx: 0n, rcx: 0n, rdx: 0n }),
  div: (context) => divide(context, false),
  endbr64: (context) => retire(context),
  hlt: (context) => fault(context, "gp"),
  idiv: (context) => divide(context, true),
  int3: ({ next }) => ({ do: "trap", vector: "int3", resume: next }),
  iretq: interruptReturn,
  jcc: (context) =>
    reading(context, [0], ([target]) => retire(context, start(context), isTaken(context) ? target! : context.next)),
  jmp: (context) => reading(context, [0], ([target]) => retire(context, start(context), target!)),
  lea: (context) => {
    const [destination, source] = context.insn.operands;
    const address = effectiveAddress(source as MemoryOperand, context.registers, context.next);
    return retire(context, write(context, start(context), destination!, address));
  },
  leave: (context) =>
    popping(context, context.registers.rbp ?? 0n, 8, (rbp, registers) =>
      retire(context, { registers: { ...registers, rbp }, stores: [] }),
    ),
  lfence: (context) => operate(context, "lfence"),
  lldt: (context) => fault(context, "gp"),
  mfence: (context) => operate(context, "mfence"),
  mov: (context) => move(context, (value) => value),
  movsb: (context) => string(context, 1, "rsi"),
  movsd: (context) => string(context, 4, "rsi"),
  movsq: (context) => string(context, 8, "rsi"),
  movsw: (context) => string(context, 2, "rsi"),
  movsx: (context) => move(context, signExtend),
  movsxd: (context) => move(context, signExtend),
  movzx: (context) => move(context, (value) => value),
  mul: (context) => multiply(context, false),
  nop: (context) => retire(context),
  opaque: (context) => retire(context),
  pause: (context) => retire(context),
  pop,
  push: (context) =>
    reading(context, [0], ([value]) =>
      pushing(context, value!, destinationSize(context.insn), (effect) => retire(context, effect)),
    ),
  ret: (context) =>
    popping(context, stackTop(context), 8, (target, registers) => {
      const [released] = context.insn.operands;
      const bytes = released?.kind === "immediate" ? released.value : 0n;
      const rsp = unsigned((registers.rsp ?? 0n) + bytes);
      return retire(context, { registers: { ...registers, rsp }, stores: [] }, target);
    }),
  serialize: (context) => operate(context, "serialize"),
  setcc: (context) =>
    reading(context, [], () =>
      retire(context, write(context, start(context), context.insn.operands[0]!, isTaken(context) ? 1n : 0n)),
    ),
  sfence: (context) => operate(context, "sfence"),
  stc: (context) => setCarry(context, () => flag.carry),
  stosb: (context) => string(context, 1, "rax"),
  stosd: (context) => string(context, 4, "rax"),
  stosq: (context) => string(context, 8, "rax"),
  stosw: (context) => string(context, 2, "rax"),
  ud1: (context) => fault(context, "ud"),
  ud2: (context) => fault(context, "ud"),
  xadd: exchangeAndAdd,
  xchg: (context) =>
    reading(context, [0, 1], ([left, right]) => {
      const [first, second] = context.insn.operands;
      // Memory is the first operand: its address is formed before a register of it changes.
      return retire(context, write(context, write(context, start(context), first!, right!), second!, left!));
    }),
};

/**
 * Executes an instruction; see `InstructionSet.execute`.
 *
 * - Serialising instructions and fences ask for the steps `cpuid`, `serialize`, `iret`, `mfence`, `lfence`, `sfence`.
 *   CPUID answers zeros in RAX, RBX, RCX and RDX: what it tells is not modelled.
 * - Traps: `int3` resumes after the instruction; `ud`, `gp` and `ss` at it. A branch to a non-canonical address raises `gp`
 *   at the branch, an access to one `gp`, or `ss` by way of RSP or RBP.
 * - DIV and IDIV raise `de`. What is opaque changes nothing: whoever lets it pass sees to it that its effect does not matter.
 * - HLT and LLDT raise `gp`, as in user mode; a kernel would halt or load the register.
 * - The base addresses of FS and GS are the registers `fs_base` and `gs_base`.
 *
 * Source: the instructions' pages in Intel SDM vol. 2.
 */
export const execute = (
  insn: X86Instruction,
  at: bigint,
  registers: Registers,
  loaded: readonly bigint[] = [],
): Outcome => {
  const context: Context = { insn, at, next: unsigned(at + BigInt(insn.length)), registers, loaded };
  if (insn.op === "imul" && insn.operands.length === 1) return multiply(context, true);
  return isArithmetic(insn.op) ? compute(context, insn.op) : semantics[insn.op](context);
};
