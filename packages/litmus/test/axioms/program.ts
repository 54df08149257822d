/*
 * Small concurrent programs of data accesses: loads, stores and atomic accesses of every size, dependencies and barriers. One value of this
 * type is what both the machine (as a litmus test) and the axioms (as it is) are asked about.
 */

export const places = ["x", "y"] as const;
export type Place = (typeof places)[number];
export type Size = 1 | 2 | 4 | 8;

/** Bytes of a place. Every place has eight, 0 at first. */
export type Span = { readonly place: Place; readonly offset: number; readonly size: Size };

/** `pair` is an exclusive load and store, LDXR and STXR or LR and SC, which store or not. */
export type AtomicKind = "swp" | "add" | "set" | "clr" | "eor" | "cas" | "pair";

/** Barriers of AArch64, and fences of RISC-V by their sets. */
export type Barrier = "DMB SY" | "DMB LD" | "DMB ST" | "DSB SY" | "DSB LD" | "DSB ST" | `fence ${string}`;

/** On which earlier operation of its thread, by its index, the address or what is stored or compared depends; its value does not matter. */
type Dependencies = { readonly address?: number; readonly data?: number; readonly compared?: number };

export type Op =
  | ({ readonly do: "load"; readonly acquire?: "acquire" | "acquire-pc" } & Span & Dependencies)
  | ({ readonly do: "store"; readonly value: number; readonly release?: true } & Span & Dependencies)
  | ({
      readonly do: "atomic";
      readonly kind: AtomicKind;
      readonly value: number;
      /** What CAS compares with. */
      readonly compare?: number;
      readonly acquire?: true;
      readonly release?: true;
      /** What it loads goes to no register. */
      readonly silent?: true;
    } & Span &
      Dependencies)
  | { readonly do: "barrier"; readonly barrier: Barrier }
  | { readonly do: "synchronise" }
  /** A branch on what an operation found, to the next operation either way. */
  | { readonly do: "branch"; readonly on: number };

export type Program = { readonly threads: readonly (readonly Op[])[] };

/** A small number in every byte: what is stored where is told by each byte. */
export const patternOf = (value: number, size: Size): bigint =>
  Array.from({ length: size }, () => BigInt(value)).reduce((all, byte) => (all << 8n) | byte, 0n);

/** Whether an operation leaves a value in its register that is asked for. */
export const isAsked = (op: Op | undefined): boolean =>
  op?.do === "load" || (op?.do === "atomic" && op.silent !== true);

/** A final state: what every load and atomic access found, by thread and operation, and what the places hold. */
export const stateText = (found: readonly (readonly (bigint | undefined)[])[], last: readonly bigint[]): string =>
  [
    ...found.flatMap((ops, t) => ops.flatMap((value, i) => (value === undefined ? [] : [`${t}:${i}=${value}`]))),
    ...places.map((place, i) => `${place}=${last[i]}`),
  ].join(" ");
