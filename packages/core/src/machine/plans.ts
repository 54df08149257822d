import type { Data } from "../base/data.js";
import { InputError } from "../base/errors.js";
import { toHex } from "../base/hex.js";
import { keyOf, same } from "../base/key.js";
import { assertNesting } from "../base/maxima.js";
import type { Architecture } from "../contract/architecture.js";
import type { FetchModel } from "../contract/fetch-model.js";
import type { ResolvedSite } from "../contract/layout.js";
import type { Addition, CompiledStep, Line, Pair, PatchProgram, Step } from "../contract/program.js";
import type { CodeBlock, DataBlock, Patcher, Scenario } from "../contract/scenario.js";
import { type Flip, isImpossible } from "../contract/strategy.js";
import { storesOf } from "../memory/pieces.js";
import { Compiler } from "../program/compile.js";
import { addLines, dropLines, isStep, lineIds, nested } from "../program/lines.js";
import { guardKey } from "../program/reserved.js";
import { plannedSchema } from "../schema/program.js";
import { assertFits } from "../schema/schema.js";
import { assertNamed, type Planned, type RuleOf } from "./named.js";
import { assemble, placeAt } from "./sites.js";

/** Asks every patcher's strategy for its programs and compiles them together with the trap handlers. */
export const compilePlans = (
  scenario: Scenario,
  sites: readonly ResolvedSite[],
  architecture: Architecture,
  fetch: FetchModel,
  ruleOf: RuleOf,
) => {
  const compiler = new Compiler(storesOf(architecture, fetch), (code, address, mode) =>
    placeAt(code, address, mode, address, architecture),
  );
  const words = new Map<string, Data>();
  const cpuWords = new Map<string, Data>();
  const guards = new Set<string>();
  const blocks: CodeBlock[] = [];
  const data: DataBlock[] = [];
  const entries: bigint[] = [];
  const pairs = new Map<bigint, Pair>();
  const handlers = new Map<string, Line[][]>();
  const named: Planned[] = [];
  let traced = false;
  const counting = new Set<string>();
  const plans = scenario.patchers.map((): PatchProgram[] => []);
  const steps = scenario.patchers.map((patcher, index) => {
    const { strategy } = patcher;
    if (strategy.architectures !== "any" && !strategy.architectures.includes(architecture.id)) {
      throw new InputError(
        `The strategy ${strategy.id} is for ${strategy.architectures.join(", ")}, not for ${architecture.id}.`,
        { place: "strategy", code: "conflict" },
      );
    }
    for (const site of patcher.sites) {
      if (sites[site] === undefined)
        throw new InputError(`Patcher ${index} names site ${site}, but there are ${sites.length}.`, {
          place: "patchers",
          code: "out-of-range",
        });
    }
    const ids = new Set<string>();
    const kept = new Set<string>();
    const drop = new Set(patcher.drop ?? []);
    const { add = [] } = patcher;
    const edit = (lines: readonly Line[]): readonly Line[] => dropLines(addLines(lines, add), drop);
    const bodies: (readonly (Line | CompiledStep)[])[] = [];
    const flips = patcher.flips === "forever" ? 2 : patcher.flips;
    // There and back: the third flip is planned as the first.
    for (let flip = 0; flip < Math.min(flips, 2); flip++) {
      const to = flip % 2 === 0 ? 1 : 0;
      const planned = strategy.plan(flipOf(patcher, sites, to), {
        instructionSet: architecture.instructionSet,
        mode: sites[patcher.sites[0] ?? 0]?.mode ?? "",
        get cpus() {
          counting.add(strategy.id);
          return scenario.cpus;
        },
        reports: fetch.reports,
      });
      assertNesting(planned, `What the strategy ${strategy.id} plans`, "strategy");
      assertFits(plannedSchema, planned, "program", { words: `The strategy ${strategy.id}` });
      if (isImpossible(planned)) {
        const back = to === 0 ? " on the way back (flip 2; ask for 1 flip to leave it out)" : "";
        throw new InputError(`The strategy ${strategy.id} cannot do this${back}: ${planned.impossible}`, {
          place: "site",
          code: "impossible",
        });
      }
      for (const id of lineIds([...planned.main, ...Object.values(planned.traps ?? {}).flat()])) ids.add(id);
      // A decoder listens though the event be left out.
      traced ||= publishes(planned.main);
      const call = (op: "beginCall" | "returnCall"): CompiledStep => ({
        id: op,
        op,
        args: { sites: patcher.sites, to },
      });
      const first = add.filter(({ after }) => after === null).map(({ line }) => line);
      const edited: PatchProgram = {
        ...planned,
        main: [...first, ...edit(planned.main)],
        traps: Object.fromEntries(Object.entries(planned.traps ?? {}).map(([vector, lines]) => [vector, edit(lines)])),
      };
      plans[index]?.push(edited);
      const beside = "what a program writes beside them it declares in around.writes";
      assertStores(edited, flipOf(patcher, sites, to), strategy.id, `the sites of its flip; ${beside}`, architecture);
      named.push({ of: `the strategy ${strategy.id}`, program: edited });
      for (const id of lineIds([...edited.main, ...Object.values(edited.traps ?? {}).flat()])) kept.add(id);
      bodies.push([call("beginCall"), ...aboutSites(edited.main, patcher.sites), call("returnCall")]);
      for (const [vector, lines] of Object.entries(edited.traps ?? {})) {
        const list = handlers.get(vector) ?? [];
        if (!list.some((other) => keyOf(other) === keyOf(lines))) list.push([...lines]);
        handlers.set(vector, list);
      }
      for (const { address, bytes } of planned.guards ?? []) {
        if (!sites.some((site) => address >= site.address && address < site.address + BigInt(site.length)))
          throw new InputError(
            `The strategy ${strategy.id}: program.guards names 0x${address.toString(16)}, where no site lies.`,
            { place: "program.guards", code: "no-code" },
          );
        guards.add(guardKey(address, toHex(bytes)));
      }
      blocks.push(...(planned.around?.blocks ?? []));
      // What memory holds at first is the first flip's to say.
      for (const each of planned.around?.data ?? [])
        if (!data.some(({ address }) => address === each.address)) data.push(each);
      entries.push(...(planned.around?.entries ?? []));
      for (const pair of planned.pairs ?? []) {
        const published = [...(pairs.get(pair.at)?.published ?? []), ...pair.published];
        pairs.set(pair.at, { ...pair, published });
      }
      declare(words, planned.words ?? {}, `The strategy ${strategy.id}`);
      declare(cpuWords, planned.cpuWords ?? {}, `The strategy ${strategy.id}`);
    }
    for (const id of drop) {
      if (!ids.has(id))
        throw new InputError(`The strategy ${strategy.id} has no step ${id}; its steps are ${[...ids].join(", ")}.`, {
          place: "drop",
          code: "unknown-name",
        });
    }
    for (const addition of add) assertAdded(addition, ids, kept, strategy.id);
    const name = `patcher ${index}`;
    const main = Array.from({ length: flips }, (_, flip) => bodies[flip % 2] ?? []).flat();
    compiler.add(name, { is: "patcher", patcher: index }, name, main, { forever: patcher.flips === "forever" });
    return [...kept];
  });
  const ends: { [vector: string]: "callPatched" | undefined } = {
    irq: "callPatched",
    nmi: "callPatched",
    switch: undefined,
  };
  for (const level of ["irq", "nmi"] as const) {
    const handler = scenario.interrupts?.[level];
    if (typeof handler !== "object") continue;
    const { program = [], notrace, words: own = {} } = handler;
    if (program.length > 0 || notrace === true) handlers.set(level, [...(handlers.get(level) ?? []), [...program]]);
    if (notrace === true) ends[level] = undefined;
    declare(words, own, `The handler of the ${level}`);
    const writes = (scenario.text ?? []).filter(({ access }) => access.includes("w"));
    const beside = "what it writes beside them is declared as writable text";
    assertStores(
      { main: program, around: { writes } },
      { sites: sites.map(({ address, versions: [old, next] }) => ({ address, old: old.bytes, next: next.bytes })) },
      `the handler of the ${level}`,
      `the sites; ${beside}`,
      architecture,
    );
    named.push({ of: `the handler of the ${level}`, program: { main: program, words: own } });
  }
  assertNamed(named, architecture, ruleOf);
  for (const [vector, chain] of handlers) {
    compiler.addChain(vector, chain, Object.hasOwn(ends, vector) ? ends[vector] : "unclaimed");
  }
  return {
    programs: compiler.programs,
    mapped: compiler.mapped,
    stores: compiler.stored,
    words: Object.fromEntries(words),
    cpuWords: Object.fromEntries(cpuWords),
    guards,
    blocks,
    data,
    entries: [...new Set(entries)],
    pairs,
    traced,
    steps,
    plans,
    counting,
  };
};

