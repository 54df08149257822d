import { type Architecture, type Bytes, InputError, type Scenario } from "@cmodx/core";
import type { Source } from "./source.js";
import type { LitmusTarget } from "./target.js";
import type { LitmusCell, LitmusTest, LitmusValue, Place, Proposition } from "./test.js";

/** A litmus test laid out on the machine. */
export type CompiledTest = {
  readonly test: LitmusTest;
  readonly architecture: Architecture;
  readonly scenario: Scenario;
  /** Addresses of labels by thread. */
  readonly labels: readonly ReadonlyMap<string, bigint>[];
  /** Addresses of data locations. */
  readonly locations: ReadonlyMap<string, bigint>;
  /** What values mean beside numbers: addresses and encodings, as litmus files write them. */
  readonly names: ReadonlyMap<bigint, string>;
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

/** Lays a test out. Throws InputError with the place of what cannot be done. */
export const compileTest = (test: LitmusTest, source: Source, target: LitmusTarget): CompiledTest => {
  const { threads } = test;
  const architecture = target.architecture(test.info);
  const size = BigInt(target.instruction);
  const at = (place: Place, work: () => Bytes): Bytes => {
    try {
      return work();
    } catch (error) {
      throw error instanceof InputError ? source.errorAt(error.message, place) : error;
    }
  };

  /** Where the code of a thread lies, and that which it goes on with after a fault. */
  const pieces = threads.map(({ rows, handler }, i) => {
    const address = CODE + THREAD * BigInt(i);
    return [
      { address, rows },
      { address: address + THREAD / 2n, rows: handler },
    ];
  });
  const labels = pieces.map((both, i) => {
    const found = new Map<string, bigint>();
    for (const { address: start, rows } of both) {
      let address = start;
      for (const row of rows) {
        for (const label of row.labels) {
          if (found.has(label)) throw source.errorAt(`The label ${label} is in thread P${i} twice.`, row.place);
          found.set(label, address);
        }
        if (row.text !== "") address += size;
      }
    }
    return found;
  });
  const code = pieces.map((both, i) =>
    both.map(({ address: start, rows }) =>
      rows
        .filter(({ text }) => text !== "")
        .map(({ text, place }, n) => {
          const address = start + size * BigInt(n);
          const bytes = at(place, () => target.assemble(text, address, labels[i] as ReadonlyMap<string, bigint>));
          return { address, bytes, text, place };
        }),
    ),
  );
  const all = code.flat(2);
  const lines = new Map(all.map((line) => [line.address, line]));

  const locations = new Map<string, bigint>();
  const location = (name: string): bigint => {
    let address = locations.get(name);
    if (address === undefined) {
      address = DATA + LOCATION * BigInt(locations.size);
      locations.set(name, address);
    }
    return address;
  };
  const labelAddress = (thread: number, label: string, place: Place): bigint => {
    const address = labels[thread]?.get(label);
    if (address === undefined) throw source.errorAt(`Thread P${thread} has no label ${label}.`, place);
    return address;
  };
  const encoding = (text: string, place: Place): Bytes => at(place, () => target.assemble(text, CODE, new Map()));
  const numberOf = (value: LitmusValue, place: Place): bigint => {
    switch (value.is) {
      case "number":
        return BigInt.asUintN(64, value.value);
      case "location":
        return location(value.name);
      case "label":
        return labelAddress(value.thread, value.label, place);
      case "instruction":
        return asNumber(encoding(value.text, place));
    }
  };

  // Instructions whose addresses are values may be written; all others are fetched as they are.
  const exported = new Set<bigint>();
  for (const { value, place } of test.initial)
    if (value.is === "label") exported.add(labelAddress(value.thread, value.label, place));
  code.forEach((both, i) => {
    for (const { text, place } of both.flat())
      for (const label of target.addressed(text)) exported.add(labelAddress(i, label, place));
  });

  const registers = threads.map((): { [name: string]: bigint } => ({}));
  const data: { address: bigint; bytes: Bytes }[] = [];
  for (const { cell, value, place } of test.initial) {
    const number = numberOf(value, place);
    if (cell.is === "location") {
      data.push({
        address: location(cell.name),
        bytes: Array.from({ length: 8 }, (_, i) => Number((number >> BigInt(8 * i)) & 0xffn)),
      });
      continue;
    }
    const register = target.register(cell.register);
    if (register === undefined) throw source.errorAt(`There is no register ${cell.register}.`, place);
    const into = registers[cell.thread];
    if (into === undefined) throw source.errorAt(`There is no thread P${cell.thread}.`, place);
    into[register] = number;
  }

  const names = new Map<bigint, string>();
  labels.forEach((found, i) => {
    for (const [label, address] of found) if (!names.has(address)) names.set(address, `label:"P${i}:${label}"`);
  });
  for (const [, { bytes }] of lines) {
    const text = target.format(bytes);
    names.set(asNumber(bytes), text === "NOP" ? text : `instr:"${text}"`);
  }
  for (const { value, place } of test.initial)
    if (value.is === "instruction") {
      const text = target.format(encoding(value.text, place));
      names.set(numberOf(value, place), text === "NOP" ? text : `instr:"${text}"`);
    }
  for (const value of [...cellsIn(test)]) if (value.is === "location") location(value.name);
  for (const [name, address] of locations) names.set(address, name);

  const running = code.flatMap(([own = []], i) => (own.length > 0 ? [i] : []));
  const sites = [...exported].filter((address) => lines.has(address));
  const [first] = lines.keys();
  // The machine wants a site; a test in which no code can be written has one that nobody writes.
  if (sites.length === 0 && first !== undefined) sites.push(first);
  const scenario: Scenario = {
    name: test.name,
    sites: sites.map((address) => {
      const { bytes } = lines.get(address) as { readonly bytes: Bytes };
      return { address, old: bytes, new: bytes, after: [] };
    }),
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
    names,
    numberOf,
    routines: threads.map((_, i) => {
      const place = running.indexOf(i);
      return place < 0 ? undefined : running.length === 1 ? "executor" : `executor ${place}`;
    }),
    flags: [...flags],
  };
};

const asNumber = (bytes: Bytes): bigint => bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);

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
