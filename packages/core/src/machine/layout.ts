import type { Architecture } from "../architecture.js";
import type { Bytes, Data } from "../data.js";
import { InputError } from "../errors.js";
import type { FetchModel } from "../fetch-model.js";
import { fromHex, toHex } from "../hex.js";
import { keyOf, same } from "../key.js";
import { type CompiledProgram, Compiler } from "../program/compile.js";
import { dropLines, type Line, lineIds } from "../program/program.js";
import type { Patcher, Scenario } from "../scenario.js";
import { addressKey, type Cell, type Context, type CpuState } from "../state.js";
import { type Flip, isImpossible } from "../strategy.js";
import type { Initial, Machine } from "./machine.js";
import { assemble, type ResolvedSite, resolveSite } from "./sites.js";
import { trapProgram } from "./traps.js";

/** The address to which a routine returns: its task stands at home again. No code lies here. */
export const HOME = 0x7ff8_0000n;
/** The stack of every context of machine code grows down from here; it is the context's own. */
export const STACK_TOP = 0x7ff0_0000n;
/** The lowest address of a context's stack. */
export const STACK_BOTTOM = 0x7fe0_0000n;

/** A scenario laid out: where its code lies, what its programs are compiled to, and the state it starts in. */
export type Layout = {
  readonly sites: readonly ResolvedSite[];
  /** Bytes of code that no program writes, by address. */
  readonly text: ReadonlyMap<bigint, number>;
  /** Addresses of bytes that some program may write: those of the sites and of every store. */
  readonly written: ReadonlySet<bigint>;
  /** Addresses of the cells that programs write, with their first values. */
  readonly cells: ReadonlyMap<bigint, string>;
  readonly siteOf: ReadonlyMap<bigint, { readonly site: number; readonly offset: number }>;
  /** Decoder modes of entries. */
  readonly modes: ReadonlyMap<bigint, string>;
  /** Entries by routine. */
  readonly routines: ReadonlyMap<string, readonly bigint[]>;
  readonly programs: ReadonlyMap<string, CompiledProgram>;
  /** Ids of the steps by patcher, as they are written. */
  readonly steps: readonly (readonly string[])[];
  initial(machine: Machine): Initial;
};

const hex = (address: bigint): string => `0x${address.toString(16)}`;

/** Lays a scenario out. Throws {@link InputError} when it does not fit together. */
export const layOut = (scenario: Scenario, architecture: Architecture, fetch: FetchModel): Layout => {
  const { cpus, patchers } = scenario;
  if (!Number.isInteger(cpus) || cpus < 1 || cpus > 64)
    throw new InputError(`A scenario has 1 to 64 CPUs, not ${cpus}.`, { place: "cpus" });
  if (scenario.sites.length === 0) throw new InputError("A scenario needs at least one site.", { place: "sites" });
  const sites = scenario.sites.map((site) => resolveSite(site, architecture));
  const siteOf = mapSites(sites);
  const text = placeCode(scenario, sites, architecture);
  const { routines, modes, counts } = placeRoutines(scenario, sites, text, siteOf);
  const onCpu = placePatchers(patchers, cpus);
  const built = compile(scenario, sites, architecture, fetch);
  const written = new Set([...siteOf.keys(), ...storedBytes(built.programs)]);
  const cells = placeCells(written, text, BigInt(fetch.unit));

  const initial = (machine: Machine): Initial => {
    const task = (code: Context["code"]): Context => ({
      level: "task",
      code,
      masked: false,
      preempts: false,
      marks: [],
    });
    const executors = counts.flatMap(({ routine, count }) =>
      Array.from({ length: count }, () => task(machine.home(routine))),
    );
    const stacks = Array.from({ length: cpus }, (_, cpu): readonly Context[] => {
      const patcher = onCpu.get(cpu);
      if (patcher !== undefined) return [task(machine.start(patcherProgram(patcher), {}, null))];
      const executor = executors.shift();
      return executor === undefined ? [] : [executor];
    });
    if (executors.length > 0 && !machine.preempt) {
      throw new InputError(
        `There are ${executors.length} more executors than free CPUs; without preemption they would never run.`,
        { place: "executors" },
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
        sites: sites.map(() => ({ from: 0, to: 0, calling: false, published: false })),
        data: {},
      },
      services: { locks: {}, words: built.words, windows: {}, stop: null, disarmed: [] },
      parked: { tasks: executors },
    };
  };
  return {
    sites,
    text,
    written,
    cells,
    siteOf,
    modes,
    routines,
    programs: built.programs,
    steps: built.steps,
    initial,
  };
};

