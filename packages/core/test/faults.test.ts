import { describe, expect, it } from "vitest";
import {
  armTrap,
  type Bytes,
  claim,
  createSimulation,
  type Executor,
  emulate,
  type Line,
  mapCode,
  type Scenario,
  store,
  syncCores,
  type Verdict,
} from "../src/index.js";
import { everSeen } from "./naive.js";
import { toy, untilSync } from "./toy/architecture.js";
import { OPAQUE, UNSUPPORTED } from "./toy/instruction-set.js";
import { AT, answer, check, first, only, scenario, site, strategy } from "./toy/scenario.js";
import { windowed } from "./toy/window.js";

/* R48: exceptions that nothing handles, and control that leaves the modelled code. */

const orders = { sequential: toy(), buffered: toy(), window: windowed() } as const;

/** How an executor of code of its own runs. */
type How = Pick<Executor, "faults" | "once">;

/** A site that is changed as it should be, an executor there, and one that runs a block of its own. */
const running = (code: string | Bytes, how: How = {}, more: Partial<Scenario> = {}): Scenario => {
  const { blocks = [], ...rest } = more;
  return scenario(patching, {
    sites: [site("nop", "ret")],
    blocks: [{ address: 0x1200n, code }, ...blocks],
    executors: [
      { entries: [AT], count: 1 },
      { entries: [0x1200n], count: 1, ...how },
    ],
    cpus: 3,
    ...rest,
  });
};

const patching = strategy((flip) => [store("write", AT, first(flip).next), syncCores("sync")]);

const checkIn = (order: keyof typeof orders, of: Scenario): Promise<Verdict> =>
  createSimulation({ architecture: orders[order], development: true }).check({
    memory: order === "sequential" ? "sequential" : "architectural",
    ...of,
  });

const why = (verdict: Verdict): string => (verdict.verdict === "unsafe" ? verdict.why : verdict.verdict);

