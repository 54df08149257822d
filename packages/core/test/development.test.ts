import { describe, expect, it } from "vitest";
import {
  createSimulation,
  type Effect,
  enabledSteps,
  InputError,
  initialView,
  type Line,
  load,
  local,
  ne,
  type Part,
  type PatchStrategy,
  type Posted,
  type Rule,
  rule,
  step,
  type Writes,
} from "../src/index.js";
import { toy } from "./toy/architecture.js";
import { answer, scenario, strategy, check as toyCheck } from "./toy/scenario.js";

/** A strategy whose one step is an operation with a rule of its own. */
const strategyOf = (own: Rule): PatchStrategy => strategy(() => [step("odd", own.id as "odd")], { rules: [own] });

declare module "../src/index.js" {
  interface Operations {
    odd: Readonly<Record<never, never>>;
  }
  interface Events {
    odd: { readonly stopped: boolean };
  }
}

const odd = <const R extends Part>(
  reads: readonly R[],
  writes: readonly Writes[],
  apply: Parameters<typeof rule<null, R>>[0]["apply"],
): Rule => rule<null, R>({ id: "odd", source: "this test", reads, writes, apply });

const check = (own: Rule, development: boolean) =>
  createSimulation({ architecture: toy(), development }).check(
    scenario(strategyOf(own), { executors: [], properties: ["pair", "progress"] }),
  );

describe("development mode checks the rules that it runs", () => {
  it("a rule that reads a part which it does not declare throws", async () => {
    const peeking = odd(["cpu"], ["cpu"], (parts, _args, machine) => {
      const services = (parts as unknown as { readonly services?: { readonly stop: unknown } }).services;
      return [
        {
          set: { cpu: machine.advance(parts.cpu) },
          observed: [{ what: "odd", detail: { stopped: services?.stop !== null } }],
        },
      ];
    });
    await expect(check(peeking, true)).rejects.toThrow("The rule odd reads services, which it does not declare.");
    await expect(check(peeking, false)).resolves.toMatchObject({ verdict: "safe" });
  });

  it("a rule that sets a part which it does not declare throws", async () => {
    const writing = odd(["cpu", "services"], ["cpu"], ({ cpu, services }, _args, machine) => [
      { set: { cpu: machine.advance(cpu), services } },
    ]);
    await expect(check(writing, true)).rejects.toThrow("The rule odd sets services, which it does not declare.");
    await expect(check(writing, false)).resolves.toMatchObject({ verdict: "safe" });
  });

  it("a rule that maps every CPU without declaring it throws", async () => {
    const mapping = odd(["cpu"], ["cpu"], ({ cpu }, _args, machine) => [
      { set: { cpu: machine.advance(cpu) }, everyCpu: { id: "set-cpu-word", args: { word: "w", value: 1 } } },
    ]);
    await expect(check(mapping, true)).rejects.toThrow("The rule odd maps every CPU, which it does not declare.");
  });

  it("a rule that is not deterministic throws", async () => {
    let calls = 0;
    const counting = odd(["cpu"], ["cpu"], ({ cpu }, _args, machine) => [
      { set: { cpu: machine.advance(machine.setLocal(cpu, "n", calls++)) } },
    ]);
    await expect(check(counting, true)).rejects.toThrow("The rule odd is not deterministic.");
  });

  it("a rule that changes a part in place throws", async () => {
    const changing = odd(["cpu"], ["cpu"], ({ cpu }, _args, machine): readonly Effect[] => {
      const next = machine.advance(cpu);
      (next.pending as Posted[]).push({ kind: "ipi", handler: "work" });
      return [{ set: { cpu: next } }];
    });
    await expect(check(changing, true)).rejects.toThrow();
  });

  it("a misplaced field of an effect does not compile", () => {
    const head = { id: "odd", source: "this test", reads: ["cpu"], writes: ["cpu", "everyCpu"] } as const;
    const made = [
      // @ts-expect-error: a map says what it touches, an effect does not.
      rule({ ...head, apply: ({ cpu }) => [{ set: { cpu }, touches: ["words"] }] }),
      // @ts-expect-error: nor does the name of a map.
      rule({ ...head, apply: ({ cpu }) => [{ set: { cpu }, everyCpu: { id: "age", args: {}, touches: ["stale"] } }] }),
      // @ts-expect-error: there is no such part.
      rule({ ...head, apply: ({ cpu }) => [{ set: { cpu, cpus: [] } }] }),
      rule({ ...head, apply: ({ cpu }) => [{ set: { cpu }, everyCpu: { id: "age", args: {} } }] }),
    ];
    expect(made).toHaveLength(4);
  });

  it("the rules of core pass: the tests of this folder run in it", async () => {
    const { check: checked } = createSimulation({ architecture: toy(), development: true });
    await expect(
      checked(
        scenario(
          strategy(() => []),
          { interrupts: { irq: true }, preempt: true, properties: ["fault"] },
        ),
      ),
    ).resolves.toMatchObject({ verdict: "safe" });
  });
});