/** The program of a patcher, by its index. */
export const patcherProgram = (patcher: number): string => `patcher ${patcher}`;

const mapSites = (sites: readonly ResolvedSite[]): Layout["siteOf"] => {
  const siteOf = new Map<bigint, { readonly site: number; readonly offset: number }>();
  sites.forEach((site, index) => {
    for (let offset = 0; offset < site.length; offset++) {
      const address = site.address + BigInt(offset);
      const other = siteOf.get(address);
      if (other !== undefined) {
        throw new InputError(
          `The sites at ${hex(sites[other.site]?.address ?? 0n)} and ${hex(site.address)} overlap at ${hex(address)}.`,
          { place: "sites" },
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
  architecture: Architecture,
): ReadonlyMap<bigint, number> => {
  const text = new Map<bigint, number>();
  const place = (address: bigint, bytes: Bytes): void => {
    bytes.forEach((byte, i) => {
      text.set(address + BigInt(i), byte);
    });
  };
  const returns = (address: bigint, mode: string): Bytes =>
    assemble(architecture.returns, address, mode, address, architecture);
  for (const site of sites) for (const callee of site.callees) place(callee, returns(callee, site.mode));
  for (const site of sites) place(site.address + BigInt(site.length), site.after);
  for (const block of scenario.blocks ?? [])
    place(block.address, assemble(block.code, block.address, block.mode ?? "", block.address, architecture));
  for (const site of sites) place(site.address, site.versions[0].bytes);
  for (const address of text.keys()) {
    if (address >= STACK_BOTTOM && address <= HOME) {
      throw new InputError(
        `Code at ${hex(address)} lies in ${hex(STACK_BOTTOM)} to ${hex(HOME)}, which the machine keeps for stacks.`,
        { place: "sites" },
      );
    }
  }
  return text;
};

const storedBytes = (programs: ReadonlyMap<string, CompiledProgram>): readonly bigint[] =>
  [...programs.values()].flatMap(({ code }) =>
    code.flatMap((entry) => {
      if (entry.kind !== "op" || entry.op !== "store") return [];
      const { address, bytes } = entry.args as { readonly address: bigint; readonly bytes: string };
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
  text: ReadonlyMap<bigint, number>,
  siteOf: Layout["siteOf"],
) => {
  const atSites = sites.map((site) => site.address);
  const free = scenario.cpus - scenario.patchers.length;
  const executors = scenario.executors ?? [{}];
  const routines = new Map<string, readonly bigint[]>();
  const counts = executors.map((executor, i) => {
    const routine = executors.length === 1 ? "executor" : `executor ${i}`;
    const entries = executor.entries ?? atSites;
    for (const entry of entries) {
      if (!text.has(entry))
        throw new InputError(`No code lies at ${hex(entry)}, where an executor starts.`, { place: "executors" });
    }
    routines.set(routine, entries);
    return { routine, count: executor.count ?? Math.max(free, 0) };
  });
  const entries = [...new Set([...routines.values()].flat())];
  routines.set("irq", entries);
  routines.set("nmi", entries);
  const modes = new Map(entries.map((entry) => [entry, modeAt(entry, scenario, sites, siteOf)]));
  return { routines, modes, counts };
};

const modeAt = (
  address: bigint,
  scenario: Scenario,
  sites: readonly ResolvedSite[],
  siteOf: Layout["siteOf"],
): string => {
  const site = siteOf.get(address);
  if (site !== undefined) return sites[site.site]?.mode ?? "";
  return scenario.blocks?.find((block) => block.address === address)?.mode ?? "";
};

const placePatchers = (patchers: readonly Patcher[], cpus: number): ReadonlyMap<number, number> => {
  const onCpu = new Map<number, number>();
  patchers.forEach((patcher, index) => {
    const cpu = patcher.cpu ?? index;
    if (cpu >= cpus)
      throw new InputError(`Patcher ${index} needs CPU ${cpu}, but there are ${cpus}.`, { place: "cpus" });
    if (onCpu.has(cpu))
      throw new InputError(`Patchers ${onCpu.get(cpu)} and ${index} are on the same CPU ${cpu}.`, {
        place: "patchers",
      });
    onCpu.set(cpu, index);
  });
  return onCpu;
};

/** Cuts a store by the width of its accesses, and each access by the fetch model's unit. */
const cutBy =
  (unit: number) =>
  (address: bigint, bytes: string, width: number): readonly (readonly [bigint, string])[] => {
    const pieces: (readonly [bigint, string])[] = [];
    const all = fromHex(bytes);
    for (let at = 0; at < all.length; ) {
      const here = address + BigInt(at);
      const size = Math.min(width - (at % width), unit - Number(here % BigInt(unit)), all.length - at);
      pieces.push([here, toHex(all.slice(at, at + size))]);
      at += size;
    }
    return pieces;
  };

const compile = (scenario: Scenario, sites: readonly ResolvedSite[], architecture: Architecture, fetch: FetchModel) => {
  const compiler = new Compiler(cutBy(fetch.unit));
  const words: { [name: string]: Data } = {};
  const cpuWords: { [name: string]: Data } = {};
  const handlers = new Map<string, Line[][]>();
  const steps = scenario.patchers.map((patcher, index) => {
    const { strategy } = patcher;
    if (strategy.architectures !== "any" && !strategy.architectures.includes(architecture.id)) {
      throw new InputError(
        `The strategy ${strategy.id} is for ${strategy.architectures.join(", ")}, not for ${architecture.id}.`,
        { place: "strategy" },
      );
    }
    if (patcher.flips !== "forever" && (!Number.isInteger(patcher.flips) || patcher.flips < 1)) {
      throw new InputError(`A patcher makes 1 or more flips, not ${patcher.flips}.`, { place: "flips" });
    }
    for (const site of patcher.sites) {
      if (sites[site] === undefined)
        throw new InputError(`Patcher ${index} names site ${site}, but there are ${sites.length}.`, {
          place: "patchers",
        });
    }
    const ids = new Set<string>();
    const drop = new Set(patcher.drop ?? []);
    const main: Line[] = [];
    const flips = patcher.flips === "forever" ? 2 : patcher.flips;
    for (let flip = 0; flip < flips; flip++) {
      const to = flip % 2 === 0 ? 1 : 0;
      const planned = strategy.plan(flipOf(patcher, sites, to), {
        instructionSet: architecture.instructionSet,
        mode: sites[patcher.sites[0] ?? 0]?.mode ?? "",
      });
      if (isImpossible(planned)) {
        const back = to === 0 ? " on the way back (flip 2; ask for 1 flip to leave it out)" : "";
        throw new InputError(`The strategy ${strategy.id} cannot do this${back}: ${planned.impossible}`, {
          place: "site",
        });
      }
      for (const id of lineIds([...planned.main, ...Object.values(planned.traps ?? {}).flat()])) ids.add(id);
      const call = (op: string): Line => ({ id: op, op, args: { sites: patcher.sites, to } });
      main.push(call("beginCall"), ...aboutSites(dropLines(planned.main, drop), patcher.sites), call("returnCall"));
      for (const [vector, lines] of Object.entries(planned.traps ?? {})) {
        const list = handlers.get(vector) ?? [];
        const kept = [...dropLines(lines, drop)];
        if (!list.some((other) => keyOf(other as unknown as Data) === keyOf(kept as unknown as Data))) list.push(kept);
        handlers.set(vector, list);
      }
      declare(words, planned.words ?? {}, strategy.id);
      declare(cpuWords, planned.cpuWords ?? {}, strategy.id);
    }
    for (const id of drop) {
      if (!ids.has(id))
        throw new InputError(`The strategy ${strategy.id} has no step ${id}; its steps are ${[...ids].join(", ")}.`, {
          place: "drop",
        });
    }
    compiler.add(patcherProgram(index), patcherProgram(index), main, { forever: patcher.flips === "forever" });
    return [...ids].filter((id) => !drop.has(id));
  });
  for (const [vector, chain] of handlers) compiler.addChain(trapProgram(vector), chain);
  return { programs: compiler.programs, words, cpuWords, steps };
};

/** Steps that speak of the call's sites get to know them. */
const aboutSites = (lines: readonly Line[], sites: readonly number[]): readonly Line[] =>
  lines.map((line) => ("op" in line && line.op === "publish" ? { ...line, args: { sites } } : line));

const flipOf = (patcher: Patcher, sites: readonly ResolvedSite[], to: 0 | 1): Flip => ({
  sites: patcher.sites.map((index) => {
    const site = sites[index] as ResolvedSite;
    return { address: site.address, old: site.versions[to === 1 ? 0 : 1].bytes, next: site.versions[to].bytes };
  }),
});

const declare = (
  words: { [name: string]: Data },
  declared: { readonly [name: string]: Data },
  strategy: string,
): void => {
  for (const [name, value] of Object.entries(declared)) {
    if (name in words && !same(words[name], value)) {
      throw new InputError(
        `The strategy ${strategy} declares the word ${name} with another initial value than its neighbour.`,
        { place: "patchers" },
      );
    }
    words[name] = value;
  }
};
