/** The part of a register that is transferred, by the letters at the end of a mnemonic: a byte, a halfword, or all of it. */
const parts = { b: 1, h: 2, "": undefined } as const;
type Part = keyof typeof parts;

const orders = { "": [], a: ["acquire"], l: ["release"], al: ["acquire", "release"] } as const;
type Order = keyof typeof orders;

type Changing = "add" | "clr" | "eor" | "set";
type AtomicOperation = `${`ld${Changing}` | "swp" | "cas"}${Order}${Part}` | `st${Changing}${"" | "l"}${Part}`;

/** An operation that loads, stores, or does both at once. */
export type MemoryOperation =
  | `ldr${Part}`
  | `str${Part}`
  | `ldur${Part}`
  | `stur${Part}`
  | `ld${"r" | "ur"}s${"b" | "h" | "w"}`
  | `ldar${Part}`
  | `stlr${Part}`
  | `ldapr${Part}`
  | `ld${"" | "a"}xr${Part}`
  | `st${"" | "l"}xr${Part}`
  | "ldp"
  | "ldpsw"
  | "stp"
  | AtomicOperation;

/** How an operation accesses memory. */
export type Accessing = {
  readonly kind: "load" | "store" | "reserve" | "exclusive" | keyof typeof changes;
  /** Bytes of one register that are transferred; the register's own width where it is absent. */
  readonly size?: 1 | 2 | 4;
  /** Whether a loaded value is sign-extended. */
  readonly signed?: true;
  readonly tags: readonly string[];
  /** Whether an address that is no multiple of the access's size faults (Arm ARM, B2.5.2, without FEAT_LSE2). */
  readonly aligned?: true;
};

/** What the atomic operations leave in memory, of the value there and the register's. */
export const changes = {
  add: (old: bigint, operand: bigint) => old + operand,
  clr: (old: bigint, operand: bigint) => old & ~operand,
  eor: (old: bigint, operand: bigint) => old ^ operand,
  set: (old: bigint, operand: bigint) => old | operand,
  swp: (_: bigint, operand: bigint) => operand,
  /** The register's where the value was the compared one, which CAS has in its first register. */
  cas: (old: bigint, operand: bigint, compared: bigint) => (old === compared ? operand : old),
} as const;

const partNames = ["", "b", "h"] as const;

const sized = (part: Part) => (parts[part] === undefined ? {} : { size: parts[part] });

const plain: [string, Accessing][] = partNames.flatMap((part) => [
  ...["ldr", "ldur"].map((name): [string, Accessing] => [name + part, { kind: "load", ...sized(part), tags: [] }]),
  ...["str", "stur"].map((name): [string, Accessing] => [name + part, { kind: "store", ...sized(part), tags: [] }]),
  [`ldar${part}`, { kind: "load", ...sized(part), tags: ["acquire"], aligned: true }],
  [`ldapr${part}`, { kind: "load", ...sized(part), tags: ["acquire-pc"], aligned: true }],
  [`stlr${part}`, { kind: "store", ...sized(part), tags: ["release"], aligned: true }],
  [`ldxr${part}`, { kind: "reserve", ...sized(part), tags: ["exclusive"], aligned: true }],
  [`ldaxr${part}`, { kind: "reserve", ...sized(part), tags: ["exclusive", "acquire"], aligned: true }],
  [`stxr${part}`, { kind: "exclusive", ...sized(part), tags: ["exclusive"], aligned: true }],
  [`stlxr${part}`, { kind: "exclusive", ...sized(part), tags: ["exclusive", "release"], aligned: true }],
]);

const extending: [string, Accessing][] = Object.entries({ b: 1, h: 2, w: 4 } as const).flatMap(([letter, size]) =>
  ["ldrs", "ldurs"].map((name): [string, Accessing] => [name + letter, { kind: "load", size, signed: true, tags: [] }]),
);

const pairs: [string, Accessing][] = [
  ["ldp", { kind: "load", tags: [] }],
  ["stp", { kind: "store", tags: [] }],
  ["ldpsw", { kind: "load", size: 4, signed: true, tags: [] }],
];

const atomics: [string, Accessing][] = (Object.keys(changes) as (keyof typeof changes)[]).flatMap((kind) =>
  Object.entries(orders).flatMap(([order, tags]) =>
    partNames.map((part): [string, Accessing] => [
      `${kind === "swp" || kind === "cas" ? kind : `ld${kind}`}${order}${part}`,
      { kind, ...sized(part), tags: ["locked", ...tags], aligned: true },
    ]),
  ),
);

/** Those that keep nothing of what they load. */
const storing: [string, Accessing][] = atomics
  .filter(([name, { tags }]) => /^ld(add|clr|eor|set)/.test(name) && !tags.includes("acquire"))
  .map(([name, accessing]) => [name.replace(/^ld/, "st"), accessing]);

const operations = new Map([...plain, ...extending, ...pairs, ...atomics, ...storing]);

/** How an operation accesses memory, nothing when it does not. */
export const accessing = (op: string): Accessing | undefined => operations.get(op);
