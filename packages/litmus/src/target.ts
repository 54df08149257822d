import { type Architecture, type Bytes, didYouMean, InputError, type Machine, type StateView } from "@cmodx/core";

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
  /** The fetch model that a value of that line stands for, and a test without one. Throws InputError for a value that stands for none. */
  fetchOf(line: string | undefined): string;
  /** The ids of the fetch models, the weakest first. */
  readonly fetchModels: readonly string[];
  /** The architecture with one of them. */
  architecture(fetch: string): Architecture;
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

/** The id among a target's fetch models that a name is, whatever its capitals. Throws InputError where there is none. */
export const fetchModelOf = ({ name: architecture, fetchModels }: LitmusTarget, name: string): string => {
  const id = name.toLowerCase();
  if (fetchModels.includes(id)) return id;
  throw new InputError(`${architecture} has no fetch model ${name}${didYouMean(id, fetchModels)}`, {
    place: "--fetch",
    code: "unknown-name",
  });
};

/** An unknown architecture in a test's first line. */
export const unknownTarget = (name: string, known: readonly string[]): InputError =>
  new InputError(`Litmus tests of ${name} are not supported; only of ${known.join(", ")}.`, { code: "impossible" });
