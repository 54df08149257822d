import * as arm64 from "@cmodx/arm64";
import * as armv7 from "@cmodx/armv7";
import * as riscv from "@cmodx/riscv";
import * as x86 from "@cmodx/x86";
import { describe, expect, it } from "vitest";
import {
  type Architecture,
  costPresets,
  createSimulation,
  type FlipSite,
  InputError,
  type Observation,
  type PatchStrategy,
  type TimedCall,
  TimedDriver,
  type TimedEvent,
  type TimedScenario,
  walk,
  withCosts,
} from "../src/index.js";

/** The default model with so many passages that breakpoints are met. */
const [server] = costPresets;
if (server === undefined) throw new Error("There is a cost model.");
const busy = withCosts(server, { passRate: 50_000_000, maskedPart: 0.2 }, "a test");

const nop = [0x0f, 0x1f, 0x44, 0x00, 0x00];
const call = [0xe8, 0x00, 0x10, 0x00, 0x00];
const base = 0xffff_ffff_8100_0000n;
const sitesOf = (count: number, from = base): readonly FlipSite[] =>
  Array.from({ length: count }, (_, i) => ({ address: from + BigInt(64 * i), old: nop, next: call }));

const timed = (scenario: Partial<TimedScenario> & Pick<TimedScenario, "patchers">) => {
  const events: TimedEvent[] = [];
  const driver = new TimedDriver(
    { architecture: x86.x86({}), cpus: 4, cost: server, seed: 1, ...scenario },
    (event) => void events.push(event),
  );
  while (!driver.advance(100_000));
  return { run: driver.result, events };
};

const one = (strategy: PatchStrategy, sites: readonly FlipSite[]): { readonly calls: readonly TimedCall[] } => ({
  calls: [{ strategy, sites }],
});

/** What patchers do that both drivers have to tell in the same order. */
const told: ReadonlySet<string> = new Set(
  "store send-ipi wait-ipi queue-stop stopped lock unlock begin-grace grace enterWindow leaveWindow maintain set publish-event".split(
    " ",
  ),
);
/** What the handlers of a trap do. */
const handled: ReadonlySet<string> = new Set(
  "try-get put lookup emulate restart trap-unclaimed return-from-trap".split(" "),
);
/** What is counted. */
const counted = ["take-ipi", "ack", "queue-stop", "ack-stop", "exit-stopper", "send-ipi"] as const;

const storeOf = ({ what, detail }: Observation): string =>
  what === "store" ? ` 0x${detail.address.toString(16)} ${detail.bytes}` : "";

/** The pieces of stores that follow each other are one. */
const joined = (lines: readonly string[]): readonly string[] => {
  const out: string[] = [];
  for (const line of lines) {
    const [, at, bytes] = /^store 0x(\w+) (\w+)$/.exec(line) ?? [];
    const [, before, had] = /^store 0x(\w+) (\w+)$/.exec(out.at(-1) ?? "") ?? [];
    if (at && before && had && BigInt(`0x${at}`) === BigInt(`0x${before}`) + BigInt(had.length / 2))
      out[out.length - 1] = `store 0x${before} ${had}${bytes}`;
    else out.push(line);
  }
  return out;
};

/** The steps of each trap, from its entry to its return, on one CPU after the other. */
const trapsIn = (events: readonly { readonly cpu: number; readonly what: string }[]): ReadonlySet<string> => {
  const open = new Map<number, string[]>();
  const all = new Set<string>();
  for (const { cpu, what } of events) {
    if (what === "enter-trap") open.set(cpu, []);
    else if (handled.has(what)) open.get(cpu)?.push(what);
    if (what === "return-from-trap") all.add((open.get(cpu) ?? []).join(" "));
  }
  return all;
};

const compared = (
  architecture: Architecture,
  strategy: PatchStrategy,
  texts: readonly [string, string],
  mode?: string,
) => {
  const cpus = 3;
  const given = mode === undefined ? {} : { mode };
  const scenario = {
    name: strategy.id,
    sites: [{ address: architecture.base, old: texts[0], new: texts[1], ...given }],
    patchers: [{ strategy, sites: [0], flips: 1 }],
    cpus,
  };
  const machine = createSimulation({ architecture }).machine(scenario);
  const [site] = machine.layout.sites;
  if (site === undefined) throw new Error("There is a site.");
  const seeds = [1, 2, 3, 4, 5, 6, 7, 8];
  const walks = seeds.map((seed) =>
    [...walk(machine, { seed })].flatMap(({ cpu, observed }) =>
      observed.map((each) => ({ cpu, each, what: each.what })),
    ),
  );
  const flip = { address: site.address, old: site.versions[0].bytes, next: site.versions[1].bytes };
  const calls = [{ strategy, sites: [flip], ...given }];
  const { run, events } = timed({ architecture, cpus, cost: busy, patchers: [{ calls }] });
  const patcherOf = (list: readonly { readonly what: string; readonly cpu: number }[]): number =>
    list.find(({ what }) => what === "begin-call")?.cpu ?? 0;
  const mine = joined(
    events
      .filter(({ what }) => told.has(what))
      .map(({ what, detail }) => (what === "store" ? `store ${detail}` : what)),
  );
  for (const list of walks) {
    expect(patcherOf(list)).toBe(patcherOf(events));
    expect(mine).toEqual(
      joined(list.filter(({ what }) => told.has(what)).map(({ each }) => each.what + storeOf(each))),
    );
    for (const what of counted)
      expect([what, events.filter((each) => each.what === what).length]).toEqual([
        what,
        list.filter((each) => each.what === what).length,
      ]);
  }
  const possible = new Set(walks.flatMap((list) => [...trapsIn(list)]));
  return { run, traps: trapsIn(events), possible };
};

