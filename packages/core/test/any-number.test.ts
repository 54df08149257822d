import { describe, expect, it } from "vitest";
import { Steps } from "../src/explorer/steps.js";
import { ColumnSteps } from "../src/explorer/symbolic/column-steps.js";
import { END, NONE } from "../src/explorer/symbolic/diagrams.js";
import { reachableFrom } from "../src/explorer/symbolic/reachable.js";
import { Space, type StateSets } from "../src/explorer/symbolic/space.js";
import { Views } from "../src/explorer/symbolic/views.js";
import { LimitReached } from "../src/explorer/watch.js";
import {
  add,
  assert,
  createSimulation,
  eq,
  type Line,
  load,
  local,
  lt,
  MACHINE,
  ne,
  type PatchStrategy,
  type Plugin,
  rule,
  type Scenario,
  type Step,
  sendIpi,
  step,
  store,
  syncCores,
  type Verdict,
  waitIpi,
} from "../src/index.js";
import { type ToyOptions, toy } from "./toy/architecture.js";
import { randomProtocol } from "./toy/random.js";
import { AT, answer, first, scenario, site, strategy } from "./toy/scenario.js";

const sites = [site("nop", "ret")];

const ask = (of: Scenario, options: ToyOptions = {}, plugins: readonly Plugin[] = []): Promise<Verdict> =>
  createSimulation({ architecture: toy(options), development: true, plugins }).check(of, { cpus: "any" });

/** The answer, about which numbers, whether it is known beyond, and why not. */
const told = (verdict: Verdict): string => {
  const { from, to, beyond, why } = verdict.numbers ?? {};
  return `${answer(verdict)} ${from} to ${to}${beyond ? " and beyond" : ""}${why === null ? "" : `: ${why}`}`;
};

const write: (flip: Parameters<typeof first>[0]) => Step = (flip) =>
  store("store", first(flip).address, first(flip).next);

/** A patch that calls in every other CPU for each of some words, whose handlers count themselves there, and asserts something of these. */
const counting = (words: readonly string[], ...holds: readonly Line[]): PatchStrategy =>
  strategy(
    (flip) => [
      ...words.flatMap((word) => [
        sendIpi(`call-${word}`, [add(`count-${word}`, word, 1)]),
        waitIpi(`called-${word}`, `call-${word}`),
        load(`load-${word}`, word, word),
      ]),
      ...holds,
      write(flip),
    ],
    { program: () => ({ words: Object.fromEntries(words.map((word) => [word, 0])) }) },
  );

const of = (patching: PatchStrategy, more: Partial<Scenario> = {}): Scenario =>
  scenario(patching, { sites, executors: [], ...more });

describe("a bug that needs m executors is found with m and one CPUs", () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])("m = %i", async (m) => {
    const orMore = counting(["n"], assert("few", lt(local("n"), m), "there are too many"));
    expect(told(await ask(of(orMore)))).toBe(`unsafe: assertion 2 to ${m + 1}`);
    const exactly = counting(["n"], assert("other", ne(local("n"), m), "there are just so many"));
    expect(told(await ask(of(exactly)))).toBe(`unsafe: assertion 2 to ${m + 1}`);
  });

  it("one that needs more than are looked at is not called safe", async () => {
    const many = counting(["n"], assert("few", lt(local("n"), 10), "there are too many"));
    expect(told(await ask(of(many)))).toMatch(/^inconclusive 2 to 10: Views .* may break assertion/);
  });
});

const REFUSED = /^inconclusive 2 to 3: /;

describe("what the views do not tell is said", () => {
  it("an alarm that no number confirms is not unsafe", async () => {
    const same = counting(["n", "m"], assert("same", eq(local("n"), local("m")), "one was called twice"));
    expect(told(await ask(of(same)))).toMatch(/^inconclusive 2 to 10: Views of two CPUs .* may break assertion/);
  });

  it("a strategy that plans for a number of CPUs", async () => {
    const plans: PatchStrategy = {
      ...strategy(() => []),
      plan: (flip, { cpus }) => ({ main: cpus === 7 ? [] : [write(flip)] }),
    };
    expect(told(await ask(of(plans)))).toMatch(/^inconclusive 2 to 3: The strategy test asks how many CPUs/);
  });

  it("a rule that asks for the number of CPUs", async () => {
    const ofFour = rule({
      id: "ofFour",
      source: "this test",
      reads: ["cpu"],
      writes: ["cpu"],
      apply: ({ cpu }, _args: Record<string, never>, machine) =>
        machine.cpus === 4 ? [] : [{ set: { cpu: machine.advance(cpu) } }],
    });
    const asks = strategy((flip) => [step("stuck", "ofFour" as never, {} as never), write(flip)], { rules: [ofFour] });
    expect(told(await ask(of(asks)))).toMatch(/^inconclusive 2 to 3: The rule ofFour asks how many CPUs/);
  });

  it("preemption, a machine of a plugin's own, and a question about progress alone", async () => {
    expect(
      told(
        await ask(
          of(
            strategy((flip) => [write(flip)]),
            { preempt: true },
          ),
        ),
      ),
    ).toMatch(/: With preemption /);
    const plain = strategy((flip) => [write(flip)]);
    const simulation = createSimulation({ architecture: toy() });
    const machine = simulation.machine(of(plain));
    const plugin: Plugin = { id: "own", replaces: [MACHINE], install: (binder) => binder.provide(MACHINE, machine) };
    expect(told(await ask(of(plain), {}, [plugin]))).toMatch(/: The plugin own replaces the machine/);
    const alone = of(plain, { properties: ["progress"], executors: [{}] });
    expect(told(await ask(alone))).toMatch(REFUSED);
    expect((await ask(alone)).numbers?.why).toBe("Nothing counts but `progress`, of which views tell nothing.");
  });

  it("a number of executors is refused", async () => {
    await expect(
      ask(
        of(
          strategy((flip) => [write(flip)]),
          { executors: [{ count: 1 }] },
        ),
      ),
    ).rejects.toMatchObject({
      name: "InputError",
      code: "conflict",
      place: "executors[0].count",
    });
  });
});

