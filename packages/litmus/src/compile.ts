import { type Architecture, type Bytes, InputError, type Scenario } from "@cmodx/core";
import type { Source } from "./source.js";
import { fetchModelOf, type LabelAddress, type LitmusRegister, type LitmusTarget } from "./target.js";
import type { FaultAtom, LitmusCell, LitmusTest, LitmusType, LitmusValue, Place, Proposition, Row } from "./test.js";
import { INT } from "./values.js";

type RegisterCell = Extract<LitmusCell, { readonly is: "register" }>;

/** A row of a thread where it lies; without bytes where it has labels alone. */
type Line = Row & { readonly address: bigint; readonly bytes: Bytes };

/** A litmus test laid out on the machine. */
export type CompiledTest = {
  readonly test: LitmusTest;
  readonly architecture: Architecture;
  readonly scenario: Scenario;
  /** Addresses of labels by thread. */
  readonly labels: readonly ReadonlyMap<string, bigint>[];
  /** Addresses of data locations. */
  readonly locations: ReadonlyMap<string, bigint>;
  /** What a cell is declared to be; `int` where no line declares it. */
  typeOf(cell: LitmusCell): LitmusType;
  /** The address of a data location, or of an element of it. */
  addressOf(name: string, index?: number): bigint;
  /** What values mean beside numbers: addresses and encodings, as litmus files write them. */
  readonly names: ReadonlyMap<bigint, string>;
  /** The register that a cell is. Throws InputError with its place where there is none. */
  registerOf(cell: RegisterCell): LitmusRegister;
  /** The value of a value as it is written. */
  numberOf(value: LitmusValue, place: Place): bigint;
  /** Routines by thread; undefined for one without code. */
  readonly routines: readonly (string | undefined)[];
  readonly flags: readonly string[];
};

const CODE = 0x1000_0000n;
const THREAD = 0x1_0000n;
const DATA = 0x2000_0000n;
const LOCATION = 0x100n;
/** Bytes that a store to the address of an instruction reaches. */
const STORED = 4;

/**
 * Lays a test out, fetched by the model `fetch` instead of as the file says. Throws InputError with the place of what cannot be done.
 */