describe("a run of compiled programs, beside the machine", () => {
  const machines = {
    x86: x86.x86({}),
    arm64: arm64.arm64({}),
    armv7: armv7.armv7({}),
    riscv: riscv.riscv({}),
  };
  const cases: readonly (readonly [keyof typeof machines, PatchStrategy, readonly [string, string]])[] = [
    ["x86", x86.int3(), ["nop5", "call"]],
    ["x86", x86.int3({ events: true }), ["nop5", "call"]],
    ["x86", x86.stopMachine(), ["nop5", "call"]],
    ["arm64", arm64.nosyncIpi(), ["nop", "b"]],
    ["arm64", arm64.stopMachine(), ["nop", "b"]],
    ["armv7", armv7.stopMachineLinux(), ["nop", "b"]],
    ["armv7", armv7.nosync(), ["nop", "b"]],
    ["riscv", riscv.nosync(), ["nop", "j"]],
  ];
  for (const [id, strategy, texts] of cases)
    it(`does what the machine does, in its order: ${id} ${strategy.id}`, () => {
      compared(machines[id], strategy, texts);
    });

  it("runs the handlers of breakpoints as the machine does", () => {
    for (const [id, strategy, texts] of [
      ["x86", x86.int3(), ["nop5", "call"]],
      ["arm64", arm64.brkEmulateSynced(), ["nop", "b"]],
    ] as const) {
      const { run, traps, possible } = compared(machines[id], strategy, texts);
      expect(run.traps).toBeGreaterThan(0);
      expect(run.unclaimed).toBe(0);
      for (const trap of traps) expect(possible).toContain(trap);
    }
  });
});

describe("what a run costs", () => {
  it("counts batches and rounds as the strategy makes them", () => {
    expect(timed({ patchers: [one(x86.int3Batch(), sitesOf(600))] }).run).toMatchObject({
      complete: true,
      calls: 1,
      sites: 600,
      batches: 3,
      rounds: 9,
      writes: 1800,
      interrupts: 27,
    });
    const calls = sitesOf(20).map((site) => ({ strategy: x86.int3(), sites: [site] }));
    expect(timed({ patchers: [{ calls }] }).run).toMatchObject({ calls: 20, rounds: 60, batches: 20 });
    const armv7Calls = Array.from({ length: 7 }, (_, i) => ({
      address: 0x8000n + BigInt(4 * i),
      old: [0x00, 0xf0, 0x20, 0xe3],
      next: [0, 0, 0, 0xea],
    }));
    expect(
      timed({ architecture: armv7.armv7({}), patchers: [one(armv7.stopMachineLinux(), armv7Calls)] }).run,
    ).toMatchObject({ stops: 7, sites: 7 });
  });

  it("is the same for the same seed, and another for another", () => {
    const of = (seed: number) => timed({ seed, cost: busy, patchers: [one(x86.int3Batch(), sitesOf(20))] }).run;
    expect(of(1)).toEqual(of(1));
    expect(of(1)).not.toEqual(of(2));
  });

  it("has patchers wait for each other's text_mutex", () => {
    const both = [one(x86.int3Batch(), sitesOf(300)), one(x86.int3Batch(), sitesOf(1, base + 0x10_0000n))];
    const { run, events } = timed({ patchers: both });
    expect(run).toMatchObject({ calls: 2, sites: 301 });
    expect(run.contended).toBeGreaterThan(0);
    const locks = events
      .filter(({ what }) => what === "lock" || what === "unlock")
      .map(({ what, cpu }) => `${cpu} ${what}`);
    expect(locks).toEqual(["0 lock", "0 unlock", "1 lock", "1 unlock"]);
  });

  it("composes calls: what is enabled is disabled again, while another patcher flips a key", () => {
    const sites = sitesOf(40);
    const back = sites.slice(0, 10).map(({ address, old, next }) => ({ address, old: next, next: old }));
    const strategy = x86.int3Batch();
    const key = sitesOf(2, base + 0x10_0000n);
    const { run } = timed({
      patchers: [
        {
          calls: [
            { strategy, sites },
            { strategy, sites: back },
          ],
        },
        { calls: [{ strategy, sites: key }], begins: 5000 },
      ],
    });
    expect(run).toMatchObject({ calls: 3, sites: 52, rounds: 9 });
  });

  it("costs executors what interrupts, breakpoints and stops take", () => {
    const quiet = timed({ patchers: [one(x86.int3(), sitesOf(1))] }).run;
    const stop = timed({ patchers: [one(x86.stopMachine(), sitesOf(1))] }).run;
    expect(stop.longestPause.max).toBeGreaterThan(quiet.longestPause.max);
    expect(stop.stopped).toBeGreaterThan(0);
    expect(quiet.stopped).toBe(0);
  });

  it("reads nothing into programs that it does not know", () => {
    const strategy: PatchStrategy = { ...x86.int3(), plan: () => ({ impossible: "it is a test." }) };
    expect(() => timed({ patchers: [one(strategy, sitesOf(1))] })).toThrow(InputError);
    expect(() => timed({ cpus: 1, patchers: [one(x86.int3(), sitesOf(1)), one(x86.int3(), sitesOf(1))] })).toThrow(
      "2 patchers need as many CPUs; there are 1.",
    );
    expect(() => withCosts(server, { ipisend: 3 }, "a test")).toThrow("did you mean ipiSend");
    expect(() => withCosts(server, { ipiSend: -3 }, "a test")).toThrow("has to be a number from 0 on, not -3");
  });
});
