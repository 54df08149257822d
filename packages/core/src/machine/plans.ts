import type { Architecture } from "../architecture.js";
import type { Data } from "../data.js";
import { InputError } from "../errors.js";
import type { FetchModel } from "../fetch-model.js";
import { fromHex, toHex } from "../hex.js";
import { keyOf, same } from "../key.js";
import { Compiler } from "../program/compile.js";
import { dropLines, type Line, lineIds } from "../program/program.js";
import type { Patcher, Scenario } from "../scenario.js";
import { type Flip, isImpossible } from "../strategy.js";
import { guardKey, patcherProgram, trapProgram } from "./reserved.js";
import type { ResolvedSite } from "./sites.js";

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

/** Asks every patcher's strategy for its programs and compiles them together with the trap handlers. */
export const compilePlans = (
  scenario: Scenario,
  sites: readonly ResolvedSite[],
  architecture: Architecture,
  fetch: FetchModel,
) => {
  const compiler = new Compiler(cutBy(fetch.unit));
  const words: { [name: string]: Data } = {};
  const cpuWords: { [name: string]: Data } = {};
  const guards = new Set<string>();
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
      for (const guard of planned.guards ?? []) guards.add(guardKey(guard.address, toHex(guard.bytes)));
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
  for (const [vector, chain] of handlers) {
    compiler.addChain(trapProgram(vector), chain, vector === "irq" || vector === "nmi" ? "callPatched" : "unclaimed");
  }
  return { programs: compiler.programs, words, cpuWords, guards, steps };
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
