import { type Architecture, type Bytes, InputError, type Machine, type StateView } from "@cmodx/core";

/** The address of a label, by its name; undefined where there is none. */
export type LabelAddress = (name: string) => bigint | undefined;

/** A register: its name in states, as herd7 prints it, and its name in the instruction set. */
export type LitmusRegister = { readonly shown: string; readonly is: string };

/** What the litmus runner needs of an architecture. */
export type LitmusTarget = {
  /** Its name at the head of litmus files. */
  readonly name: string;
  /** The key of the line `key=value` that says how instructions are fetched. */
  readonly fetchKey: string;
  /** The architecture of a test in which that line has this value; undefined where there is no such line. */
  architecture(fetch: string | undefined): Architecture;
  /** A register by any name that litmus files give it; undefined where it has none. */
  register(name: string): LitmusRegister | undefined;
  /** Assembles an instruction of a litmus file to lie at an address. How long it is does not depend on where labels lie. */
  assemble(text: string, at: bigint, label: LabelAddress): Bytes;
  /** The shortest instruction that does nothing. */
  readonly filler: string;
  /** Labels whose addresses an instruction takes as values. */
  addressed(text: string): readonly string[];
  /** What a register holds that has loaded the bytes of an instruction. */
  value(bytes: Bytes): bigint;
  /** The text of an instruction as litmus files have it, by the distance it jumps. */
  format(bytes: Bytes): string;
  /** The vector of an exception by its name in conditions. */
  fault(kind: string): string | undefined;
  /** Flags that hold of every execution with this instruction. */
  flags(text: string): readonly string[];
  /** Flags that hold of an execution that ends in this state. */
  flagsOf(view: StateView, machine: Machine): readonly string[];
};

/** An unknown architecture in a test's first line. */
export const unknownTarget = (name: string, known: readonly string[]): InputError =>
  new InputError(`Litmus tests of ${name} are not supported; only of ${known.join(", ")}.`, { code: "impossible" });
