import { describe, expect, it } from "vitest";
import {
  add,
  addEachCpu,
  assert,
  createSimulation,
  eq,
  expectText,
  InputError,
  type Line,
  lookup,
  mapCode,
  type PatchProgram,
  publishEvent,
  put,
  type Scenario,
  set,
  store,
  storeData,
  tryGet,
} from "../src/index.js";
import { flag, optional } from "../src/schema/schema.js";
import { withOptions, withoutOptions } from "../src/schema.js";
import { toy } from "./toy/architecture.js";
import { AT, check, scenario, site, strategy } from "./toy/scenario.js";

/* What was accepted and then overlooked, or crashed: each is one sentence with a code that stays. */

const { machine } = createSimulation({ architecture: toy() });

const thrownBy = (run: () => unknown): InputError => {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(InputError);
    return error as InputError;
  }
  throw new Error("Nothing was refused.");
};

const planning = (lines: () => readonly Line[], program: Omit<PatchProgram, "main"> = {}): InputError =>
  thrownBy(() => machine(scenario(strategy(lines, { id: "odd", program: () => program }))));

describe("what a step is given", () => {
  it.each<[string, () => Line, string, string]>([
    [
      "a number for bytes",
      () => store("it", AT, 4 as never),
      "The bytes of step it have to be a list of",
      "wrong-type",
    ],
    ["text for bytes", () => store("it", AT, "0f0b" as never), "The bytes of step it have to be a list", "wrong-type"],
    ["text for data", () => storeData("it", AT, "0f" as never), "The bytes of step it have to be a list", "wrong-type"],
    ["what is no byte", () => expectText("it", AT, [256]), "The bytes of step it have to be a list of", "wrong-type"],
    [
      "no bytes",
      () => store("it", AT, []),
      "The strategy odd: program.main[0].args.bytes has to be one byte at the least, as hexadecimal text, not none.",
      "out-of-range",
    ],
    [
      "no bytes to find",
      () => expectText("it", AT, []),
      "The strategy odd: program.main[0].args.bytes has to be one byte at the least",
      "out-of-range",
    ],
    [
      "an event of nothing",
      () => publishEvent("it", { address: AT, old: [], next: [] }),
      "The strategy odd: program.main[0].args.old has to be one byte at the least",
      "out-of-range",
    ],
    ["null options", () => store("it", AT, [1], null as never), "The options of step it have to be an", "wrong-type"],
    ["a note as options", () => mapCode("it", AT, "ret", "x" as never), "The options of step it have", "wrong-type"],
    [
      "an option of an event that there is not",
      () => publishEvent("it", { address: AT, old: [1], next: [2] }, { beginns: true } as never),
      "The strategy odd: program.main[0].args.beginns is no field of the arguments of publishEvent; did you mean begins?",
      "unknown-field",
    ],
    [
      "an option of mapped code that there is not",
      () => mapCode("it", AT, "ret", { acces: "rwx" } as never),
      "The strategy odd: program.main[0].args.acces is no field of the arguments of mapCode; did you mean access?",
      "unknown-field",
    ],
    [
      "no reason",
      () => assert("it", eq(1, 1), " "),
      "The strategy odd: program.main[0].args.why has to be text with something in it, not an empty one.",
      "out-of-range",
    ],
    [
      "a lock without a name",
      () => ({ id: "it", op: "lock", args: { name: "" } }) as Line,
      "The strategy odd: program.main[0].args.name has to be text with something in it",
      "out-of-range",
    ],
  ])("%s", (_, line, message, code) => {
    const error = planning(() => [line()]);
    expect([error.message.slice(0, message.length), error.code]).toEqual([message, code]);
  });

  it("may be bytes of a typed array", () =>
    expect(store("it", AT, Uint8Array.of(1, 2) as never).args).toMatchObject({ bytes: "0102" }));
});

