import {
  claim,
  createSimulation,
  emulate,
  enterWindow,
  type Flip,
  fence,
  free,
  type Line,
  leaveWindow,
  lookup,
  type PatchProgram,
  type PatchStrategy,
  type PropertyId,
  propertyIds,
  readLock,
  type Scenario,
  step,
  store,
  syncCores,
  waitRcuTasksRude,
  waitSrcu,
} from "@cmodx/core";
import { valuesOf } from "@cmodx/view";
import { x86 } from "@cmodx/x86";
import { describe, expect, test } from "vitest";

const AT = 0xffffffff_81000000n;

const strategy = (
  id: string,
  lines: (flip: Flip) => readonly Line[],
  more: Omit<PatchProgram, "main">,
): PatchStrategy => ({
  id,
  summary: "written for one test",
  source: "this test",
  architectures: ["x86"],
  defaultSite: "nop5:call",
  promises: propertyIds,
  plan: (flip) => ({ main: lines(flip), ...more }),
});

/** The values of a property that a scenario breaks first, one line each. */
const values = async (property: PropertyId, of: Partial<Scenario>, ...strategies: readonly PatchStrategy[]) => {
  const simulation = createSimulation({ architecture: x86({ fetch: "amd" }) });
  const scenario: Scenario = {
    name: "a test",
    sites: [{ address: AT, old: "nop5", new: "call" }],
    patchers: strategies.map((each) => ({ strategy: each, sites: [0], flips: 1 })),
    cpus: 2,
    properties: [property],
    ...of,
  };
  const verdict = await simulation.check(scenario);
  if (verdict.verdict !== "unsafe") throw new Error(`It was to break ${property}.`);
  return valuesOf(property, simulation.machine(scenario), verdict.trace).map(({ name, value }) => `${name}: ${value}`);
};

const trap = store("trap", AT, [0xcc]);

describe("the values of a broken property", () => {
  test("lifetime: where the word was freed, and where it was used", async () => {
    const lines = [trap, syncCores("sync"), free("forget", "table")];
    const handler = [lookup("find", "table", "entry"), claim()];
    const found = await values(
      "lifetime",
      {},
      strategy("early", () => lines, { traps: { int3: handler }, words: { table: [] } }),
    );
    expect(found).toEqual([
      expect.stringMatching(/^freed: step \d+, CPU 0: forget$/),
      expect.stringMatching(/^used: step \d+, CPU 1: find$/),
    ]);
  });

  test("emulation: both versions, what the handler did, and where the code went on", async () => {
    const handler = [emulate("wrong", "6690"), claim()];
    const found = await values(
      "emulation",
      {},
      strategy("wrong", () => [trap], { traps: { int3: handler } }),
    );
    expect(found).toEqual([
      "old: 0f 1f 44 00 00  nop5",
      "new: e8 fb 0f 00 00  call 0xffffffff81001000",
      expect.stringMatching(/^handler: wrong: emulates nop2 \(step \d+\)$/),
      "resumed: at +2",
    ]);
  });

  test("exclusive: who was inside since when", async () => {
    const lines = [enterWindow("in", "fixmap"), trap, leaveWindow("out", "fixmap")];
    const found = await values(
      "exclusive",
      {},
      strategy("one", () => lines, {}),
      strategy("two", () => lines, {}),
    );
    expect(found).toHaveLength(2);
    expect(found.map((text) => text.replace(/step \d+/, "step"))).toEqual(
      expect.arrayContaining(["inside: since step, CPU 0: in", "inside: since step, CPU 1: in"]),
    );
  });

  test("fault: the instruction, its address and why", async () => {
    const astray = { sites: [{ address: AT, old: "nop5", new: "call", after: "jmp rbx" }] };
    const found = await values(
      "fault",
      astray,
      strategy("nothing", () => [fence("wait", "mb")], {}),
    );
    expect(found).toEqual([
      "instruction: ff e3  jmp rbx, by CPU 1",
      "address: +5",
      "why: it goes on at 0x0, where nothing is modelled and which no code names",
    ]);
  });

  test("trap-owned: no handler at all", async () => {
    const found = await values(
      "trap-owned",
      {},
      strategy("bare", () => [trap], {}),
    );
    expect(found).toEqual([
      expect.stringMatching(/^stored: step \d+, CPU 0: trap$/),
      expect.stringMatching(/^fetched: step \d+, CPU 1$/),
      "handler: none is registered",
    ]);
  });

  test("progress: a grace period that its own waiter holds back", async () => {
    const lines = (): readonly Line[] => [readLock("enter", "srcu:list"), waitSrcu("wait", "list")];
    expect(await values("progress", {}, strategy("reader", lines, {}))).toEqual([
      "waits: CPU 0, patcher 0 at wait: for the srcu:list grace period to end; patcher 0 holds it back",
    ]);
  });

  test("mid-sequence: the passage goes on on another CPU", async () => {
    // Nobody enters any more, and every CPU has switched: only a task that was preempted inside is left.
    const lines = (flip: Flip): readonly Line[] => [
      trap,
      syncCores("sync"),
      waitRcuTasksRude("wait"),
      store("write", AT, flip.sites[0]?.next ?? [], { width: 8 }),
    ];
    const handler = [step("again", "restart"), claim()];
    const found = await values(
      "mid-sequence",
      { sites: [{ address: AT, old: "nop+nop4", new: "call" }], preempt: true, cpus: 3, executors: [{ count: 2 }] },
      strategy("rude", lines, { traps: { int3: handler } }),
    );
    expect(found).toEqual([
      expect.stringMatching(/^passage: nop at \+0, old: step \d+, CPU \d$/),
      expect.stringMatching(/^then: .* at \+1, neither version: step \d+, CPU \d$/),
    ]);
  });
});
