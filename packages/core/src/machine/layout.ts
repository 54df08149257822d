import type { Bytes } from "../base/data.js";
import { InputError } from "../base/errors.js";
import { hexAddress, toHex } from "../base/hex.js";
import { assertRange, MOST_EXECUTORS } from "../base/maxima.js";
import type { Architecture } from "../contract/architecture.js";
import type { FetchModel } from "../contract/fetch-model.js";
import type { Initial, Layout, PlacedCode, ReadSide, ResolvedSite } from "../contract/layout.js";
import type { CompiledProgram } from "../contract/program.js";
import type { Code, CodeBlock, DataBlock, Executor, Patcher, Scenario } from "../contract/scenario.js";
import { addressKey, type Cell, type Context, type CpuState } from "../contract/state.js";
import type { World } from "../contract/world.js";
import { divideText } from "../fetch/divide-text.js";
import { HOME, STACK_BOTTOM } from "../program/reserved.js";
import { patcherProgram } from "../program/roles.js";
import { readFlavour, sectionAt } from "../services/read-sections.js";
import { assertApart, assertEntries, assertModesAndRegisters, assertPairs } from "./fits.js";
import type { RuleOf } from "./named.js";
import { compilePlans } from "./plans.js";
import { assemble, placeAt, resolveSite } from "./sites.js";

/** Lays a scenario out. Throws {@link InputError} when it does not fit together. */
export const layOut = (scenario: Scenario, architecture: Architecture, fetch: FetchModel, ruleOf: RuleOf): Layout => {
  const { cpus, patchers } = scenario;
  assertModesAndRegisters(scenario, architecture);
  const sites = scenario.sites.map((site) => resolveSite(site, architecture));
  const siteOf = mapSites(sites);
  const built = compilePlans(scenario, sites, architecture, fetch, ruleOf);
  assertApart(scenario, sites, built.blocks, architecture);
  assertEntries(scenario, sites, built.entries);
  const { text, code, forbidden } = placeCode(scenario, sites, built.blocks, architecture);
  assertPairs(built.pairs, text, architecture);
  const { routines, runs, modes, counts } = placeRoutines(scenario, sites, built.entries, text, code, siteOf);
  const onCpu = placePatchers(patchers, cpus);
  const tasks = counts.reduce((sum, { count }) => sum + count, 0);
  if (tasks > MOST_EXECUTORS)
    throw new InputError(`A scenario has at most ${MOST_EXECUTORS} executors, not ${tasks}.`, {
      place: "executors",
      code: "out-of-range",
    });
  for (const { address, bytes } of [...built.data, ...(scenario.data ?? []), ...literals(sites)]) {
    assertRange("Data", address, bytes.length, "data");
    const code = bytes.findIndex((_, i) => text.has(address + BigInt(i)));
    if (code >= 0)
      throw new InputError(`Data at ${hexAddress(address)} lies over code at ${hexAddress(address + BigInt(code))}.`, {
        place: "data",
        code: "overlap",
      });
  }
  const ofCode = [...siteOf].flatMap(([address, { site }]) => (sites[site]?.data === true ? [] : [address]));
  const lives = divideText(scenario, built.programs, built.mapped, built.stores, text, siteOf);
  const living = [...text.keys()].filter((at) => lives.stretches.some(({ from, to }) => at >= from && at < to));
  const written = new Set([...ofCode, ...storedBytes(built.programs), ...living]);
  const cells = placeCells(written, text, BigInt(fetch.unit));

  const initial = (machine: World): Initial => {
    const task = (code: Context["code"]): Context => ({
      level: "task",
      code,
      masked: false,
      preempts: false,
      marks: [],
    });
    const executors = counts.flatMap(({ routine, count }) =>
      Array.from({ length: count }, () => task(machine.begin(routine))),
    );
    const stacks = Array.from({ length: cpus }, (_, cpu): readonly Context[] => {
      const patcher = onCpu.get(cpu);
      if (patcher !== undefined) return [task(machine.start(patcherProgram(built.programs, patcher), {}, null))];
      const executor = executors.shift();
      return executor === undefined ? [] : [executor];
    });
    if (executors.length > 0 && !machine.preempt) {
      throw new InputError(
        `There are ${executors.length} more executors than free CPUs; without preemption they would never run.`,
        { place: "executors", code: "conflict" },
      );
    }
    return {
      cpus: stacks.map(
        (stack, cpu): CpuState => ({
          boot: cpu === 0,
          stack,
          pending: [],
          stale: {},
          excludes: {},
          fetching: null,
          words: built.cpuWords,
          order: null,
        }),
      ),
      memory: {
        cells: Object.fromEntries(
          [...cells].map(([address, latest]): [string, Cell] => [
            addressKey(address),
            { latest, sinceClean: [], sinceFloor: [] },
          ]),
        ),
        sites: sites.map(() => {
          const site = { from: 0, to: 0, calling: false, published: false };
          return built.traced ? { ...site, traced: [0] } : site;
        }),
        data: Object.fromEntries(
          [...built.data, ...(scenario.data ?? []), ...literals(sites)].flatMap(({ address, bytes }) =>
            bytes.map((byte, i) => [addressKey(address + BigInt(i)), toHex([byte])]),
          ),
        ),
        ...(lives.stretches.length === 0 ? {} : { text: lives.initial }),
      },
      services: { locks: {}, words: built.words, windows: {}, stop: null, disarmed: [] },
      parked: { tasks: executors },
    };
  };
  return {
    sites,
    text,
    code: [...code, ...built.mapped],
    named: namedExits(scenario, sites, architecture),
    meant: new Set([
      ...(scenario.exits ?? []),
      ...[...routines.values()].flat(),
      ...[...runs.values()].flatMap(({ faults }) => (faults === undefined ? [] : [faults])),
    ]),
    written,
    cells,
    siteOf,
    lives,
    forbidden,
    modes,
    routines,
    runs,
    programs: built.programs,
    guards: built.guards,
    readSides: readSidesOf([...built.blocks, ...(scenario.blocks ?? [])], architecture),
    pairs: built.pairs,
    steps: built.steps,
    plans: built.plans,
    counting: built.counting,
    initial,
  };
};

