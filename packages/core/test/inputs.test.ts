import { describe, expect, it } from "vitest";
import {
  armTrap,
  claim,
  createSimulation,
  emulate,
  InputError,
  load,
  local,
  ne,
  noCacheMaintenance,
  type PatchStrategy,
  publish,
  type Scenario,
  set,
  store,
  whileLocal,
} from "../src/index.js";
import { granules, toy } from "./toy/architecture.js";
import { AT, scenario, site, strategy } from "./toy/scenario.js";

const nothing = strategy(() => []);
const { machine, simulate, check } = createSimulation({ architecture: toy() });

/** Every refusal is one sentence, and an InputError. */
const refused = (of: Scenario, message: RegExp | string, on = machine): void => {
  let thrown: unknown;
  try {
    on(of);
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toBeInstanceOf(InputError);
  const text = (thrown as InputError).message;
  expect(text).toMatch(message);
  expect(text).toMatch(/\.$/);
  expect(text).not.toContain("\n");
};

const patchedBy = (of: PatchStrategy, more: Partial<Scenario["patchers"][number]> = {}): Scenario =>
  scenario(of, { patcher: more });

describe("a scenario that does not fit together is refused in one sentence", () => {
  it.each([0, -1, 1.5, 1025, Number.NaN])("%d CPUs", (cpus) =>
    refused(scenario(nothing, { cpus }), `scenario.cpus has to be a whole number from 1 to 1024, not ${cpus}.`),
  );

  it("no sites", () =>
    refused(
      scenario(nothing, { sites: [] }),
      "scenario.sites has to be a list with one site at the least, not an empty one.",
    ));

  it("sites that overlap", () =>
    refused(
      scenario(nothing, { sites: [site("nop3", "call"), site("nop3", "call", AT + 2n)] }),
      "The sites at 0x1010 and 0x1012 overlap at 0x1012.",
    ));

  it("versions of different lengths", () =>
    refused(
      scenario(nothing, { sites: [site("nop3", "nop")] }),
      "The new code of the site at 0x1010 has 1 bytes, the old 3; both need the same length.",
    ));

  it("a site without code", () =>
    refused(scenario(nothing, { sites: [site("", "")] }), "The site at 0x1010 has no code."));

  it("text that is no instruction", () =>
    refused(scenario(nothing, { sites: [site("hop", "nop")] }), '"hop" is no toy instruction.'));

  it("bytes that are no instruction, or end in one that is cut off", () => {
    refused(scenario(nothing, { sites: [site([0xff], [0])] }), "The bytes ff are no instruction.");
    refused(
      scenario(nothing, { sites: [site([0xf0], [0])] }),
      "The bytes f0 are an instruction outside the modelled subset.",
    );
    refused(scenario(nothing, { sites: [site([0, 0x12], [0, 0])] }), "The last instruction is cut off: 12.");
  });

  it("code in the addresses that are kept for stacks", () => {
    refused(
      scenario(nothing, { sites: [site("nop", "ret", 0x7fe0_0100n)] }),
      /^Code at 0x7fe0010[01] lies in 0x7fe00000 to 0x7ff80000, which the machine keeps for stacks/,
    );
    refused(
      scenario(nothing, { blocks: [{ address: 0x7ff0_0000n, code: "ret" }] }),
      "which the machine keeps for stacks.",
    );
  });

  it("an executor that starts where no code is", () =>
    refused(
      scenario(nothing, { executors: [{ entries: [0x5000n] }] }),
      "No code lies at 0x5000, where an executor starts.",
    ));

  it("more executors than CPUs without preemption", async () => {
    const crowd = scenario(nothing, { executors: [{ count: 2 }] });
    await expect(check(crowd)).rejects.toThrow(
      "There are 1 more executors than free CPUs; without preemption they would never run.",
    );
  });

  it("a strategy of another architecture", () =>
    refused(
      patchedBy(strategy(() => [], { id: "foreign", architectures: ["x86", "arm64"] })),
      "The strategy foreign is for x86, arm64, not for toy.",
    ));

  it("while a strategy for any architecture fits", () =>
    expect(machine(patchedBy(strategy(() => [], { architectures: "any" }))).cpus).toBe(2));

  it.each([0, -1, 0.5])("%d flips", (flips) =>
    refused(
      patchedBy(nothing, { flips }),
      `scenario.patchers[0].flips has to be a whole number from 1 to 1000, not ${flips}.`,
    ),
  );

  it("a patcher of a site that is not there", () =>
    refused(patchedBy(nothing, { sites: [1] }), "Patcher 0 names site 1, but there are 1."));

  it("patchers that do not fit on the CPUs", () => {
    const one = { strategy: nothing, sites: [0], flips: 1 };
    refused({ ...scenario(nothing), patchers: [one, one, one] }, "Patcher 2 needs CPU 2, but there are 2.");
    refused({ ...scenario(nothing), patchers: [{ ...one, cpu: 1 }, one] }, "Patchers 0 and 1 are on the same CPU 1.");
  });

  it("a dropped step that the strategy does not have", () => {
    const two = strategy(() => [set("one", "word", 1), set("two", "word", 2)], {
      id: "two-steps",
      program: () => ({ words: { word: 0 } }),
    });
    refused(patchedBy(two, { drop: ["three"] }), "The strategy two-steps has no step three; its steps are one, two.");
  });

  it("a strategy that cannot do the flip, or not the way back", () => {
    const forth: PatchStrategy = {
      ...nothing,
      id: "one-way",
      plan: (flip) => (flip.sites[0]?.next[0] === 0x12 ? { main: [] } : { impossible: "it only makes calls." }),
    };
    expect(machine(patchedBy(forth)).cpus).toBe(2);
    refused(
      patchedBy(forth, { flips: 2 }),
      "The strategy one-way cannot do this on the way back (flip 2; ask for 1 flip to leave it out): it only makes calls.",
    );
    refused(
      { ...patchedBy(forth), sites: [site("call", "nop3")] },
      "The strategy one-way cannot do this: it only makes calls.",
    );
  });

  it("two strategies that declare one word with different values", () => {
    const declaring = (value: number) => ({
      strategy: strategy(() => [], { id: `declares-${value}`, program: () => ({ words: { word: value } }) }),
      flips: 1,
    });
    refused(
      {
        ...scenario(nothing),
        sites: [site("nop", "ret"), site("nop", "ret", AT + 1n)],
        patchers: [
          { ...declaring(0), sites: [0] },
          { ...declaring(1), sites: [1] },
        ],
      },
      "The strategy declares-1 declares the word word with another initial value than its neighbour.",
    );
  });

  it("a loop whose steps were all left out", () => {
    const spins = strategy(() => [whileLocal("spin", ne(local("seen"), 1), [load("look", "word", "seen")])], {
      program: () => ({ words: { word: 1 } }),
    });
    refused(scenario(spins, { patcher: { drop: ["look"] } }), "The loop spin repeats no step, so it would never end.");
  });

  it("a handler that emulates what no step found", async () => {
    const emulates = strategy(({ sites }) => [store("trap", sites[0]?.address ?? 0n, [2])], {
      program: () => ({ traps: { brk: [emulate("emulate", local("entry")), claim()] } }),
    });
    await expect(check(scenario(emulates))).rejects.toThrow(
      "The step emulate of trap brk looks at entry, which no step sets",
    );
  });

  it("a memory order that the architecture does not have", () => {
    const { memory: _, ...without } = toy();
    const sentence = "toy has no architectural memory order; use sequential.";
    refused(
      scenario(nothing, { memory: "architectural" }),
      sentence,
      createSimulation({ architecture: without }).machine,
    );
  });

  it("a site that is not aligned as instructions are", () => {
    const base = toy();
    const aligned = createSimulation({
      architecture: { ...base, instructionSet: { ...base.instructionSet, alignment: 4 } },
    });
    expect(() => aligned.machine(scenario(nothing, { sites: [site("nop", "ret", AT + 1n)] }))).toThrow(
      "A site on toy starts at a multiple of 4 bytes, not at 0x1011.",
    );
  });
});

describe("a fetch model that core cannot interpret", () => {
  it("is refused: granules, which are fetched as memory holds them, together with stale values", () => {
    const mixed = createSimulation({ architecture: toy({ fetch: { ...granules, id: "mixed", stale: "until-sync" } }) });
    expect(() => mixed.machine(scenario(nothing))).toThrow(InputError);
    expect(() => mixed.machine(scenario(nothing))).toThrow("mixed has granules");
  });
});

describe("code without a target goes where the architecture says", () => {
  const texts = (old: string, next: string): readonly string[] =>
    machine(scenario(nothing, { sites: [site(old, next)] })).layout.sites[0]?.versions.map(({ instructions }) =>
      instructions.map(({ text }) => text).join("; "),
    ) ?? [];

  it("calls to the site's callee, branches to its target", () => {
    expect(texts("call", "jump")).toEqual(["call 0x1110", "jump 0x1050"]);
    expect(texts("nop+nop+nop", "call 0x1300")).toEqual(["nop; nop; nop", "call 0x1300"]);
    expect(texts("nop\nret\nnop", "jump")).toEqual(["nop; ret; nop", "jump 0x1050"]);
  });

  it("a callee that nobody modelled returns at once, and a modelled one does what it does", async () => {
    const calling = { sites: [site("call", "nop3")], executors: [{}] };
    expect((await check(scenario(nothing, { ...calling, properties: ["fault"] }))).verdict).toBe("safe");
    const layout = (blocks: Scenario["blocks"]) =>
      machine(scenario(nothing, { ...calling, blocks: blocks ?? [] })).layout.text;
    expect(layout([]).get(0x1110n)).toBe(0x01);
    expect(layout([{ address: 0x1110n, code: "nop+ret" }]).get(0x1110n)).toBe(0x00);
  });
});

describe("one run", () => {
  it("counts what it costs", () => {
    const patching = strategy((flip) => [
      store("write", AT, flip.sites[0]?.next ?? [], { width: 4 }),
      publish("publish"),
      armTrap("arm", "brk"),
    ]);
    expect(simulate(scenario(patching, { patcher: { flips: 3 } }))).toMatchObject({
      flips: 3,
      interrupts: 0,
      ipiRounds: 0,
      stops: 0,
    });
  });

  it("of a patcher that never stops ends after as many flips as asked for", () => {
    expect(simulate(scenario(nothing, { patcher: { flips: "forever" } }), { flips: 5 }).flips).toBe(5);
  });

  it("that cannot go on, or goes on for ever, is refused", () => {
    const waiting = strategy(() => [{ id: "wait", op: "until", args: { word: "go", value: 1 } }], {
      program: () => ({ words: { go: 0 } }),
    });
    expect(() => simulate(scenario(waiting, { executors: [] }))).toThrow(
      new InputError("No CPU can go on: the scenario deadlocks when its CPUs take turns.", { code: "impossible" }),
    );
    expect(() => simulate(scenario(waiting))).toThrow(InputError);
  });
});

describe("an architecture without cache maintenance", () => {
  it("has no operations", () => expect(Object.keys(noCacheMaintenance.operations)).toEqual([]));
});
