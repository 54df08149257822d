import type { MemoryOperand, Modifier, Operand, RegisterOperand } from "./instruction.js";
import type { Fields } from "./layout.js";

/** A number in assembler text. With `#` it is a constant or a distance from the instruction, without also an address. */
export type NumberText = {
  readonly kind: "number";
  readonly value: bigint;
  readonly hash: boolean;
  readonly modifier?: Modifier;
};

/** An operand as text gives it: what a name or a number means is the instruction's to say. */
export type OperandText =
  | RegisterOperand
  | MemoryOperand
  | NumberText
  | { readonly kind: "relative"; readonly displacement: bigint }
  | { readonly kind: "name"; readonly name: string };

/** What is known while an instruction is encoded: its address, its mnemonic, and the fields of the operands before. */
export type Encoding = { readonly at: bigint; readonly mnemonic: string; readonly fields: Fields };

/**
 * How one operand is encoded: both ways in one place.
 *
 * `read` gives nothing for fields that are reserved or that another mnemonic is preferred for. `write` gives nothing for
 * text that does not fit.
 */
export type Codec = {
  readonly read: (fields: Fields) => Operand | undefined;
  readonly write: (text: OperandText, encoding: Encoding) => Fields | undefined;
};
