import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { StateGraph } from "../../../tooling/oracle/graph.js";
import { Steps } from "../src/explorer/steps.js";
import { ColumnSteps } from "../src/explorer/symbolic/column-steps.js";
import { Diagrams, NONE } from "../src/explorer/symbolic/diagrams.js";
import { neverReaching, statesWhere } from "../src/explorer/symbolic/finishing.js";
import { reachableFrom } from "../src/explorer/symbolic/reachable.js";
import { Space, type StateSets } from "../src/explorer/symbolic/space.js";
import { createSimulation, type Machine } from "../src/index.js";
import { toy } from "./toy/architecture.js";
import { randomProtocol } from "./toy/random.js";

const LENGTH = 3;
const vectors = fc.array(fc.array(fc.integer({ min: 0, max: 5 }), { minLength: LENGTH, maxLength: LENGTH }), {
  maxLength: 12,
});

const setOf = (diagrams: Diagrams, list: readonly (readonly number[])[]): number =>
  list.reduce((set, vector) => diagrams.union(set, diagrams.vector(vector)), NONE);

const told = (diagrams: Diagrams, set: number): readonly string[] =>
  [...diagrams.vectors(set)].map((vector) => vector.join()).sort();

const texts = (list: readonly (readonly number[])[]): readonly string[] =>
  [...new Set(list.map((vector) => vector.join()))].sort();

describe("diagrams are sets of vectors", () => {
  it("with union, difference and what is common; equal sets have equal numbers", () => {
    fc.assert(
      fc.property(vectors, vectors, (a, b) => {
        const diagrams = new Diagrams();
        const [first, second] = [setOf(diagrams, a), setOf(diagrams, b)];
        const [inA, inB] = [texts(a), texts(b)];
        expect(told(diagrams, first)).toEqual(inA);
        expect(told(diagrams, diagrams.union(first, second))).toEqual(texts([...a, ...b]));
        expect(told(diagrams, diagrams.minus(first, second))).toEqual(inA.filter((each) => !inB.includes(each)));
        expect(told(diagrams, diagrams.common(first, second))).toEqual(inA.filter((each) => inB.includes(each)));
        expect(diagrams.count(first)).toBe(BigInt(inA.length));
        expect(setOf(diagrams, [...a].reverse())).toBe(first);
        for (const vector of b) expect(diagrams.has(first, vector, 0)).toBe(inA.includes(vector.join()));
      }),
    );
  });

  it("by what their values satisfy", () => {
    fc.assert(
      fc.property(vectors, fc.integer({ min: 0, max: LENGTH - 1 }), (list, place) => {
        const diagrams = new Diagrams();
        const set = setOf(diagrams, list);
        const even = (value: number): boolean => value % 2 === 0;
        const where = (holds: (vector: readonly number[]) => boolean): readonly string[] => texts(list.filter(holds));
        expect(told(diagrams, diagrams.filter(diagrams.operation(), set, even))).toEqual(where((v) => v.every(even)));
        expect(told(diagrams, diagrams.withSome(set, even))).toEqual(where((v) => v.some(even)));
        expect(told(diagrams, diagrams.withAt(diagrams.operation(), set, place, even))).toEqual(
          where((v) => even(v[place] as number)),
        );
      }),
    );
  });

  it("lists of entries may come in any order, and with a value more than once", () => {
    const diagrams = new Diagrams();
    const list = diagrams.list([1, 3, 1], [diagrams.vector([5]), diagrams.vector([6]), diagrams.vector([7])]);
    expect(told(diagrams, list)).toEqual(["1,5", "1,7", "3,6"]);
  });

  it("a list may be longer than any stack", () => {
    const diagrams = new Diagrams();
    const many = (from: number): number =>
      diagrams.list(
        Array.from({ length: 50_000 }, (_, i) => 2 * i + from),
        Array.from({ length: 50_000 }, () => diagrams.vector([1])),
      );
    const [even, odd] = [many(0), many(1)];
    expect(diagrams.count(diagrams.union(even, odd))).toBe(100_000n);
    expect(diagrams.minus(diagrams.union(even, odd), odd)).toBe(even);
    expect(diagrams.common(even, odd)).toBe(NONE);
  });

  it("what is kept survives when the rest is given up, and nothing else does", () => {
    const diagrams = new Diagrams(10);
    const kept = [
      setOf(diagrams, [
        [1, 2, 3],
        [1, 2, 4],
      ]),
    ];
    diagrams.keep(kept);
    for (let i = 0; i < 100; i++) diagrams.vector([i, i, i]);
    const before = diagrams.size;
    diagrams.tidy();
    expect(diagrams.size).toBeLessThan(before / 10);
    expect(told(diagrams, kept[0] as number)).toEqual(["1,2,3", "1,2,4"]);
    expect(
      setOf(diagrams, [
        [1, 2, 4],
        [1, 2, 3],
      ]),
    ).toBe(kept[0]);
    diagrams.release(kept);
    for (let i = 0; i < 100; i++) diagrams.vector([i, i, i]);
    diagrams.tidy();
    expect(diagrams.size).toBe(2);
  });
});

/** Seeds of protocols with few states, also behind what breaks. */
const SEEDS = [5, 10, 21, 22, 25, 28, 29, 36, 38];
const MOST = 1000;

/** How many states a machine has, and how many of them never come to one in which every CPU runs its task, one by one. */
const naively = (machine: Machine): { readonly states: number; readonly never: number } => {
  const graph = new StateGraph(machine, [], MOST);
  const reaches = Array.from({ length: graph.size }, (_, state) =>
    graph.view(state).cpus.every((cpu) => cpu.stack.length === 1),
  );
  for (let changed = true; changed; ) {
    changed = false;
    for (const { from, to } of graph.edges.flat()) {
      if (reaches[from] || !reaches[to]) continue;
      reaches[from] = true;
      changed = true;
    }
  }
  return { states: graph.size, never: reaches.filter((each) => !each).length };
};

describe("the states of a machine as sets", () => {
  it("are those of a naive search, and so are those that never come to something, however often nodes are given up", async () => {
    let some = 0;
    for (const seed of SEEDS) {
      const { scenario, architecture } = randomProtocol(seed);
      const machine = createSimulation({ architecture: toy(architecture) }).machine(scenario);
      const wanted = naively(machine);
      for (const least of [1, 1 << 20]) {
        const steps = new Steps(machine, [], false);
        const space = new Space(new ColumnSteps(steps, 0, false, () => undefined), new Diagrams(least));
        const reached: StateSets = [];
        await reachableFrom(space, space.initial(), reached, async () => undefined);
        expect(space.count(reached), `seed ${seed}, ${least}`).toBe(BigInt(wanted.states));
        const atTask = (part: number): boolean => steps.parts.cpu.value(part).stack.length === 1;
        const goals = statesWhere(space, reached, { shared: () => true, cpu: atTask });
        const never = await neverReaching(space, reached, goals, async () => undefined);
        expect(space.count(never), `seed ${seed}, ${least}`).toBe(BigInt(wanted.never));
      }
      if (wanted.never > 0) some++;
    }
    expect(some).toBeGreaterThan(5);
  });
});