type Range = { readonly address: bigint; readonly size: number };

/**
 * Throws {@link InputError} where a step stores outside of the sites of its flip and of what the program declares around them. What a step
 * stores to is known before any run. `outside` ends the sentence: of what, and how to declare what lies beside that.
 */
const assertStores = (
  program: PatchProgram,
  flip: Flip,
  whose: string,
  outside: string,
  architecture: Architecture,
): void => {
  const { main, traps = {}, around = {} } = program;
  const steps = stepsIn([...main, ...Object.values(traps).flat()]);
  const { blocks = [], data = [], writes = [] } = around;
  const sizeOf = ({ address, code, mode = "" }: Pick<CodeBlock, "address" | "code" | "mode">): Range => ({
    address,
    size: assemble(code, address, mode, address, architecture).length,
  });
  const own: readonly Range[] = [
    ...flip.sites.map(({ address, next }) => ({ address, size: next.length })),
    ...blocks.map(sizeOf),
    ...data.map(({ address, bytes }) => ({ address, size: bytes.length })),
    ...writes,
    ...steps.flatMap(({ op, args }) => (op === "mapCode" ? [sizeOf(args)] : [])),
  ];
  for (const { id, op, args } of steps) {
    if (op !== "store") continue;
    const { address, bytes } = args;
    const stray = Array.from({ length: bytes.length / 2 }, (_, i) => address + BigInt(i)).find(
      (at) => !own.some((range) => at >= range.address && at < range.address + BigInt(range.size)),
    );
    if (stray === undefined) continue;
    throw new InputError(`The step ${id} of ${whose} stores code at 0x${stray.toString(16)}, outside of ${outside}.`, {
      place: id,
      code: "undeclared",
    });
  }
};

