import { describe, expect, it } from "vitest";
import { createSimulation, InputError, type Scenario } from "../src/index.js";
import { toy } from "./toy/architecture.js";
import { AT, scenario, strategy } from "./toy/scenario.js";

const { machine, check, simulate, outcomes, repairs } = createSimulation({ architecture: toy() });
const base = scenario(strategy(() => []));

/** What is thrown about a scenario that a program without types may ask for. */
const thrownBy = (run: () => unknown): InputError => {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return error as InputError;
  }
  throw new Error("Nothing was refused.");
};

const asked = (more: object): InputError => thrownBy(() => machine({ ...base, ...more } as unknown as Scenario));

describe("a scenario is understood or refused, with the path of the field and the nearest name", () => {
  const patcher = base.patchers[0];
  const at = base.sites[0];
  it.each<[string, object, string, string]>([
    [
      "an interrupt in capitals",
      { interrupts: { NMI: true } },
      "scenario.interrupts.NMI is no field of interrupts; there are irq, nmi.",
      "unknown-field",
    ],
    [
      "a misspelt field",
      { preemt: true },
      "scenario.preemt is no field of a scenario; did you mean preempt?",
      "unknown-field",
    ],
    [
      "a misspelt property to ignore",
      { ignore: ["don"] },
      'scenario.ignore[0] cannot be "don"; did you mean done',
      "unknown-name",
    ],
    [
      "a misspelt property to judge",
      { properties: ["old-or-nwe"] },
      'scenario.properties[0] cannot be "old-or-nwe"; did you mean old-or-new?',
      "unknown-name",
    ],
    [
      "an unknown memory order",
      { memory: "tso" },
      'scenario.memory cannot be "tso"; there are sequential, architectural.',
      "unknown-name",
    ],
    [
      "a field that every object has",
      JSON.parse('{ "__proto__": 1 }') as object,
      "scenario.__proto__ is no field",
      "unknown-field",
    ],
    ["another one", { constructor: 1 }, "scenario.constructor is no field of a scenario", "unknown-field"],
    [
      "no number of CPUs",
      { cpus: undefined },
      "scenario.cpus has to be a whole number from 1 to 64, not undefined.",
      "wrong-type",
    ],
    ["a number as text", { cpus: "2" }, 'scenario.cpus has to be a whole number from 1 to 64, not "2".', "wrong-type"],
    ["too many CPUs", { cpus: 65 }, "scenario.cpus has to be a whole number from 1 to 64, not 65.", "out-of-range"],
    [
      "a number where a bigint is expected",
      { sites: [{ ...at, address: 0x1010 }] },
      "scenario.sites[0].address has to be an address as a bigint, such as 0xffffffff81000000n, not the number 4112: write 0x1010n.",
      "wrong-type",
    ],
    [
      "an address below 0",
      { sites: [{ ...at, address: -1n }] },
      "scenario.sites[0].address has to be an address as a bigint, such as 0xffffffff81000000n from 0 to 2^64 - 1, not -1n.",
      "out-of-range",
    ],
    [
      "a strategy that was not called",
      { patchers: [{ ...patcher, strategy: function int3() {} }] },
      "scenario.patchers[0].strategy has to be a strategy, not a function: call it, as in int3().",
      "wrong-type",
    ],
    [
      "a promise that nobody knows",
      { patchers: [{ ...patcher, strategy: strategy(() => [], { promises: ["dome"] as never }) }] },
      'scenario.patchers[0].strategy.promises[0] cannot be "dome"; did you mean done',
      "unknown-name",
    ],
    [
      "a step that is added without a place",
      { patchers: [{ ...patcher, add: [{ line: { id: "x", op: "ack", args: {} } }] }] },
      "scenario.patchers[0].add[0].after is missing from an added line.",
      "missing-field",
    ],
    [
      "text where bytes are expected",
      { data: [{ address: AT, bytes: "0f0b" }] },
      'scenario.data[0].bytes has to be a list of bytes, such as [0x0f, 0x0b], not "0f0b".',
      "wrong-type",
    ],
    [
      "what is no byte",
      { sites: [{ ...at, old: [0x100] }] },
      "scenario.sites[0].old[0] has to be a byte from 0 to 255, not 256.",
      "out-of-range",
    ],
    [
      "neither text nor bytes",
      { blocks: [{ address: AT, code: 5 }] },
      "scenario.blocks[0].code has to be assembler text or a list of bytes, not 5.",
      "wrong-type",
    ],
    [
      "a register that every object has",
      { executors: [{ registers: { constructor: 1n } }] },
      "scenario.executors[0].registers has constructor, a name that cannot be used here.",
      "wrong-type",
    ],
    ["no scenario at all", { patchers: [null] }, "scenario.patchers[0] has to be a patcher, not null.", "wrong-type"],
  ])("%s", (_, more, message, code) => {
    const { message: found, code: kind, place } = asked(more);
    expect(found.startsWith(message), `${found}\n${message}`).toBe(true);
    expect(kind).toBe(code);
    expect(found.startsWith(`${place} `)).toBe(true);
  });

  it("one of another name is said where a field is missing", () => {
    const { cpus, ...rest } = base;
    expect(thrownBy(() => machine({ ...rest, cpu: cpus } as unknown as Scenario)).message).toBe(
      "scenario.cpus is missing from a scenario, which has no cpu.",
    );
  });

  it("what is undefined is not there", () =>
    expect(machine({ ...base, preempt: undefined } as never).preempt).toBe(false));

  it("the options of every call are understood too", async () => {
    await expect(check(base, { bound: { states: 1 } } as never)).rejects.toThrow(
      "options.bound is no field of options of a check; did you mean bounds or beyond?",
    );
    await expect(check(base, { bounds: { states: 0 } })).rejects.toThrow(
      "options.bounds.states has to be a number from 1 on, not 0.",
    );
    await expect(check(base, { reduce: { symetry: true } } as never)).rejects.toThrow(
      "options.reduce.symetry is no field of reductions; did you mean symmetry?",
    );
    await expect(outcomes(base, { beyond: 1 } as never)).rejects.toThrow("options.beyond is no field");
    await expect(repairs(base, { every: true } as never)).rejects.toThrow("options.every is no field");
    expect(() => simulate(base, { flips: 0 })).toThrow("options.flips has to be a whole number from 1 on, not 0.");
  });
});
