/** A place in a litmus file, both from 1. */
export type Place = { readonly line: number; readonly column: number };

/** A value as a litmus file writes it. */
export type LitmusValue =
  | { readonly is: "number"; readonly value: bigint }
  /** The address of a data location, or of an element of it. */
  | { readonly is: "location"; readonly name: string; readonly index?: number }
  /** The address of an instruction. */
  | { readonly is: "label"; readonly thread: number; readonly label: string }
  /** The encoding of an instruction. */
  | { readonly is: "instruction"; readonly text: string };

/** What a value is given to or asked of: a register of a thread, by the name that the file gives it, or a data location. */
export type LitmusCell =
  | { readonly is: "register"; readonly thread: number; readonly register: string; readonly place: Place }
  | { readonly is: "location"; readonly name: string; readonly index?: number };

/** How a value of a cell is read and shown: its bits, and whether the highest is a sign. */
export type LitmusType = { readonly bits: 8 | 16 | 32 | 64; readonly signed: boolean };

/** One line of the initial state: its values, more than one of an array, none where a cell is only declared. */
export type Initialisation = {
  readonly cell: LitmusCell;
  /** What the line declares the cell, or the elements of the array, to be. */
  readonly type?: LitmusType;
  /** Elements of an array. */
  readonly length?: number;
  readonly values: readonly LitmusValue[];
  readonly place: Place;
};

/** The value of a line `key=value`. */
export type InfoLine = { readonly value: string; readonly place: Place };

/** One row of a thread: labels, then an instruction or none. */
export type Row = { readonly labels: readonly string[]; readonly text: string; readonly place: Place };

/** A thread: its code and the code that it goes on with after a fault. */
export type Thread = { readonly rows: readonly Row[]; readonly handler: readonly Row[] };

/** A fault of a thread at a label; a fault of any kind where none is named. */
export type FaultAtom = { readonly thread: number; readonly label: string | null; readonly kind: string | null };

/** A proposition over final states. */
export type Proposition =
  | { readonly is: "true" }
  | { readonly is: "false" }
  | { readonly is: "equal"; readonly cell: LitmusCell; readonly value: LitmusValue; readonly place: Place }
  | { readonly is: "fault"; readonly fault: FaultAtom; readonly place: Place }
  | { readonly is: "not"; readonly of: Proposition }
  | { readonly is: "and" | "or"; readonly of: readonly Proposition[] };

/** How the condition asks for its proposition. */
export type Quantifier = "exists" | "~exists" | "forall";

/** A litmus test as it is written. */
export type LitmusTest = {
  readonly architecture: string;
  readonly name: string;
  /** Lines `key=value` between the name and the initial state. */
  readonly info: ReadonlyMap<string, InfoLine>;
  readonly initial: readonly Initialisation[];
  readonly threads: readonly Thread[];
  readonly locations: readonly LitmusCell[];
  readonly filter: Proposition | null;
  readonly quantifier: Quantifier;
  readonly proposition: Proposition;
  /** The condition as it is written, on one line. */
  readonly condition: string;
};
