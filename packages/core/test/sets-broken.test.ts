import { describe, expect, it } from "vitest";
import { claim, createSimulation, type Scenario, step, store, syncCores, type Verdict } from "../src/index.js";
import { toy } from "./toy/architecture.js";
import { randomProtocol } from "./toy/random.js";
import { AT, scenario, strategy } from "./toy/scenario.js";

/** A random protocol with more CPUs: by itself each has few states, and these go together to many. */
const large = (seed: number, more = 3): { check: ReturnType<typeof createSimulation>["check"]; scenario: Scenario } => {
  const { scenario, architecture } = randomProtocol(seed);
  const { check } = createSimulation({ architecture: toy(architecture) });
  return { check, scenario: { ...scenario, cpus: scenario.cpus + more } };
};

type Unsafe = Extract<Verdict, { readonly verdict: "unsafe" }>;

const unsafe = (verdict: Verdict): Unsafe => {
  if (verdict.verdict !== "unsafe") throw new Error(`It is ${verdict.verdict}.`);
  return verdict;
};

/** The answer of sets where the run is ended while the nearest of what breaks is looked for. */
const cutOff = ({ check, scenario }: ReturnType<typeof large>): Promise<Verdict> => {
  const signal = {
    get aborted() {
      return new Error().stack?.includes("shortestWays") === true;
    },
  } as AbortSignal;
  return check(scenario, { singly: 0, signal });
};

describe("sets of states and what breaks", () => {
  it("the exploration ends near the first violation, and the shortest way to it is shown", async () => {
    const { check, scenario } = large(4);
    const found = unsafe(await check(scenario, { singly: 0 }));
    const all = unsafe(await check(scenario, { singly: 0, beyond: Number.MAX_SAFE_INTEGER }));
    expect(found.states).toBeLessThan(all.states / 5);
    expect(found.property).toBe(all.property);
    expect(found).toMatchObject({ shortest: true, trace: { length: all.trace.length } });
  });

  it.each([
    ["a violation", 10, 3],
    ["a state that is stuck", 12, 0],
  ])("a bound leaves %s that is known as it is, with a way to it", async (_, seed, more) => {
    const protocol = large(seed, more);
    const some = unsafe(await cutOff(protocol));
    expect(some.shortest).toBe(false);
    expect(some.property).toBe(unsafe(await protocol.check(protocol.scenario, { singly: 0 })).property);
  });

  it("nor does one make it unknown while it is looked what else breaks", async () => {
    const { check, scenario } = large(4);
    const endedAfter = (most: number): Promise<Verdict> => {
      let asked = 0;
      const signal = {
        get aborted() {
          return asked++ >= most;
        },
      } as AbortSignal;
      return check(scenario, { singly: 0, beyond: Number.MAX_SAFE_INTEGER, shortest: false, signal });
    };
    const all = await check(scenario, { singly: 0, beyond: Number.MAX_SAFE_INTEGER, shortest: false });
    const answers = [await endedAfter(0)];
    for (let most = 1; answers.at(-1)?.verdict !== "unsafe"; most *= 2) answers.push(await endedAfter(most));
    expect(answers[0]?.verdict).toBe("inconclusive");
    expect(answers.at(-1)?.states).toBeLessThan(all.states);
  });

  it("without a look for the shortest way some way is shown", async () => {
    const { check, scenario } = large(34);
    const found = unsafe(await check(scenario, { singly: 0, shortest: false }));
    const nearest = unsafe(await check(scenario, { singly: 0 }));
    expect(found.shortest).toBe(false);
    expect([...found.broken.map(({ property }) => property), ...found.alsoBroken].sort()).toEqual(
      [...nearest.broken.map(({ property }) => property), ...nearest.alsoBroken].sort(),
    );
  });
});

/** Behind a breakpoint, whose handler starts the instruction again, with a synchronisation of all CPUs after each write. */
const behindBreakpoint = (cpus: number): Scenario => ({
  ...scenario(
    strategy(
      ({ sites: [site] }) => {
        const next = site?.next ?? [];
        const writes = [
          store("trap", AT, [0x02]),
          store("tail", AT + 1n, next.slice(1)),
          store("first", AT, next.slice(0, 1)),
        ];
        return writes.flatMap((write, i) => [write, syncCores(`sync-${i}`)]);
      },
      { program: () => ({ traps: { brk: [step("again", "restart"), claim()] } }) },
    ),
  ),
  cpus,
  ignore: ["progress"],
});

describe("hundreds of CPUs", () => {
  const { check } = createSimulation({ architecture: toy({ cpu: { trapsMask: true } }) });

  it("are decided, and their states are more than a number can count", async () => {
    const verdict = await check(behindBreakpoint(600), { singly: 0 });
    expect(verdict).toMatchObject({ verdict: "safe", states: Number.MAX_VALUE });
  });
});