describe("operations and the rules behind them", () => {
  it("an operation that no rule knows is refused before anything runs", () => {
    const unknown = strategy(() => [step("do-it", "frobnicate" as "odd")]);
    expect(() => createSimulation({ architecture: toy() }).machine(scenario(unknown))).toThrow(
      "Step do-it uses the operation frobnicate, for which no rule is known; there are",
    );
  });

  it("two rules of one id are refused", () => {
    const own = odd(["cpu"], ["cpu"], ({ cpu }, _args, machine) => [{ set: { cpu: machine.advance(cpu) } }]);
    const twice = strategy(() => [step("odd", "odd")], { rules: [own, { ...own }] });
    expect(() => createSimulation({ architecture: toy() }).machine(scenario(twice))).toThrow(
      "Two rules have the id odd; ids are unique in a simulation.",
    );
  });

  it("a rule may observe what a property judges: `pair` breaks at a combination that was never published", async () => {
    const using = (published: boolean): Rule =>
      odd(["cpu"], ["cpu"], ({ cpu }, _args, machine) => [
        {
          set: { cpu: machine.advance(cpu) },
          observed: [{ what: "pair", detail: { at: 0n, published, values: ["func", "op"] } }],
        },
      ]);
    expect(await check(using(true), true)).toMatchObject({ verdict: "safe" });
    expect(await check(using(false), true)).toMatchObject({
      verdict: "unsafe",
      property: "pair",
      why: 'The combination ["func","op"] was used, which no published version had.',
    });
  });

  it("a rule that forgets `machine.advance` is told so", async () => {
    const stuck = odd(["cpu"], ["cpu"], ({ cpu }) => [{ set: { cpu } }]);
    const grows = odd(["services"], ["services"], ({ services }) => [
      { set: { services: { ...services, words: { n: Number(services.words.n ?? 0) + 1 } } } },
    ]);
    for (const rule of [stuck, grows])
      await expect(check(rule, false)).rejects.toThrow(
        /^The rule odd leaves its program at the step odd: what it sets for the CPU comes from machine\.advance\(cpu\)/,
      );
    const { simulate } = createSimulation({ architecture: toy() });
    expect(() => simulate(scenario(strategyOf(stuck)))).toThrow(InputError);
  });

  it("but a loop of one step comes back to it", async () => {
    const counts = odd(["cpu"], ["cpu"], ({ cpu }, _args, machine) => {
      const n = machine.value(cpu, local("n"));
      return [{ set: { cpu: machine.advance(machine.setLocal(cpu, "n", Number(n) + 1)) } }];
    });
    const again: Line = { id: "again", while: ne(local("n"), 3), repeat: [{ id: "odd", op: "odd", args: {} }] };
    expect(
      answer(
        await toyCheck(
          scenario(
            strategy(() => [load("load", "none", "n"), again], {
              rules: [counts],
              program: () => ({ words: { none: 0 } }),
            }),
            { executors: [] },
          ),
        ),
      ),
    ).toBe("vacuous");
  });

  it("a rule may have no outcome, or several", async () => {
    const blocked = odd(["cpu"], ["cpu"], () => []);
    const machine = createSimulation({ architecture: toy() }).machine(
      scenario(strategyOf(blocked), { executors: [], properties: ["lifetime"] }),
    );
    expect(enabledSteps(machine, initialView(machine), 0).map(({ candidate }) => candidate.rule.id)).toEqual([
      "beginCall",
    ]);
    const { check: checked } = createSimulation({ architecture: toy() });
    expect(await checked(scenario(strategyOf(blocked), { executors: [], properties: ["progress"] }))).toMatchObject({
      verdict: "unsafe",
      property: "progress",
    });
    const forked = odd(["cpu"], ["cpu"], ({ cpu }, _args, machine) =>
      [1, 2, 3].map((n) => ({ set: { cpu: machine.advance(machine.setLocal(cpu, "n", n)) } })),
    );
    const three = await checked(scenario(strategyOf(forked), { executors: [], cpus: 1, properties: ["progress"] }), {
      reduce: false,
    });
    // beginCall, three ways through the step, their ends, and the empty CPU.
    expect(three).toMatchObject({ verdict: "safe", transitions: 1 + 3 + 3 + 3 });
  });
});