/** What the sites of data hold at first. */
const literals = (sites: readonly ResolvedSite[]): readonly DataBlock[] =>
  sites.flatMap(({ data, address, versions }) => (data ? [{ address, bytes: versions[0].bytes }] : []));

const mapSites = (sites: readonly ResolvedSite[]): Layout["siteOf"] => {
  const siteOf = new Map<bigint, { readonly site: number; readonly offset: number }>();
  sites.forEach((site, index) => {
    for (let offset = 0; offset < site.length; offset++) {
      const address = site.address + BigInt(offset);
      const other = siteOf.get(address);
      if (other !== undefined) {
        throw new InputError(
          `The sites at ${hexAddress(sites[other.site]?.address ?? 0n)} and ${hexAddress(site.address)} overlap at ${hexAddress(address)}.`,
          { place: "sites", code: "overlap" },
        );
      }
      siteOf.set(address, { site: index, offset });
    }
  });
  return siteOf;
};

const placeCode = (
  scenario: Scenario,
  sites: readonly ResolvedSite[],
  ofStrategies: readonly CodeBlock[],
  architecture: Architecture,
): Pick<Layout, "text" | "code" | "forbidden"> => {
  const text = new Map<bigint, number>();
  const code: PlacedCode[] = [];
  const forbidden = new Map<bigint, string>();
  const place = (address: bigint, bytes: Bytes, why?: string): void => {
    assertRange("Code", address, bytes.length, "sites");
    bytes.forEach((byte, i) => {
      const at = address + BigInt(i);
      text.set(at, byte);
      if (why === undefined) forbidden.delete(at);
      else forbidden.set(at, why);
    });
  };
  const placeAlone = (address: bigint, written: Code, mode: string, why?: string): void => {
    const placed = placeAt(written, address, mode, address, architecture);
    place(address, placed.bytes, why);
    code.push(placed);
  };
  const placeBlock = (block: CodeBlock): void =>
    placeAlone(block.address, block.code, block.mode ?? "", block.forbidden);
  for (const { callees } of sites)
    for (const { address, mode } of callees) placeAlone(address, architecture.returns, mode);
  for (const block of ofStrategies) placeBlock(block);
  for (const site of sites) place(site.after.address, site.after.bytes);
  for (const block of scenario.blocks ?? []) placeBlock(block);
  for (const { data, address, mode, versions, after } of sites) {
    if (data) continue;
    place(address, versions[0].bytes);
    for (const { bytes, instructions } of versions) {
      const starts = [
        ...instructions.map(({ offset }) => offset),
        ...after.starts.map((start) => bytes.length + start),
      ];
      code.push({ address, bytes: [...bytes, ...after.bytes], mode, starts });
    }
  }
  for (const address of text.keys()) {
    if (address >= STACK_BOTTOM && address <= HOME) {
      throw new InputError(
        `Code at ${hexAddress(address)} lies in ${hexAddress(STACK_BOTTOM)} to ${hexAddress(HOME)}, which the machine keeps for stacks.`,
        { place: "sites", code: "overlap" },
      );
    }
  }
  return { text, code, forbidden };
};

/** Bytes of a word of data that holds an address. */
const WORDS: readonly number[] = [4, 8];

/** The default targets of sites, the addresses that words of data hold that are sites, and what the scenario names itself. */
const namedExits = (
  { exits = [] }: Scenario,
  sites: readonly ResolvedSite[],
  { reach }: Architecture,
): Layout["named"] => {
  const ofSites = sites.flatMap(({ address, data, versions }) => [
    address + BigInt(reach.target),
    address + BigInt(reach.callee),
    ...(data ? versions.flatMap(({ bytes }) => WORDS.flatMap((size) => wordsOf(bytes, size))) : []),
  ]);
  return new Set([...ofSites, ...exits]);
};

const wordsOf = (bytes: Bytes, size: number): readonly bigint[] =>
  Array.from({ length: Math.floor(bytes.length / size) }, (_, i) =>
    bytes.slice(size * i, size * (i + 1)).reduceRight((value, byte) => 256n * value + BigInt(byte), 0n),
  );

