import type { ComputingOperation } from "./computations.js";
import type { MemoryOperation } from "./memory-operations.js";

/** Hints that have no effect here: those that wait, mark branch targets, or sign addresses (Arm ARM, C4.1.94, "Hints"). */
export const hints = {
  ...{ nop: 0, yield: 1, wfe: 2, wfi: 3, sev: 4, sevl: 5, dgh: 6, xpaclri: 7 },
  ...{ pacia1716: 8, pacib1716: 10, autia1716: 12, autib1716: 14 },
  ...{ esb: 16, "psb csync": 17, "tsb csync": 18, csdb: 20 },
  ...{ paciaz: 24, paciasp: 25, pacibz: 26, pacibsp: 27, autiaz: 28, autiasp: 29, autibz: 30, autibsp: 31 },
  ...{ bti: 32, "bti c": 34, "bti j": 36, "bti jc": 38 },
} as const;

type FirstWord<Text extends string> = Text extends `${infer First} ${string}` ? First : Text;

/** A hint by its mnemonic; `hint` is one without a name. */
type HintOperation = FirstWord<keyof typeof hints> | "hint";

/** An operation that is neither a computation, nor an access to memory, nor a hint. */
export type ControlOperation =
  | "b"
  | "b.cond"
  | "bl"
  | "blr"
  | "br"
  | "brk"
  | "cbnz"
  | "cbz"
  | "dc"
  | "dcps1"
  | "dcps2"
  | "dcps3"
  | "dmb"
  | "dsb"
  | "eret"
  | "hlt"
  | "hvc"
  | "ic"
  | "isb"
  | "mrs"
  | "msr"
  | "opaque"
  | "pssbb"
  | "ret"
  | "smc"
  | "ssbb"
  | "svc"
  | "tbnz"
  | "tbz"
  | "udf";

/** An operation of the modelled subset. */
export type Operation = ComputingOperation | MemoryOperation | HintOperation | ControlOperation;