export const compileTest = (test: LitmusTest, source: Source, target: LitmusTarget, fetch?: string): CompiledTest => {
  const { threads } = test;
  const at = <T>(place: Place | undefined, work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw error instanceof InputError && place !== undefined ? source.errorAt(error.message, place) : error;
    }
  };
  const line = test.info.get(target.fetchKey);
  const said = at(line?.place, () => target.fetchOf(line?.value));
  const architecture = target.architecture(fetch === undefined ? said : fetchModelOf(target, fetch));

  /** Where the code of a thread lies, and that which it goes on with after a fault. */
  const pieces = threads.map(({ rows, handler }, i) => {
    const address = CODE + THREAD * BigInt(i);
    return [
      { address, rows },
      { address: address + THREAD / 2n, rows: handler },
    ];
  });
  const laid = (start: bigint, rows: readonly Row[], labelsAt: (here: bigint) => LabelAddress): readonly Line[] => {
    let next = start;
    const lay = (row: Row): Line => {
      const address = next;
      const bytes = row.text === "" ? [] : at(row.place, () => target.assemble(row.text, address, labelsAt(address)));
      next += BigInt(bytes.length);
      return { ...row, address, bytes };
    };
    const lines = rows.map(lay);
    const last = rows.at(-1);
    // What shares a word with code that is written is fetched with it.
    return last === undefined || next % BigInt(STORED) === 0n
      ? lines
      : [...lines, lay({ labels: [], text: target.filler, place: last.place })];
  };
  const labels = pieces.map((both, i) => {
    const found = new Map<string, bigint>();
    // How long instructions are does not depend on where labels lie: for now, all where they are named.
    for (const { address, labels: names, place } of both.flatMap((piece) =>
      laid(piece.address, piece.rows, (here) => () => here),
    ))
      for (const label of names) {
        if (found.has(label)) throw source.errorAt(`The label ${label} is in thread P${i} twice.`, place);
        found.set(label, address);
      }
    return found;
  });
  const code = pieces.map((both, i) =>
    both.map(({ address, rows }) =>
      laid(address, rows, () => (label) => labels[i]?.get(label)).filter(({ text }) => text !== ""),
    ),
  );
  const all = code.flat(2);
  const lines = new Map(all.map((line) => [line.address, line]));

  const locations = new Map<string, bigint>();
  const types = new Map<string, LitmusType>();
  const lengths = new Map<string, number>();
  const keyOf = (cell: LitmusCell): string =>
    cell.is === "location" ? cell.name : `${cell.thread}:${registerOf(cell).is}`;
  const typeOf = (cell: LitmusCell): LitmusType => types.get(keyOf(cell)) ?? INT;
  let free = DATA;
  const location = (name: string, index = 0): bigint => {
    const size = BigInt((types.get(name) ?? INT).bits / 8);
    let address = locations.get(name);
    if (address === undefined) {
      address = free;
      locations.set(name, address);
      const bytes = size * BigInt(lengths.get(name) ?? 1);
      free += ((bytes + LOCATION - 1n) / LOCATION) * LOCATION;
    }
    return address + size * BigInt(index);
  };
  const labelAddress = (thread: number, label: string, place: Place): bigint => {
    const address = labels[thread]?.get(label);
    if (address === undefined) throw source.errorAt(`Thread P${thread} has no label ${label}.`, place);
    return address;
  };
  const registerOf = ({ thread, register, place }: RegisterCell): LitmusRegister => {
    const found = target.register(register);
    if (found === undefined) throw source.errorAt(`There is no register ${register}.`, place);
    if (thread >= threads.length) throw source.errorAt(`There is no thread P${thread}.`, place);
    return found;
  };
  const encoding = (text: string, place: Place): Bytes => at(place, () => target.assemble(text, CODE, () => undefined));
  const numberOf = (value: LitmusValue, place: Place): bigint => {
    switch (value.is) {
      case "number":
        return BigInt.asUintN(64, value.value);
      case "location":
        return location(value.name, value.index);
      case "label":
        return labelAddress(value.thread, value.label, place);
      case "instruction":
        return target.value(encoding(value.text, place));
    }
  };

  // Instructions whose addresses are values may be written, with what a store there reaches; all others are fetched as they are.
  for (const { cell, type, length = 1 } of test.initial) {
    if (type !== undefined) types.set(keyOf(cell), type);
    if (cell.is === "location")
      lengths.set(cell.name, Math.max(length, lengths.get(cell.name) ?? 1, (cell.index ?? 0) + 1));
  }
  const exported = new Set<bigint>();
  const initial = test.initial.flatMap(({ cell, values, place }) =>
    values.map((value, i) => ({ cell, value, place, i })),
  );
  for (const { value, place } of initial)
    if (value.is === "label") exported.add(labelAddress(value.thread, value.label, place));
  code.forEach((both, i) => {
    for (const { text, place } of both.flat())
      for (const label of target.addressed(text)) exported.add(labelAddress(i, label, place));
  });

  const registers = threads.map((): { [name: string]: bigint } => ({}));
  const data: { address: bigint; bytes: Bytes }[] = [];
  // Of two initial values one would be overlooked.
  const values = new Map<string, bigint>();
  const once = (cell: string, value: bigint, name: string, place: Place): void => {
    if ((values.get(cell) ?? value) !== value)
      throw source.errorAt(`${name} has two initial values, ${values.get(cell)} and ${value}.`, place);
    values.set(cell, value);
  };
  for (const { cell, value, place, i } of initial) {
    const number = numberOf(value, place);
    if (cell.is === "location") {
      // What is no array has all its bytes, for accesses that are wider than it.
      const isArray = (lengths.get(cell.name) ?? 1) > 1;
      const address = location(cell.name, (cell.index ?? 0) + i);
      once(`${address}`, number, cell.name, place);
      data.push({
        address,
        bytes: Array.from({ length: isArray ? typeOf(cell).bits / 8 : 8 }, (_, byte) =>
          Number((number >> BigInt(8 * byte)) & 0xffn),
        ),
      });
      continue;
    }
    const { is } = registerOf(cell);
    once(`${cell.thread}:${is}`, number, `P${cell.thread}:${cell.register}`, place);
    (registers[cell.thread] as { [name: string]: bigint })[is] = number;
  }
  for (const { fault, place } of faultsIn(test.proposition)) {
    const { thread, label, kind } = fault;
    if (thread >= threads.length) throw source.errorAt(`There is no thread P${thread}.`, place);
    if (label !== null) labelAddress(thread, label, place);
    if (kind !== null && target.fault(kind) === undefined)
      throw source.errorAt(`${target.name} has no fault ${kind}.`, place);
  }

  const names = new Map<bigint, string>();
  labels.forEach((found, i) => {
    for (const [label, address] of found) if (!names.has(address)) names.set(address, `label:"P${i}:${label}"`);
  });
  const nameInstruction = (bytes: Bytes): void => {
    // Of two bytes they are too often plain numbers.
    if (bytes.length !== 4) return;
    const text = target.format(bytes);
    names.set(target.value(bytes), text === "NOP" ? text : `instr:"${text}"`);
  };
  for (const { bytes } of all) nameInstruction(bytes);
  for (const { value, place } of initial) if (value.is === "instruction") nameInstruction(encoding(value.text, place));
  for (const cell of cellsIn(test)) if (cell.is === "location") location(cell.name, cell.index);
  for (const [name, address] of locations) names.set(address, name);

  const running = code.flatMap(([own = []], i) => (own.length > 0 ? [i] : []));
  const reached = [...exported].flatMap((address) => Array.from({ length: STORED }, (_, i) => address + BigInt(i)));
  const written = [...new Set(reached)].flatMap((address) => lines.get(address) ?? []);
  const isInstruction = ({ bytes }: Line): boolean => typeof architecture.instructionSet.decode(bytes, "") !== "string";
  const illegal = written.find((line) => !isInstruction(line));
  if (illegal !== undefined)
    throw source.errorAt(`Code that can be written has to be legal at first; "${illegal.text}" is not.`, illegal.place);
  // The machine wants a site; a test in which no code can be written has one that nobody writes.
  const sites = written.length > 0 ? written : all.filter(isInstruction).slice(0, 1);
  const scenario: Scenario = {
    name: test.name,
    sites: sites.map(({ address, bytes }) => ({ address, old: bytes, new: bytes, after: [] })),
    patchers: [],
    executors: running.map((i) => {
      const [own, handler] = pieces[i] as (typeof pieces)[number];
      const handled = handler?.rows.some(({ text }) => text !== "");
      return {
        entries: [(own as { readonly address: bigint }).address],
        count: 1,
        once: true as const,
        registers: registers[i] as { [name: string]: bigint },
        ...(handled && handler !== undefined ? { faults: handler.address } : {}),
      };
    }),
    cpus: Math.max(threads.length, 1),
    memory: "architectural",
    blocks: code
      .flat()
      .flatMap((block) =>
        block[0] === undefined ? [] : [{ address: block[0].address, code: block.flatMap(({ bytes }) => bytes) }],
      ),
    data,
  };
  const flags = new Set(all.flatMap(({ text }) => target.flags(text)));
  return {
    test,
    architecture,
    scenario,
    labels,
    locations,
    typeOf,
    addressOf: location,
    names,
    registerOf,
    numberOf,
    routines: threads.map((_, i) => {
      const place = running.indexOf(i);
      return place < 0 ? undefined : running.length === 1 ? "executor" : `executor ${place}`;
    }),
    flags: [...flags],
  };
};

/** Every cell that the end of a test asks for. */
export const cellsIn = ({ locations, proposition }: LitmusTest): readonly LitmusCell[] => [
  ...locations,
  ...cellsOf(proposition),
];

const cellsOf = (proposition: Proposition): readonly LitmusCell[] => {
  switch (proposition.is) {
    case "equal":
      return [proposition.cell];
    case "not":
      return cellsOf(proposition.of);
    case "and":
    case "or":
      return proposition.of.flatMap(cellsOf);
    default:
      return [];
  }
};

/** Every fault that a proposition asks for. */
export const faultsIn = (proposition: Proposition): readonly { readonly fault: FaultAtom; readonly place: Place }[] => {
  switch (proposition.is) {
    case "fault":
      return [proposition];
    case "not":
      return faultsIn(proposition.of);
    case "and":
    case "or":
      return proposition.of.flatMap(faultsIn);
    default:
      return [];
  }
};