const readSidesOf = (blocks: readonly CodeBlock[], architecture: Architecture): readonly ReadSide[] =>
  blocks.flatMap(({ address, code, mode = "", readSide }) => {
    if (readSide === undefined) return [];
    const flavour = readFlavour(readSide === true ? "rcu" : readSide, "blocks");
    const { length } = assemble(code, address, mode, address, architecture);
    return [{ from: address, to: address + BigInt(length), section: sectionAt(flavour, address) }];
  });

const storedBytes = (programs: ReadonlyMap<string, CompiledProgram>): readonly bigint[] =>
  [...programs.values()].flatMap(({ code }) =>
    code.flatMap((entry) => {
      if (entry.kind !== "op" || entry.op !== "store") return [];
      const { address, bytes } = entry.args;
      return Array.from({ length: bytes.length / 2 }, (_, i) => address + BigInt(i));
    }),
  );

const placeCells = (
  written: ReadonlySet<bigint>,
  text: ReadonlyMap<bigint, number>,
  unit: bigint,
): ReadonlyMap<bigint, string> => {
  const bases = [...new Set([...written].map((address) => address - (address % unit)))].sort((a, b) =>
    a < b ? -1 : 1,
  );
  return new Map(
    bases.map((base) => [base, toHex(Array.from({ length: Number(unit) }, (_, i) => text.get(base + BigInt(i)) ?? 0))]),
  );
};

const placeRoutines = (
  scenario: Scenario,
  sites: readonly ResolvedSite[],
  ofStrategies: readonly bigint[],
  text: ReadonlyMap<bigint, number>,
  code: readonly PlacedCode[],
  siteOf: Layout["siteOf"],
) => {
  const ofCode = sites.flatMap(({ data, address }) => (data ? [] : [address]));
  const byDefault = ofStrategies.length > 0 ? ofStrategies : ofCode;
  // A CPU that a patcher runs on is another's too where that can be preempted.
  const free = Math.max(scenario.cpus - scenario.patchers.length, scenario.preempt === true ? 1 : 0);
  const executors = scenario.executors ?? [{}];
  const routines = new Map<string, readonly bigint[]>();
  const runs = new Map<string, Pick<Executor, "once" | "registers" | "faults">>();
  const counts = executors.map((executor, i) => {
    const routine = executors.length === 1 ? "executor" : `executor ${i}`;
    const entries = executor.entries ?? byDefault;
    for (const entry of entries) {
      if (!text.has(entry))
        throw new InputError(`No code lies at ${hexAddress(entry)}, where an executor starts.`, {
          place: "executors",
          code: "no-code",
        });
    }
    routines.set(routine, entries);
    runs.set(routine, executor);
    return { routine, count: executor.count ?? free };
  });
  const entries = [...new Set([...routines.values()].flat())];
  for (const level of ["irq", "nmi"] as const) routines.set(level, handlerEntries(scenario, level, text) ?? entries);
  const all = new Set([...routines.values()].flat());
  const modes = new Map(
    [...all].map((entry) => [entry, modeAt(entry, code, sites[siteOf.get(entry)?.site ?? -1]?.mode)]),
  );
  return { routines, runs, modes, counts };
};

/** Where the scenario says that the machine code of an interrupt's handler starts; undefined where it does not. */
const handlerEntries = (
  { interrupts = {} }: Scenario,
  level: "irq" | "nmi",
  text: ReadonlyMap<bigint, number>,
): readonly bigint[] | undefined => {
  const handler = interrupts[level];
  if (typeof handler !== "object" || handler.entries === undefined) return undefined;
  const place = `interrupts.${level}`;
  if (handler.notrace === true)
    throw new InputError("A handler that calls nothing that is patched has no machine code, so no entries.", {
      place,
      code: "conflict",
    });
  for (const entry of handler.entries)
    if (!text.has(entry))
      throw new InputError(`No code lies at ${hexAddress(entry)}, where a handler starts.`, { place, code: "no-code" });
  return handler.entries;
};

/** The mode of the code that has an instruction at an address; of two the one that is written first. */
const modeAt = (address: bigint, code: readonly PlacedCode[], modeOfSite: string | undefined): string =>
  modeOfSite ??
  code.find((piece) => piece.starts.includes(Number(address - piece.address)))?.mode ??
  code.find((piece) => address >= piece.address && address < piece.address + BigInt(piece.bytes.length))?.mode ??
  "";

const placePatchers = (patchers: readonly Patcher[], cpus: number): ReadonlyMap<number, number> => {
  const onCpu = new Map<number, number>();
  patchers.forEach((patcher, index) => {
    const cpu = patcher.cpu ?? index;
    if (cpu >= cpus)
      throw new InputError(`Patcher ${index} needs CPU ${cpu}, but there are ${cpus}.`, {
        place: "cpus",
        code: "out-of-range",
      });
    if (onCpu.has(cpu))
      throw new InputError(`Patchers ${onCpu.get(cpu)} and ${index} are on the same CPU ${cpu}.`, {
        place: "patchers",
        code: "conflict",
      });
    onCpu.set(cpu, index);
  });
  return onCpu;
};
