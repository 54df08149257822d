import type { AmoOperation, ArithmeticOperation, BranchOperation, ImmediateOperation } from "./arithmetic.js";
import type { ConditionalOperation, LoadOperation, ReservingOperation, StoreOperation } from "./memory-operations.js";
import type { Register } from "./registers.js";

/**
 * What an instruction of the modelled subset does, under the mnemonic of the full-size instruction that does it: `c.lwsp` and
 * `lw` are both `lw`.
 */
export type Operation =
  | AmoOperation
  | ArithmeticOperation
  | BranchOperation
  | ImmediateOperation
  | LoadOperation
  | ReservingOperation
  | ConditionalOperation
  | StoreOperation
  | "auipc"
  | "ebreak"
  | "ecall"
  | "fence"
  | "fence.i"
  | "fence.tso"
  | "jal"
  | "jalr"
  | "lui"
  | "opaque";

/**
 * The accesses that a fence orders: letters of `iorw` (device input, device output, memory reads, memory writes) in that order,
 * `0` for none.
 */
export type FenceSet = string;

/**
 * A decoded RISC-V instruction: plain data.
 *
 * `form` is the mnemonic of its encoding, without `.aq` and `.rl`; the fields are those of the instruction `op`, whatever the
 * encoding. `imm` is the constant as the instruction uses it: sign-extended; shifted for `lui` and `auipc`; in bytes from the
 * start of the instruction for branches and `jal`; 0 to 63 for shifts.
 */
export type RiscvInstruction = {
  readonly length: 2 | 4;
  readonly op: Operation;
  readonly form: string;
  readonly rd?: Register;
  readonly rs1?: Register;
  readonly rs2?: Register;
  readonly imm?: bigint;
  readonly pred?: FenceSet;
  readonly succ?: FenceSet;
  readonly aq?: boolean;
  readonly rl?: boolean;
  readonly opaque?: true;
  /** All bits of an opaque instruction. */
  readonly word?: number;
};