const stepsIn = (lines: readonly Line[]): readonly Step[] =>
  lines.flatMap((line) => [...(isStep(line) ? [line] : []), ...stepsIn(nested(line))]);

/** Whether lines publish text-poke events. */
const publishes = (lines: readonly Line[]): boolean =>
  lines.some((line) => (isStep(line) && line.op === "publishEvent") || publishes(nested(line)));

/** Throws {@link InputError} unless an addition has a place among the lines `ids` of a strategy, and was put there. */
const assertAdded = (
  { after, inside, line }: Addition,
  ids: ReadonlySet<string>,
  kept: ReadonlySet<string>,
  strategy: string,
): void => {
  const fail = (why: string): never => {
    throw new InputError(`${line.id} cannot be added to the strategy ${strategy}: ${why}.`, {
      place: "add",
      code: "conflict",
    });
  };
  if (ids.has(line.id)) fail("it has a step of this name itself");
  if (after !== null && !ids.has(after)) fail(`it has no step ${after}; its steps are ${[...ids].join(", ")}`);
  if (kept.has(line.id)) return;
  fail(
    inside === undefined
      ? `the lines that hold ${after} are left out`
      : `the step ${after} is left out, or has no ${inside} to put it into`,
  );
};

/** Steps that speak of the call's sites get to know them. */
const aboutSites = (lines: readonly Line[], sites: readonly number[]): readonly (Line | CompiledStep)[] =>
  lines.map((line) => ("op" in line && line.op === "publish" ? { ...line, op: line.op, args: { sites } } : line));

const flipOf = (patcher: Patcher, sites: readonly ResolvedSite[], to: 0 | 1): Flip => ({
  sites: patcher.sites.map((index) => {
    const site = sites[index] as ResolvedSite;
    return { address: site.address, old: site.versions[to === 1 ? 0 : 1].bytes, next: site.versions[to].bytes };
  }),
});

const declare = (words: Map<string, Data>, declared: { readonly [name: string]: Data }, who: string): void => {
  for (const [name, value] of Object.entries(declared)) {
    if (words.has(name) && !same(words.get(name), value)) {
      throw new InputError(`${who} declares the word ${name} with another initial value than its neighbour.`, {
        place: "patchers",
        code: "conflict",
      });
    }
    words.set(name, value);
  }
};