describe.each(["sequential", "buffered", "window"] as const)("R48 in the %s order", (order) => {
  const answerOf = async (of: Scenario): Promise<string> => answer(await checkIn(order, of));

  it("an exception without a handler is a fault", async () => {
    expect(why(await checkIn(order, running([0xee])))).toBe(
      "The CPU executed (bad) at 0x1200: it raises ud, which nothing handles.",
    );
    expect(why(await checkIn(order, running([UNSUPPORTED])))).toBe(
      "The CPU executed (outside the modelled subset) at 0x1200: it is outside the modelled subset, so what it does is not known.",
    );
    expect(why(await checkIn(order, running("trap")))).toContain("it raises brk, which nothing handles");
    expect(why(await checkIn(order, running("nop+store 0x1200")))).toContain(
      "its store to read-only text at 0x1200 raises pf, which nothing handles",
    );
  });

  it("R50: an opaque instruction is passed and named where nothing depends on it, else a fault", async () => {
    const passed = await checkIn(order, running([OPAQUE, 0x01]));
    expect([passed.verdict === "unsafe", passed.opaque]).toEqual([false, [{ at: 0x1200n, text: "opaque" }]]);
    const loads = await checkIn(order, running([OPAQUE, 0x14, 0x00, 0x80]));
    expect(why(loads)).toBe(
      "The CPU executed opaque at 0x1200: what it does is not modelled, and load 0x8000 at 0x1201 may depend on it.",
    );
    expect(loads.opaque).toBeUndefined();
  });

  it("R50: an opaque instruction that nobody wrote is none", () => {
    const { machine } = createSimulation({ architecture: orders[order] });
    const scenario = running([OPAQUE, 0x01]);
    expect(machine(scenario).decode([OPAQUE], 0x1200n, "")).toMatchObject({ opaque: true });
    expect(machine(scenario).decode([OPAQUE], 0x1201n, "")).toBe("unsupported");
  });

  it("the executor's own handler takes it", async () => {
    const handled = (code: string | Bytes, handler = "ret"): Promise<Verdict> =>
      checkIn(order, running(code, { faults: 0x1300n }, { blocks: [{ address: 0x1300n, code: handler }] }));
    for (const code of [[0xee], "trap", "store 0x1200"]) expect(answer(await handled(code))).toBe("safe");
    expect(why(await handled("trap", "nop"))).toContain("nop at 0x1300: it goes on at 0x1301");
    const nowhere = checkIn(order, running("trap", { faults: 0x1400n }));
    expect(why(await nowhere)).toContain("it goes on at 0x1400, where nothing is modelled and which no code names");
    // What nobody knows the effect of is no exception.
    expect(answer(await handled([UNSUPPORTED]))).toBe("unsafe: fault");
  });

  it("code ends at its return, and runs off its end only where it runs once", async () => {
    expect(await answerOf(running("nop+ret"))).toBe("safe");
    expect(why(await checkIn(order, running("nop")))).toBe(
      "The CPU executed nop at 0x1200: it goes on at 0x1201, where nothing is modelled and which no code names.",
    );
    const once = { once: true } as const;
    expect(await answerOf(running("nop", once))).toBe("safe");
    // A branch names where it goes.
    expect(await answerOf(running("jump 0x1300", once))).toBe("safe");
    // What a handler sends elsewhere does not run off the end of the code that ends there.
    const sent = { ...once, faults: 0x1301n };
    expect(await answerOf(running("trap", sent, { blocks: [{ address: 0x1300n, code: "ret" }] }))).toBe(
      "unsafe: fault",
    );
    expect(await answerOf(running([0xee], once))).toBe("unsafe: fault");
  });

  it("a branch goes where it is written to, and nobody else names that place", async () => {
    const sites = [site("nop3", "jump 0x1500")];
    const patched = scenario(
      strategy((flip) => [store("write", AT, first(flip).next, { width: 4 }), syncCores("sync")]),
      { sites, ...only("fault") },
    );
    // Its bytes become visible one by one; what is torn goes elsewhere.
    expect(why(await checkIn(order, patched))).toMatch(/^The CPU executed jump 0x[01]*0 at 0x1010: it goes on at 0x/);
    const whole = { ...toy({ fetch: { ...untilSync, unit: 4 } }) };
    expect(answer(await createSimulation({ architecture: whole }).check(patched))).toBe("safe");
  });

  it("what begins in the middle of an instruction is none of the code", async () => {
    // The operand of nop3 holds two instructions.
    const middle = (to: string, more: Partial<Scenario> = {}): Promise<Verdict> =>
      checkIn(order, running(to, {}, { ...more, blocks: [{ address: 0x1300n, code: "nop3 0x100+ret" }] }));
    const stray = "no instruction of the code that lies there begins at that address.";
    expect(why(await middle("jump 0x1301"))).toBe(`The CPU executed nop at 0x1301: ${stray}`);
    expect(why(await middle("jump 0x1302"))).toBe(`The CPU executed ret at 0x1302: ${stray}`);
    for (const border of ["0x1300", "0x1303"]) expect(answer(await middle(`jump ${border}`))).toBe("safe");
    // Whoever means it says so, and reads on from there.
    expect(answer(await middle("jump 0x1301", { exits: [0x1301n] }))).toBe("safe");
    expect(answer(await middle("jump 0x1302", { exits: [0x1301n] }))).toBe("safe");
    expect(answer(await middle("jump 0x1301", { exits: [0x1302n] }))).toBe("unsafe: fault");
    const starts = { executors: [{ entries: [AT, 0x1301n], count: 1 }] };
    expect(answer(await middle("ret", starts))).toBe("safe");
    // Who takes a place twice, in one form and in another, means both.
    const twice = [
      { address: 0x1300n, code: "nop3 0x100+ret" },
      { address: 0x1301n, code: "nop+ret" },
    ];
    expect(await answerOf(running("jump 0x1301", {}, { blocks: twice }))).toBe("safe");
  });

  it("nor is what begins in data, or goes on into a site", async () => {
    const data = (address: string): Promise<Verdict> =>
      checkIn(order, running(`jump ${address}`, {}, { blocks: [{ address: 0x1300n, code: ".quad 0x100+ret" }] }));
    expect(why(await data("0x1300"))).toContain("0x1300: no instruction of the code that lies there begins");
    expect(answer(await data("0x1308"))).toBe("safe");
    const cut = running("ret", {}, { blocks: [{ address: AT - 1n, code: [0x13] }] });
    const into = { ...cut, sites: [site("nop+nop", "nop+ret")], executors: [{ entries: [AT - 1n], count: 1 }] };
    expect(why(await checkIn(order, into))).toMatch(/ at 0x100f: it goes on into the site at 0x1010\.$/);
  });

  it("the scenario names further exits", async () => {
    expect(await answerOf(running("nop", {}, { exits: [0x1201n] }))).toBe("safe");
    expect(await answerOf(running("nop", {}, { exits: [0x1202n] }))).toBe("unsafe: fault");
  });
});

it("R48: what fills the gap between code and the next cell is none of it", async () => {
  const wide = toy({ fetch: { ...untilSync, unit: 4 } });
  const sites = [site("nop", "ret", 0x1013n)];
  const whole = strategy((flip) => [store("write", 0x1013n, first(flip).next), syncCores("sync")]);
  const of = scenario(whole, { sites, ...only("fault") });
  const falls = { blocks: [{ address: 0x1200n, code: "jump 0x1010" }], executors: [{ entries: [0x1200n], count: 1 }] };
  const verdict = await createSimulation({ architecture: wide }).check({ ...of, ...falls });
  expect(why(verdict)).toBe("The CPU executed nop at 0x1010: nothing is modelled there.");
});

