import { type Architecture, type Bytes, InputError } from "@cmodx/core";

/** What the litmus runner needs of an architecture. */
export type LitmusTarget = {
  /** Its name at the head of litmus files. */
  readonly name: string;
  /** The architecture of a test with these `key=value` lines. */
  architecture(info: ReadonlyMap<string, string>): Architecture;
  /** The name of a register in the instruction set, by its name in litmus files; undefined where it has none. */
  register(name: string): string | undefined;
  /** Bytes of every instruction; tests give distances in these. */
  readonly instruction: number;
  /** Assembles an instruction of a litmus file to lie at an address, its labels by their addresses. */
  assemble(text: string, at: bigint, labels: ReadonlyMap<string, bigint>): Bytes;
  /** Labels whose addresses an instruction takes as values. */
  addressed(text: string): readonly string[];
  /** The text of an instruction as litmus files have it, by the distance it jumps. */
  format(bytes: Bytes): string;
  /** The vector of an exception by its name in conditions. */
  fault(kind: string): string | undefined;
  /** Flags that hold of every execution with this instruction. */
  flags(text: string): readonly string[];
};

/** An unknown architecture in a test's first line. */
export const unknownTarget = (name: string, known: readonly string[]): InputError =>
  new InputError(`Litmus tests of ${name} are not supported; only of ${known.join(", ")}.`);
