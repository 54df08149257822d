import { describe, expect, it } from "vitest";
import {
  ack,
  createSimulation,
  eq,
  expectText,
  free,
  type Line,
  load,
  local,
  type PatchStrategy,
  put,
  type Scenario,
  sendIpi,
  set,
  setEachCpu,
  store,
  syncCores,
  tryGet,
  until,
  untilEachCpu,
  waitIpi,
  whileLocal,
} from "../src/index.js";
import { stubbornSetsAgree } from "./random-searches.js";
import { toy } from "./toy/architecture.js";
import { AT, only, site, strategy } from "./toy/scenario.js";

/** The handler of a breakpoint at `AT`, which begins by telling the patchers that it runs. */
type Written = {
  readonly patchers: readonly (readonly Line[])[];
  readonly handler: readonly Line[];
  readonly cpus?: number;
};

const trap = store("trap", AT, [0x02]);
const inside = set("inside", "inside", 1);
const isInside = until("is-inside", "inside", 1);
const stay = until("stay", "never", 1);

/** Whether a property breaks, with and without stubborn sets. */
const verdicts = async (
  property: "lifetime" | "assertion",
  { patchers, handler, cpus = patchers.length + 1 }: Written,
): Promise<readonly string[]> => {
  const patching = (lines: readonly Line[], i: number): PatchStrategy =>
    strategy(() => lines, {
      id: `patcher ${i}`,
      program: () => ({
        words: { inside: 0, never: 0, word: 0, handled: 0, ready: 0 },
        cpuWords: { refs: 0 },
        traps: { brk: handler },
      }),
    });
  const of: Scenario = {
    name: "written",
    sites: patchers.map((_, i) => site("nop", "ret", AT + 4n * BigInt(i))),
    patchers: patchers.map((lines, i) => ({ strategy: patching(lines, i), sites: [i], flips: 1 })),
    executors: [{ entries: [AT], count: 1 }],
    cpus,
    ...only(property),
  };
  const { check } = createSimulation({ architecture: toy({ cpu: { trapsMask: true } }), development: true });
  const found = [];
  for (const reduce of [false, { urgent: true, symmetry: true }, true, { stubborn: true }])
    found.push((await check(of, { reduce, shortest: false })).verdict);
  return found;
};

/** What breaks `lifetime` of a word by the last step, if the comparison sees it. */
const lifetime = (written: Written): Promise<readonly string[]> => verdicts("lifetime", written);

const unsafe = ["unsafe", "unsafe", "unsafe", "unsafe"];

describe("the steps of one CPU are not enough", () => {
  it("where they go round in a circle: others would be put off for ever", async () => {
    const spin = [
      inside,
      tryGet("get", "refs", "got"),
      whileLocal("spin", eq(local("got"), false), [tryGet("again", "refs", "got")]),
    ];
    const patcher = [trap, isInside, free("free", "word"), load("use", "word", "value"), syncCores("sync")];
    expect(await lifetime({ patchers: [patcher], handler: spin })).toEqual(unsafe);
  });

  it("where another CPU writes what they read", async () => {
    const handler = [inside, load("use", "word", "value"), stay];
    expect(await lifetime({ patchers: [[trap, isInside, free("free", "word"), syncCores("sync")]], handler })).toEqual(
      unsafe,
    );
  });

  it("where another CPU waits for something of every CPU that they take away", async () => {
    const patcher = [
      trap,
      free("free", "word"),
      isInside,
      untilEachCpu("wait", "refs", 0),
      load("use", "word", "value"),
      syncCores("sync"),
    ];
    expect(await lifetime({ patchers: [patcher], handler: [inside, put("put", "refs"), stay] })).toEqual(unsafe);
  });

  it("where a third CPU ends what another one waits for", async () => {
    const handler = [tryGet("get", "refs", "got"), inside, load("use", "word", "value"), stay];
    const waits = [
      setEachCpu("refs", "refs", 1),
      trap,
      untilEachCpu("wait", "refs", 0),
      free("free", "word"),
      syncCores("sync"),
    ];
    const ends = [isInside, setEachCpu("clear", "refs", 0), syncCores("sync-other")];
    expect(await lifetime({ patchers: [waits, ends], handler })).toEqual(unsafe);
  });

  it("where a third CPU lets another one go on, which then writes what they read", async () => {
    // The third CPU writes words, the patcher then the text, and the handler looks at the text alone.
    const handler = [inside, expectText("look", AT, [0x02]), stay];
    const patcher = [
      trap,
      isInside,
      sendIpi("interrupt", [set("get-ready", "ready", 1)]),
      until("wait", "ready", 1),
      store("back", AT, [0x00]),
      syncCores("sync"),
    ];
    expect(await verdicts("assertion", { patchers: [patcher], handler, cpus: 3 })).toEqual(unsafe);
  });

  it("where another CPU goes on after its interrupt with what they read", async () => {
    const handler = [inside, until("handled", "handled", 1), load("use", "word", "value"), stay];
    const freeing = [trap, until("until-handled", "handled", 1), free("free", "word"), syncCores("sync")];
    const interrupting = [
      isInside,
      sendIpi("interrupt", [set("handle", "handled", 1), load("look", "never", "value")]),
      waitIpi("wait", "interrupt"),
    ];
    expect(await lifetime({ patchers: [freeing, interrupting], handler })).toEqual(unsafe);
  });

  it("where a CPU is interrupted that then writes what they read", async () => {
    const handler = [inside, load("use", "word", "value"), stay];
    const patcher = [trap, isInside, sendIpi("interrupt", [free("free", "word")]), waitIpi("wait", "interrupt")];
    expect(await lifetime({ patchers: [patcher], handler, cpus: 3 })).toEqual(unsafe);
  });

  it("where another CPU waits for an older interrupt, which they have acknowledged", async () => {
    const handler = [inside, load("use", "word", "value"), stay];
    const patcher = [
      sendIpi("older", [ack("ack-older")]),
      trap,
      isInside,
      sendIpi("newer", [load("look", "never", "value")]),
      waitIpi("wait-older", "older"),
      free("free", "word"),
      syncCores("sync"),
    ];
    expect(await lifetime({ patchers: [patcher], handler })).toEqual(unsafe);
  });
});

stubbornSetsAgree([0, 80, 120]);