it("R48: of text that is mapped anew, what is mapped now says where instructions begin", async () => {
  const mapping = (code: string): Promise<Verdict> =>
    check({
      ...running("jump 0x1301", {}, { blocks: [{ address: 0x1300n, code: "nop+ret+nop+nop" }] }),
      patchers: [
        { strategy: strategy(() => [mapCode("map", 0x1300n, code), syncCores("sync")]), sites: [0], flips: 1 },
      ],
      ...only("fault"),
    });
  expect(answer(await mapping("nop+ret+nop+nop"))).toBe("safe");
  expect(why(await mapping("nop3 0x100+ret"))).toContain(
    "at 0x1301: no instruction of the code that lies there begins",
  );
});

it("R48: what a step stores is code from its first byte on", async () => {
  const storing = (at: bigint, bytes: Bytes): Promise<Verdict> => {
    const writes = [{ address: 0x1300n, size: 4 }];
    const storer = strategy(() => [store("write", at, bytes, { width: 4 }), syncCores("sync")], {
      program: () => ({ around: { writes } }),
    });
    const of = running("jump 0x1301", {}, { blocks: [{ address: 0x1300n, code: "nop3 0x100+ret" }] });
    return check({ ...of, patchers: [{ strategy: storer, sites: [0], flips: 1 }], ...only("fault") });
  };
  expect(answer(await storing(0x1300n, [0, 0, 1, 1]))).toBe("safe");
  expect(answer(await storing(0x1301n, [0, 1, 1]))).toBe("safe");
  expect(answer(await storing(0x1300n, [0x10, 0, 0, 1]))).toBe("unsafe: fault");
});

it("R48: nothing behind a store to read-only text takes place, however far ahead it was fetched", () => {
  const stores = (code: string): ReadonlySet<string> => {
    const machine = createSimulation({ architecture: windowed() }).machine({
      ...running(code, { faults: 0x1300n }, { blocks: [{ address: 0x1300n, code: "ret" }] }),
      executors: [{ entries: [0x1200n], count: 1, faults: 0x1300n }],
      cpus: 2,
      memory: "architectural",
    });
    return everSeen(machine, "window-store", ({ detail }) => `0x${detail.address.toString(16)}`);
  };
  expect(stores("store 0x4000+store 0x4400+ret")).toEqual(new Set(["0x4000", "0x4400"]));
  expect(stores("store 0x1200+store 0x4400+ret")).toEqual(new Set([]));
});

describe("what else broke where something faults", () => {
  // The old instruction's operand changes under the CPU: it jumps to where neither version does.
  const torn = scenario(
    strategy((flip) => [store("write", AT, first(flip).next), syncCores("sync")]),
    { sites: [site("jump 0x1111", "jump 0x2222")] },
  );

  it("is what counts, and the fault a consequence that is said", async () => {
    const verdict = await check({ ...torn, ...only("fault", "old-or-new") });
    expect(verdict).toMatchObject({ verdict: "unsafe", property: "old-or-new", alsoBroken: [] });
    expect(verdict.verdict === "unsafe" && verdict.broken.map(({ property }) => property)).toEqual(["old-or-new"]);
    expect(verdict.faults).toEqual([expect.stringContaining("it goes on at 0x1122")]);
  });

  it("but a fault counts where the cause does not", async () => {
    expect(answer(await check({ ...torn, ...only("fault") }))).toBe("unsafe: fault");
    const cause = await check({ ...torn, ...only("old-or-new") });
    expect(cause).toMatchObject({ verdict: "unsafe", property: "old-or-new", alsoBroken: [] });
    expect(cause.faults).toContainEqual(expect.stringContaining("it goes on at 0x1122"));
  });

  it("and is said where it does not count itself", async () => {
    const verdict = await check(running([0xee], {}, { ignore: ["fault"] }));
    expect(verdict).toMatchObject({ verdict: "safe", notPromised: ["fault"] });
    expect(verdict.faults).toEqual(["The CPU executed (bad) at 0x1200: it raises ud, which nothing handles."]);
  });
});

describe("a handler", () => {
  const handled = (lines: readonly Line[], code: string | Bytes = "trap"): Promise<Verdict> => {
    const { patchers: _, ...of } = running(code);
    const armed = strategy((flip) => [armTrap("arm", "brk"), store("write", AT, first(flip).next), syncCores("sync")], {
      program: () => ({ traps: { brk: lines } }),
    });
    return check({ ...of, patchers: [{ strategy: armed, sites: [0], flips: 1 }] });
  };

  it("that claims the code's own breakpoint handles it", async () => {
    expect(answer(await handled([emulate("run", "00"), claim()], "trap+ret"))).toBe("safe");
    expect(why(await handled([]))).toBe("The CPU executed trap at 0x1200: it raises brk, which nothing handles.");
  });

  it("that executes what raises an exception itself does not", async () => {
    expect(why(await handled([emulate("run", "ee"), claim()], "trap+ret"))).toBe(
      "The CPU executed (bad) at 0x1200: it raises ud, which nothing handles.",
    );
  });

  it("that sends its code away does not", async () => {
    expect(why(await handled([emulate("run", "110077"), claim()], "trap+ret"))).toBe(
      "The CPU executed what handles brk at 0x1200: it goes on at 0x7700, where nothing is modelled and which no code names.",
    );
  });
});