describe("a word that holds something else than a step takes it for", () => {
  it.each<[string, Line, Omit<PatchProgram, "main">, string]>([
    [
      "text, added to",
      add("it", "w", 1),
      { words: { w: "a" } },
      'A step counts with the word w, which holds "a", no number.',
    ],
    [
      "nothing, taken",
      tryGet("it", "w", "got"),
      { cpuWords: { w: null } },
      "A step counts with the word w, which holds null",
    ],
    [
      "a flag, given back",
      put("it", "w"),
      { cpuWords: { w: true } },
      "A step counts with the word w, which holds true",
    ],
    [
      "a list, added to",
      addEachCpu("it", "w", 1),
      { cpuWords: { w: [] } },
      "A step counts with the word w, which holds",
    ],
  ])("%s", async (_, line, program, message) => {
    const patching = strategy(() => [line], { program: () => program });
    await expect(check(scenario(patching))).rejects.toMatchObject({
      code: "wrong-type",
      message: expect.stringContaining(message),
    });
  });

  it("by a step before", async () => {
    const patching = strategy(() => [set("first", "w", "x"), add("it", "w", 1)], {
      program: () => ({ words: { w: 0 } }),
    });
    await expect(check(scenario(patching))).rejects.toMatchObject({ code: "wrong-type" });
  });

  it.each([[0], ["000000"], [[1]], [[{ address: 0x1010, bytes: "00" }]]])("%j, looked up", async (w) => {
    const patching = strategy(() => [store("trap", AT, [0x02])], {
      program: () => ({ words: { w: w as never }, traps: { brk: [lookup("find", "w", "found")] } }),
    });
    await expect(check(scenario(patching, { sites: [site("nop", "ret")] }))).rejects.toMatchObject({
      code: "wrong-type",
      message: expect.stringMatching(
        /^A trap handler looks its address up in w, which holds .*, neither null nor a list/,
      ),
    });
  });
});

describe("what a scenario is given", () => {
  const base = scenario(strategy(() => []));
  const [at] = base.sites;
  it.each<[string, object, string, string]>([
    [
      "a field that a symbol names",
      { [Symbol("x")]: 1 },
      "scenario has a field that is named by Symbol(x), where it would be overlooked.",
      "wrong-type",
    ],
    [
      "one deeper inside",
      { sites: [{ ...at, [Symbol("x")]: 1 }] },
      "scenario.sites[0] has a field that is named by Symbol(x), where it would be overlooked.",
      "wrong-type",
    ],
    [
      "one in a list of registers",
      { executors: [{ registers: { [Symbol("x")]: 1n } }] },
      "scenario.executors[0].registers has a field that is named by Symbol(x)",
      "wrong-type",
    ],
    [
      "a place that is forbidden without a reason",
      { blocks: [{ address: 0x3000n, code: "ret", forbidden: "" }] },
      "scenario.blocks[0].forbidden has to be text with something in it, not an empty one.",
      "out-of-range",
    ],
    [
      "a property that breaks nobody knows when",
      { judges: [{ id: "own", breaksWhen: "", judge: () => undefined }] },
      "scenario.judges[0].breaksWhen has to be text with something in it",
      "out-of-range",
    ],
    [
      "a strategy without an id",
      { patchers: [{ ...base.patchers[0], strategy: strategy(() => [], { id: "" }) }] },
      "scenario.patchers[0].strategy.id has to be text with something in it",
      "out-of-range",
    ],
  ])("%s", (_, more, message, code) => {
    const error = thrownBy(() => machine({ ...base, ...more } as Scenario));
    expect([error.message.slice(0, message.length), error.code]).toEqual([message, code]);
  });

  it("a word's value with a symbol is no plain data", () =>
    expect(planning(() => [], { words: { w: { [Symbol("x")]: 1 } as never } }).message).toBe(
      "The strategy odd: program.words.w has to be plain data, without a field that is named by Symbol(x).",
    ));
});

it("null is no options of a strategy", () => {
  const made = [
    withOptions<{ readonly on?: boolean }, number>("made", { on: optional(flag) }, () => 1),
    withoutOptions("made", () => 1),
  ];
  for (const each of made) {
    expect(each()).toBe(1);
    expect(thrownBy(() => each(null as never))).toMatchObject({
      message: "made: options has to be options of made, not null.",
      code: "wrong-type",
    });
  }
});
