import "reflect-metadata";
// biome-ignore lint/style/noRestrictedImports: the test that nothing is registered there
import { container } from "tsyringe";
import { describe, expect, it } from "vitest";
import {
  createSimulation,
  EXPLORER,
  FETCH_MODEL,
  type FetchModel,
  INSTRUCTION_SET,
  InputError,
  type InstructionSet,
  injectable,
  MACHINE,
  type Plugin,
  PROPERTIES,
  type Property,
  RULES,
  type Rule,
  rule,
  SCENARIO,
  set,
  step,
  stopMachine,
  store,
  type Token,
  token,
  use,
  useAll,
  type Verdict,
} from "../src/index.js";
import { Wiring } from "../src/wiring/container.js";
import * as parts from "../src/wiring/parts.js";
import { granules, toy } from "./toy/architecture.js";
import { toyInstructionSet } from "./toy/instruction-set.js";
import { AT, answer, check, first, only, scenario, site, strategy } from "./toy/scenario.js";

const patching = strategy((flip) => [store("write", AT, first(flip).next)]);
const of = scenario(patching, { sites: [site("nop", "ret")], ...only("done") });

describe("every run is wired afresh", () => {
  it("two simulations share nothing, though their plugins provide the same parts", async () => {
    const one = createSimulation({ architecture: toy() });
    const two = createSimulation({ architecture: toy({ fetch: granules }) });
    expect(
      await Promise.all([one.check(of), two.check(of), one.check(of)]).then((verdicts) => verdicts.map(answer)),
    ).toEqual(["unsafe: done", "safe", "unsafe: done"]);
    expect(one.machine(of)).not.toBe(one.machine(of));
    expect(one.machine(of).fetch.id).toBe("until-sync");
    expect(two.machine(of).fetch.id).toBe("granules");
  });

  it("tsyringe's global container stays empty", async () => {
    await createSimulation({ architecture: toy() }).check(of);
    for (const part of Object.values(parts)) expect(container.isRegistered(part, true)).toBe(false);
  });

  it("what the global container holds does not come in", () => {
    const stranger: Token<string> = token("a stranger");
    container.register(stranger, { useValue: "from outside" });
    try {
      expect(() => new Wiring([]).get(stranger)).toThrow();
    } finally {
      container.clearInstances();
      container.reset();
    }
  });

  it("a part is made once in a run", () => {
    const wiring = new Wiring([{ id: "one", install: (binder) => binder.provideClass(COUNTED, Counted) }]);
    expect(wiring.get(COUNTED)).toBe(wiring.get(COUNTED));
    expect(
      new Wiring([{ id: "one", install: (binder) => binder.provideClass(COUNTED, Counted) }]).get(COUNTED),
    ).not.toBe(wiring.get(COUNTED));
  });
});

@injectable()
class Counted {
  readonly made = true;
}
const COUNTED = token<Counted>("counted");