describe("what nothing breaks is safe with any number", () => {
  const synced = strategy((flip) => [syncCores("before"), write(flip), syncCores("behind")]);

  it("of one patcher, and of two, each with a CPU of its own", async () => {
    expect(told(await ask(of(synced, { executors: [{}] })))).toBe("safe 2 to 3 and beyond");
    const two = of(synced, { sites: [site("nop", "ret"), site("nop", "ret", AT + 16n)] });
    const patchers = [0, 1].map((index) => ({ strategy: synced, sites: [index], flips: 1 }));
    expect(told(await ask({ ...two, patchers }))).toBe("safe 2 to 4 and beyond");
    const far = patchers.map((patcher, index) => ({ ...patcher, cpu: 3 * index }));
    expect(told(await ask({ ...two, patchers: far }))).toBe("safe 4 to 4 and beyond");
  });
});

/** What takes more rounds counts, or is left to the slow tests. */
const ROUNDS = 40;

/** How many views states of a protocol with so many CPUs beside the patchers' have that were not found; undefined where they do not tell. */
const missing = async (seed: number, others: number): Promise<bigint | undefined> => {
  const { scenario: protocol, architecture } = randomProtocol(seed);
  const anchors = protocol.patchers.map((_, index) => index);
  const machine = createSimulation({ architecture: toy(architecture) }).machine({
    ...protocol,
    cpus: anchors.length + others,
  });
  const steps = new Steps(machine, [], false);
  const views = new Views(steps, [], 0);
  let rounds = 0;
  const pause = async (): Promise<void> => {
    if (++rounds > ROUNDS) throw new LimitReached("interrupted");
  };
  const end = await views.explore(anchors, pause).catch(() => undefined);
  if (end?.end !== "closed") return undefined;
  const { diagrams, steps: numbers } = views.space;
  const space = new Space(new ColumnSteps(steps, 0, true, () => undefined), diagrams);
  const reached: StateSets = [];
  await reachableFrom(space, space.initial(), reached, async () => undefined);
  const first = (set: number, columns: number): number => {
    if (columns === 0) return END;
    let list = NONE;
    for (let at = set; at !== NONE; at = diagrams.right(at))
      list = diagrams.union(list, diagrams.node(diagrams.value(at), first(diagrams.down(at), columns - 1), NONE));
    return list;
  };
  return reached.reduce((sum, set, shared) => {
    const { memory, services, parked } = space.steps.parts(shared);
    const found = views.found[numbers.number(memory, services, parked)] ?? NONE;
    // The others of a state come in any order, so that the first two of all states are any two.
    return sum + diagrams.count(diagrams.minus(first(set, anchors.length + 2), found));
  }, 0n);
};

describe("views", () => {
  it("are all that states of random protocols have, whatever their number of CPUs", async () => {
    const told = { closed: 0, not: 0 };
    for (let seed = 20; seed <= 60; seed++) {
      const { preempt, interrupts, executors = [] } = randomProtocol(seed).scenario;
      if (preempt || interrupts?.irq || interrupts?.nmi || executors.some(({ count }) => count !== undefined)) continue;
      for (const others of [3, 4]) {
        const left = await missing(seed, others);
        if (left === undefined) told.not++;
        else told.closed++;
        expect(left ?? 0n, `seed ${seed}, ${others} others`).toBe(0n);
      }
    }
    expect(told.closed).toBeGreaterThan(20);
  });

  it("speak of CPUs that start alike alone", async () => {
    const machine = createSimulation({ architecture: toy() }).machine(
      of(
        strategy((flip) => [write(flip)]),
        { cpus: 4 },
      ),
    );
    expect(await new Views(new Steps(machine, [], false), [], 0).explore([1], async () => undefined)).toEqual({
      end: "unknown",
      why: "The CPUs that no patcher runs on do not all start alike.",
    });
  });
});