describe("a plugin", () => {
  const never: FetchModel = { ...granules, id: "from a plugin" };

  it("replaces a part of the architecture", async () => {
    const plugin: Plugin = {
      id: "coherent",
      replaces: [FETCH_MODEL],
      install: (binder) => binder.provide(FETCH_MODEL, never),
    };
    const simulation = createSimulation({ architecture: toy(), plugins: [plugin] });
    expect(simulation.machine(of).fetch.id).toBe("from a plugin");
    const verdict = await simulation.check(of);
    expect(answer(verdict)).toBe("safe");
    expect(verdict.plugins).toEqual([{ id: "coherent", replaces: ["fetch model"] }]);
    expect((await createSimulation({ architecture: toy() }).check(of)).plugins).toBeUndefined();
  });

  it("that provides a part without saying that it replaces it is refused, and both owners are named", () => {
    const plugin: Plugin = { id: "rude", install: (binder) => binder.provide(FETCH_MODEL, never) };
    expect(() => createSimulation({ architecture: toy(), plugins: [plugin] }).machine(of)).toThrow(
      "Both @cmodx/core and rude provide fetch model; a simulation has one.",
    );
  });

  it("replaces the explorer, and the machine", async () => {
    const refusing: Plugin = {
      id: "refusing",
      replaces: [EXPLORER],
      install: (binder) =>
        binder.provide(EXPLORER, {
          check: () => Promise.reject(new InputError("This explorer refuses all.", { code: "impossible" })),
        }),
    };
    const base = createSimulation({ architecture: toy() });
    await expect(createSimulation({ architecture: toy(), plugins: [refusing] }).check(of)).rejects.toThrow(
      "This explorer refuses all.",
    );
    const machine = base.machine(of);
    const given: Plugin = {
      id: "given",
      replaces: [MACHINE],
      install: (binder) => binder.provide(MACHINE, machine),
    };
    expect(createSimulation({ architecture: toy(), plugins: [given] }).machine(of)).toBe(machine);
  });

  it("replaces the instruction set for the sites' code too", () => {
    const shouting: Plugin = {
      id: "shouting",
      replaces: [INSTRUCTION_SET],
      install: (binder) =>
        binder.provide(INSTRUCTION_SET, {
          ...toy().instructionSet,
          assemble: (text, at, mode) => toy().instructionSet.assemble(text.toLowerCase(), at, mode),
        }),
    };
    const loud = { ...of, sites: [site("NOP", "RET")] };
    expect(createSimulation({ architecture: toy(), plugins: [shouting] }).machine(loud).cpus).toBe(2);
  });

  it("that replaces what it does not provide, or a list, is refused", () => {
    const plugin = (replaces: Plugin["replaces"]): Plugin => ({
      id: "empty",
      ...(replaces && { replaces }),
      install() {},
    });
    const made = (replaces: Plugin["replaces"]) => () =>
      createSimulation({ architecture: toy(), plugins: [plugin(replaces)] }).machine(of);
    expect(made([MACHINE])).toThrow("The plugin empty says that it replaces machine, but does not provide it.");
    expect(made([RULES])).toThrow(
      "The plugin empty says that it replaces rules, which is a list: parts are added to it.",
    );
  });

  it("two of which replace the same part are refused as well", () => {
    const plugin = (id: string): Plugin => ({
      id,
      replaces: [FETCH_MODEL],
      install: (binder) => binder.provide(FETCH_MODEL, never),
    });
    expect(() => createSimulation({ architecture: toy(), plugins: [plugin("a"), plugin("b")] }).machine(of)).toThrow(
      "Both a and b provide fetch model",
    );
  });

  it("adds a property", async () => {
    const noReturns: Property = {
      id: "pair",
      breaksWhen: "anybody returns",
      judge: ({ what, detail }) => (what === "execute" && detail.text === "ret" ? "Somebody returned." : undefined),
    };
    const plugin: Plugin = { id: "no returns", install: (binder) => binder.add(PROPERTIES, noReturns) };
    const verdict = await createSimulation({ architecture: toy(), plugins: [plugin] }).check({
      ...of,
      properties: ["pair"],
    });
    expect(verdict).toMatchObject({ verdict: "unsafe", property: "pair", why: "Somebody returned." });
  });

  describe("a rule of a plugin says of its steps what core's say", () => {
    /** Waits until a word is 1. */
    const gate = (facts: Partial<Rule> = {}): Rule => ({
      id: "gate",
      source: "this test",
      reads: ["cpu", "services"],
      writes: ["cpu"],
      apply: ({ cpu, services }, _args, machine) =>
        services.words.open === 1 ? [{ set: { cpu: machine.advance(cpu) } }] : [],
      ...facts,
    });
    const passing = (facts: Partial<Rule>, door = "open"): Promise<Verdict> => {
      const waiting = strategy(() => [{ id: "wait", op: "gate" as "load", args: { word: "open", into: door } }], {
        id: "waiting",
        rules: [gate(facts)],
        program: () => ({ words: { open: 0 } }),
      });
      const opening = strategy(() => [stopMachine("stop", { run: [] }), set("open", "open", 1)], {
        id: "opening",
        program: () => ({ words: { open: 0 } }),
      });
      return check(
        scenario(waiting, {
          patchers: [waiting, opening].map((each) => ({ strategy: each, sites: [0], flips: 1 })),
          ...only("progress"),
        }),
      );
    };

    it("that a task which waits there sleeps, so that stop_machine need not wait for it", async () => {
      expect(answer(await passing({}))).toBe("unsafe: progress");
      expect(answer(await passing({ sleeps: true }))).toBe("safe");
    });

    it("what they name", async () => {
      await expect(passing({ names: { into: "lock" } }, "door")).rejects.toThrow(
        "The step wait of the strategy waiting names the lock door, which no step takes",
      );
      expect(answer(await passing({ names: { into: "lock" }, introduces: { into: "lock" } }, "door"))).toBe(
        "unsafe: progress",
      );
    });
  });

  it("adds rules for operations of its own", async () => {
    const jolt = rule({
      id: "jolt",
      source: "this test",
      reads: ["cpu"],
      writes: ["cpu"],
      apply: ({ cpu }, _args, machine) => [{ set: { cpu: machine.advance(cpu) } }],
    });
    const plugin: Plugin = {
      id: "jolts",
      install: (binder) => binder.add(RULES, { rules: [jolt], maps: [], predicates: [] }),
    };
    const jolting = strategy(() => [step("jolt", "jolt" as "ack")]);
    expect(
      answer(
        await createSimulation({ architecture: toy(), plugins: [plugin] }).check(scenario(jolting, only("progress"))),
      ),
    ).toBe("safe");
  });
});

describe("typed injection", () => {
  it("gives each parameter the part of its token", () => {
    @injectable()
    class Wanting {
      constructor(
        @use(INSTRUCTION_SET) readonly instructionSet: InstructionSet,
        @useAll(PROPERTIES) readonly properties: readonly Property[],
      ) {}
    }
    const WANTING = token<Wanting>("wanting");
    const property: Property = { id: "done", breaksWhen: "never", judge: () => undefined };
    const wiring = new Wiring([
      {
        id: "test",
        install: (binder) => {
          binder.provide(INSTRUCTION_SET, toyInstructionSet as InstructionSet);
          binder.add(PROPERTIES, property);
          binder.add(PROPERTIES, property);
          binder.provideClass(WANTING, Wanting);
        },
      },
    ]);
    expect(wiring.get(WANTING).instructionSet).toBe(toyInstructionSet);
    expect(wiring.get(WANTING).properties).toEqual([property, property]);
  });

  it("does not compile with the token of another type", () => {
    class Unfit {
      constructor(
        // @ts-expect-error: a fetch model is no instruction set
        @use(FETCH_MODEL) readonly instructionSet: InstructionSet,
        // @ts-expect-error: one scenario is no list of properties
        @useAll(SCENARIO) readonly properties: readonly Property[],
        // @ts-expect-error: a list is not the one part
        @useAll(MACHINE) readonly fetch: FetchModel,
      ) {}
    }
    expect(Unfit.length).toBe(3);
  });

  it("tokens of one name are the same token, also from two copies of the package", () => {
    expect(token("fetch model")).toBe(FETCH_MODEL);
    expect(token("another")).not.toBe(FETCH_MODEL);
  });
});
