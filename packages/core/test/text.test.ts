import { describe, expect, it } from "vitest";
import {
  type Architecture,
  claim,
  createSimulation,
  emulate,
  expectText,
  type FetchModel,
  type Flip,
  freeCode,
  freeData,
  type Line,
  mapCode,
  type Plugin,
  RULES,
  rule,
  type Scenario,
  setMemoryNx,
  setMemoryRo,
  setMemoryRw,
  setMemoryX,
  step,
  store,
  storeData,
  syncCores,
  type TextRange,
  toHex,
  waitRcu,
  waitRcuTasks,
  waitRcuTasksRude,
} from "../src/index.js";
import { everSeen, visit } from "./naive.js";
import { granules, toy, untilMaintenance, untilSync } from "./toy/architecture.js";
import { AT, answer, first, only, scenario, site, strategy } from "./toy/scenario.js";
import { windowed } from "./toy/window.js";

/** Where a trampoline lies. */
const SLOT = 0x2000n;

/** Instructions of the sites and of the slot lie in one unit each, so that nothing is torn. */
const whole: FetchModel = { ...untilSync, unit: 4 };
const never: FetchModel = { ...whole, stale: "never" };

/** Every order of data memory that machine code runs in. */
const ordersWith = (fetch: FetchModel): readonly (readonly [string, Pick<Scenario, "memory">, Architecture])[] => [
  ["sequential", {}, toy({ fetch })],
  ["buffered", { memory: "architectural" }, toy({ fetch })],
  ["window", { memory: "architectural" }, windowed({}, { fetch })],
];
const orders = ordersWith(whole);
const inEveryOrder = it.each(orders);

type Order = readonly [Pick<Scenario, "memory">, Architecture];

const verdict = (of: Scenario, [order, architecture]: Order) =>
  createSimulation({ architecture, development: true }).check({ ...of, ...order });

/** A site that jumps to a slot at first; what is done when it no longer does. */
const leaving = (then: readonly Line[], more: Partial<Scenario> = {}): Scenario =>
  scenario(
    strategy((flip) => [store("unhook", AT, first(flip).next, { width: 4 }), syncCores("sync"), ...then], {
      program: () => ({ around: { writes: [{ address: SLOT, size: 8 }] } }),
    }),
    {
      sites: [site("jump 0x2000", "nop3")],
      blocks: [{ address: SLOT, code: "nop+nop+ret" }],
      ...only("lifetime", "old-or-new"),
      ...more,
    },
  );

describe("text that is given back", () => {
  const free = freeCode("free", SLOT, 3);

  inEveryOrder("breaks lifetime with a task in it, in the %s order", async (_, ...order) => {
    const without = await verdict(leaving([free]), order);
    expect(without).toMatchObject({ verdict: "unsafe", property: "lifetime" });
    expect(answer(await verdict(leaving([waitRcuTasks("wait"), free]), order))).toBe("safe");
  });

  it.each(ordersWith(never))("also with one that was preempted in it, in the %s order", async (_, ...order) => {
    const more = { preempt: true, executors: [{ count: 1 }] };
    const without = await verdict(leaving([free], more), order);
    expect(answer(without)).toBe("unsafe: lifetime");
    expect(answer(await verdict(leaving([waitRcuTasks("wait"), free], more), order))).toBe("safe");
  });

  it("also with one that comes there later", () => {
    const of = scenario(
      strategy(() => [free]),
      { sites: [site("jump 0x2000", "nop3")], blocks: [{ address: SLOT, code: "nop+nop+ret" }] },
    );
    for (const [name, order, architecture] of ordersWith(never)) {
      const machine = createSimulation({ architecture }).machine({ ...of, ...order });
      const reasons = everSeen(machine, "execute", ({ detail }) => String(detail.freed));
      expect([...reasons], name).toContain("the text there was given back");
    }
  });

  it("also with an interrupt in it", async () => {
    const of = (...wait: readonly Line[]): Scenario => ({
      ...leaving([], { interrupts: { nmi: true } }),
      patchers: [
        {
          strategy: strategy((flip) => [store("unhook", AT, first(flip).next, { width: 4 }), ...wait, free]),
          sites: [0],
          flips: 1,
        },
      ],
      blocks: [
        { address: SLOT, code: "nop+nop+ret" },
        { address: 0x3000n, code: "ret" },
      ],
      // Interrupts call the site, and tasks do not.
      executors: [{ count: 0 }, { entries: [0x3000n], count: 1 }],
    });
    const order: Order = [{}, toy({ fetch: never })];
    expect(answer(await verdict(of(), order))).toBe("unsafe: lifetime");
    expect(answer(await verdict(of(waitRcu("wait")), order))).toBe("safe");
  });

  it("what a task resumes in breaks it before anything is executed", () => {
    const of = leaving([free], { preempt: true, executors: [{ count: 1 }] });
    const machine = createSimulation({ architecture: toy({ fetch: never }) }).machine(of);
    const seen = everSeen(machine, "resume", ({ detail }) => String(detail.freed));
    expect([...seen].some((why) => why.includes("was given back"))).toBe(true);
  });

  inEveryOrder("is not patched, read or given back again, in the %s order", async (_, ...order) => {
    const gone = [waitRcuTasks("wait"), free];
    for (const use of [
      store("patch", SLOT, [0x00]),
      expectText("verify", SLOT, [0x00]),
      freeCode("again", SLOT + 1n, 1),
    ])
      expect(answer(await verdict(leaving([...gone, use]), order)), use.id).toBe("unsafe: lifetime");
  });

  it("is not loaded from, nor stored to, by whoever runs", async () => {
    for (const code of ["load 0x2000+ret", "store 0x2000+ret"])
      for (const [name, ...order] of orders) {
        const of = leaving([waitRcuTasks("wait"), free], {
          blocks: [
            { address: SLOT, code: "nop+nop+ret" },
            { address: 0x3000n, code },
          ],
          executors: [{ entries: [0x3000n] }],
          text: [{ address: SLOT, size: 3, access: "rwx" }],
        });
        expect(answer(await verdict(of, order)), `${code}, ${name}`).toBe("unsafe: lifetime");
      }
  });

  inEveryOrder("what was fetched from it and thrown away does not count, in the %s order", async (_, ...order) => {
    // Nobody gets to the slot: it is freed while it is fetched ahead at the most.
    const of = scenario(
      strategy(() => [freeCode("free", SLOT, 3)]),
      {
        sites: [site("nop3", "nop3")],
        blocks: [{ address: SLOT, code: "nop+nop+ret" }],
        ...only("lifetime"),
      },
    );
    expect(answer(await verdict(of, order))).toBe("safe");
  });
});

describe("data that is given back", () => {
  inEveryOrder("breaks lifetime with a task on its way to it, in the %s order", async (_, ...order) => {
    const more = {
      blocks: [{ address: SLOT, code: "nop+load 0x9000+ret" }],
      data: [{ address: 0x9000n, bytes: [1, 0] }],
    };
    const kfree = freeData("kfree", 0x9000n, 2);
    expect(answer(await verdict(leaving([kfree], more), order))).toBe("unsafe: lifetime");
    expect(answer(await verdict(leaving([waitRcuTasks("wait"), kfree], more), order))).toBe("safe");
  });

  inEveryOrder("breaks lifetime with a task that stores to it, in the %s order", async (_, ...order) => {
    const more = { blocks: [{ address: SLOT, code: "nop+store 0x9000+ret" }], ...only("lifetime") };
    const kfree = freeData("kfree", 0x9000n, 2);
    expect(await verdict(leaving([kfree], more), order)).toMatchObject({
      property: "lifetime",
      why: "The data at 0x9000 was stored to after it had been given back.",
    });
    expect(answer(await verdict(leaving([waitRcuTasks("wait"), kfree], more), order))).toBe("safe");
  });

  inEveryOrder("breaks lifetime when it is given back twice, in the %s order", async (_, ...order) => {
    const kfree = (id: string) => freeData(id, 0x9000n, 2);
    expect(await verdict(leaving([kfree("kfree"), kfree("again")]), order)).toMatchObject({
      property: "lifetime",
      why: "The data at 0x9000 was given back twice.",
    });
    const anew = storeData("alloc", 0x9000n, [1, 2]);
    expect(answer(await verdict(leaving([kfree("kfree"), anew, kfree("again")]), order))).toBe("safe");
  });

  it("breaks lifetime with a handler that emulates a load of it or a store there", async () => {
    const bytes = (text: string) => toy().instructionSet.assemble(text, AT) as readonly number[];
    const emulating = (...emulated: readonly number[]): Scenario =>
      scenario(
        strategy((flip) => [freeData("kfree", 0x9000n, 2), store("brk", AT, bytes("trap")), ...rest(flip)], {
          program: () => ({ traps: { brk: [emulate("emulate", toHex(emulated)), claim()] } }),
        }),
        { sites: [site("nop3", "jump 0x2000")], blocks: [{ address: SLOT, code: "ret" }], ...only("lifetime") },
      );
    const rest = (flip: Flip) => [
      syncCores("sync"),
      store("new", AT, first(flip).next, { width: 4 }),
      syncCores("end"),
    ];
    const order: Order = [{}, toy({ fetch: never })];
    expect(answer(await verdict(emulating(...bytes("nop3")), order))).toBe("safe");
    expect(answer(await verdict(emulating(...bytes("load 0x9000")), order))).toBe("unsafe: lifetime");
    expect(answer(await verdict(emulating(...bytes("store 0x9000")), order))).toBe("unsafe: lifetime");
  });
});

describe("text in which other code is mapped", () => {
  const REUSED = "add 7+ret";

  it.each(ordersWith(never))("breaks lifetime with a task that was in it, in the %s order", async (_, ...order) => {
    const more = { preempt: true, executors: [{ count: 1 }] };
    const reuse = [mapCode("reuse", SLOT, REUSED), syncCores("sync-reuse")];
    const found = await verdict(leaving(reuse, { ...more, ...only("lifetime") }), order);
    expect(found).toMatchObject({ verdict: "unsafe", property: "lifetime" });
    expect(answer(await verdict(leaving([waitRcuTasks("wait"), ...reuse], more), order))).toBe("safe");
  });

  /** The site jumps to the slot once that holds other code. */
  const arriving = (...between: readonly Line[]): Scenario =>
    scenario(
      strategy((flip) => [
        freeCode("free", SLOT, 3),
        mapCode("map", SLOT, REUSED),
        ...between,
        store("hook", AT, first(flip).next, { width: 4 }),
        syncCores("sync"),
      ]),
      {
        sites: [site("nop3", "jump 0x2000")],
        blocks: [{ address: SLOT, code: "nop+nop+ret" }],
        ...only("lifetime", "old-or-new"),
      },
    );

  inEveryOrder("is fetched through what CPUs hold of the old code, in the %s order", async (_, ...order) => {
    const stale = await verdict(arriving(), order);
    expect(stale).toMatchObject({ verdict: "unsafe" });
    const machine = createSimulation({ architecture: order[1] }).machine({ ...arriving(), ...order[0] });
    const reasons = everSeen(machine, "execute", ({ detail }) => String(detail.freed));
    expect([...reasons]).toContain("it is of code that lay there before and was given back");
    expect(answer(await verdict(arriving(syncCores("sync-map")), order))).toBe("safe");
  });

  it("breaks it also with a task that no CPU runs", async () => {
    // Every CPU has switched: who was preempted in the slot alone is left.
    const more = { preempt: true, executors: [{ count: 1 }], ...only("lifetime") };
    const rude = [waitRcuTasksRude("rude"), mapCode("reuse", SLOT, REUSED)];
    const order: Order = [{}, toy({ fetch: never })];
    expect(answer(await verdict(leaving(rude, more), order))).toBe("unsafe: lifetime");
    expect(answer(await verdict(leaving([waitRcuTasks("wait"), ...rude], more), order))).toBe("safe");
    const machine = createSimulation({ architecture: order[1] }).machine(leaving(rude, more));
    const left = new Set<string>();
    visit(machine, ({ rule: id, effect }) => {
      for (const { code, stranded } of (id === "mapCode" && effect.set.parked?.tasks) || [])
        if (code.run === "machine" && !code.home && code.pc >= SLOT)
          left.add(`${code.pc.toString(16)} of ${String(stranded)}`);
      return true;
    });
    expect([...left].sort()).toEqual(["2000 of 2000", "2001 of 2001", "2002 of 2002"]);
  });

  it("breaks it with what a window held of it, were it the same code", () => {
    const of = scenario(
      strategy(() => [mapCode("reuse", SLOT, "nop+nop+ret")]),
      { sites: [site("jump 0x2000", "nop3")], blocks: [{ address: SLOT, code: "nop+nop+ret" }] },
    );
    const machine = createSimulation({ architecture: windowed({}, { fetch: whole }) }).machine({
      ...of,
      memory: "architectural",
    });
    const reasons = everSeen(machine, "execute", ({ detail }) => String(detail.freed));
    expect([...reasons]).toContain("it was fetched before the text there was given back");
  });

  it("is nobody's matter who held its address and has been home since", async () => {
    const of = arriving(syncCores("sync-map"));
    const holding: Scenario = {
      ...of,
      blocks: [...(of.blocks ?? []), { address: 0x3000n, code: "add 0x2000+serialise+ret" }],
      executors: [{ entries: [0x3000n, AT] }],
    };
    const order: Order = [{}, toy({ fetch: whole })];
    expect(answer(await verdict(holding, order))).toBe("safe");
    // Before he is home he may go there.
    const going = { blocks: [...(of.blocks ?? []), { address: 0x3000n, code: "add 0x2000+jump 0x1010" }] };
    expect(answer(await verdict({ ...holding, ...going }, order))).toBe("unsafe: lifetime");
  });

  it("needs its caches maintained where stores of code do", async () => {
    const architecture = toy({ fetch: { ...untilMaintenance, unit: 4 } });
    const found = await verdict(arriving(syncCores("sync-map")), [{}, architecture]);
    expect(found.verdict).toBe("unsafe");
  });

  it("was nothing before it is mapped", async () => {
    const of = (lines: (flip: Flip) => readonly Line[]) =>
      scenario(strategy(lines), { sites: [site("nop3", "jump 0x2000")], ...only("lifetime") });
    const hook = (flip: Flip) => store("hook", AT, first(flip).next, { width: 4 });
    const map = [mapCode("map", SLOT, REUSED), syncCores("sync-map")];
    const [, ...order] = orders[0] as (typeof orders)[number];
    expect(
      answer(
        await verdict(
          of((flip) => [...map, hook(flip), syncCores("sync")]),
          order,
        ),
      ),
    ).toBe("safe");
    expect(
      await verdict(
        of((flip) => [hook(flip), syncCores("sync"), ...map]),
        order,
      ),
    ).toMatchObject({
      property: "lifetime",
      why: expect.stringContaining("no code is mapped there yet"),
    });
  });
});

describe("permissions of text", () => {
  /** A task stores to the slot, and goes on there. */
  const writing = (text: readonly TextRange[], lines: readonly Line[] = []): Scenario =>
    scenario(
      strategy(() => lines),
      {
        sites: [site("nop3", "nop3")],
        blocks: [
          { address: SLOT, code: "nop+nop+ret" },
          { address: 0x3000n, code: "add 0x606+store 0x2000+serialise+jump 0x2000" },
        ],
        executors: [{ entries: [0x3000n] }],
        text,
        properties: ["old-or-new"],
      },
    );
  const slot = (access: TextRange["access"]): readonly TextRange[] => [{ address: SLOT, size: 3, access }];
  const vectors = (of: Scenario, [order, architecture]: Order): readonly unknown[] => {
    const machine = createSimulation({ architecture, development: true }).machine({ ...of, ...order });
    return [...everSeen(machine, "execute", ({ detail }) => `${detail.text}: ${detail.vector}`)].sort();
  };

  inEveryOrder("what a task writes there is judged where it is executed, in the %s order", async (_, ...order) => {
    expect(await verdict(writing(slot("rwx")), order)).toMatchObject({
      property: "old-or-new",
      why: "The CPU executed isb (bytes 06) at 0x2000, which is no code that lies there or that a program stores there.",
    });
    expect(vectors(writing(slot("rwx")), order)).toContain("store 0x2000: null");
  });

  it("so is what a rule of a plugin writes there", async () => {
    const scribble = rule({
      id: "scribble",
      source: "this test",
      reads: ["cpu", "memory"],
      writes: ["cpu", "memory", "everyCpu"],
      apply({ cpu, memory }, { address }: { readonly address: bigint }, machine) {
        const write = { to: "code", address, bytes: "06" } as const;
        const { cpu: after, ...written } = machine.order.write({ cpu: machine.advance(cpu), memory }, write, machine);
        const { everyCpu } = written;
        return [
          {
            set: { cpu: after, ...(written.memory === undefined ? {} : { memory: written.memory }) },
            ...(everyCpu === undefined ? {} : { everyCpu }),
          },
        ];
      },
    });
    const scribbling: Plugin = {
      id: "scribbling",
      install: (binder) => binder.add(RULES, { rules: [scribble], maps: [], predicates: [] }),
    };
    const { check } = createSimulation({ architecture: toy({ fetch: whole }), plugins: [scribbling] });
    const of = (text: readonly TextRange[]): Scenario =>
      scenario(
        strategy(() => [step("scribble", "scribble" as "freeCode", { address: SLOT, size: 1 })]),
        {
          sites: [site("jump 0x2000", "jump 0x2000")],
          blocks: [{ address: SLOT, code: "nop+nop+ret" }],
          text,
          ...only("old-or-new"),
        },
      );
    expect(answer(await check(of(slot("rwx"))))).toBe("unsafe: old-or-new");
    await expect(check(of([]))).rejects.toThrow("A rule stores code at 0x2000, which no program writes");
  });

  inEveryOrder("a store to read-only text raises an exception, in the %s order", async (_, ...order) => {
    for (const text of [[], slot("r-x")]) {
      expect(vectors(writing(text), order)).toContain("store 0x2000: pf");
      expect(vectors(writing(text), order)).not.toContain("store 0x2000: null");
      expect(await verdict({ ...writing(text), ...only("fault") }, order)).toMatchObject({
        property: "fault",
        why: "The CPU executed store 0x2000 at 0x3003: its store to read-only text at 0x2000 raises pf, which nothing handles.",
      });
    }
  });

  inEveryOrder("text that may not be executed raises one, in the %s order", (_, ...order) => {
    expect(vectors(writing(slot("rw-")), order)).toContain("(not executable): pf");
  });

  it("fetch granules end where text may not be executed", () => {
    expect(vectors(writing(slot("rw-")), [{}, toy({ fetch: granules })])).toContain("(not executable): pf");
  });

  inEveryOrder("programs change them, in the %s order", (_, ...order) => {
    const both = vectors(writing([], [setMemoryRw("rw", SLOT, 3)]), order);
    expect(both).toContain("store 0x2000: pf");
    expect(both).toContain("store 0x2000: null");
    expect(vectors(writing(slot("rwx"), [setMemoryRo("ro", SLOT, 3)]), order)).toContain("store 0x2000: pf");
    const nx = vectors(writing(slot("rwx"), [setMemoryNx("nx", SLOT, 3)]), order);
    expect(nx).toContain("(not executable): pf");
    expect(nx).toContain("isb: null");
    expect(vectors(writing(slot("rw-"), [setMemoryX("x", SLOT, 3)]), order)).toContain("isb: null");
  });

  it("programs store through a mapping of their own, unless they say that they do not", () => {
    const stores = (direct: boolean, text: readonly TextRange[]): readonly string[] => {
      const of = scenario(
        strategy((flip) => [store("write", AT, first(flip).next, { width: 4, direct })]),
        { text },
      );
      const machine = createSimulation({ architecture: toy({ fetch: whole }) }).machine(of);
      const seen = (what: "store" | "store-faulted") => (everSeen(machine, what, () => what).size > 0 ? [what] : []);
      return [...seen("store"), ...seen("store-faulted")];
    };
    const here = (access: TextRange["access"]) => [{ address: AT, size: 3, access }];
    expect(stores(false, here("r-x"))).toEqual(["store"]);
    expect(stores(true, here("r-x"))).toEqual(["store-faulted"]);
    expect(stores(true, here("rwx"))).toEqual(["store"]);
    // A site of which nothing is said is `r-x`.
    expect(stores(false, [])).toEqual(["store"]);
    expect(stores(true, [])).toEqual(["store-faulted"]);
  });
});

describe("what is known before any run is refused", () => {
  const refused = (lines: readonly Line[], more: Partial<Scenario> = {}): string => {
    const of = scenario(
      strategy(() => lines),
      { blocks: [{ address: SLOT, code: "nop+nop+ret" }], ...more },
    );
    try {
      createSimulation({ architecture: toy() }).machine(of);
      return "";
    } catch (error) {
      return String((error as Error).message);
    }
  };

  it("a store outside of a flip's sites", () => {
    expect(refused([store("overrun", AT + 2n, [0x01, 0x02])])).toBe(
      "The step overrun of test stores code at 0x1013, outside of the sites of its flip; what a program writes beside them it declares in around.writes.",
    );
    expect(refused([store("slot", SLOT, [0x01])])).toContain("The step slot of test stores code at 0x2000");
    expect(refused([mapCode("map", SLOT, "ret"), store("slot", SLOT, [0x01])])).toBe("");
  });

  it("a store of an interrupt's handler outside of all sites, unless that is writable text", () => {
    const irq = { program: [store("spoil", SLOT, [0x01])] };
    expect(refused([], { interrupts: { irq } })).toBe(
      "The step spoil of the handler of the irq stores code at 0x2000, outside of the sites; what it writes beside them is declared as writable text.",
    );
    expect(refused([], { interrupts: { irq }, text: [{ address: SLOT, size: 3, access: "rwx" }] })).toBe("");
    expect(refused([], { interrupts: { irq: { program: [store("patch", AT, [0x01])] } } })).toBe("");
  });

  it("data where code lies", () => {
    expect(refused([freeData("free", SLOT, 1)])).toContain("Step free gives data back at 0x2000, where code lies");
    expect(refused([storeData("data", SLOT - 4n, [0, 0, 0, 0, 1])])).toContain("Step data stores data at 0x2000");
    expect(refused([freeData("free", 0x9000n, 1), storeData("data", 0x9008n, [1])])).toBe("");
  });

  it("data that lies over code at first", () => {
    expect(refused([], { data: [{ address: SLOT - 1n, bytes: [1, 2] }] })).toBe(
      "Data at 0x1fff lies over code at 0x2000.",
    );
  });

  it("ranges that do not fit what lies there", () => {
    expect(refused([freeCode("free", 0x9000n, 4)])).toContain("No code lies at 0x9000, of which step free speaks");
    expect(refused([freeCode("free", SLOT, 0)])).toContain("1 to 65536, not 0");
    expect(refused([mapCode("map", AT, "ret")])).toContain("Step map maps code over the site at 0x1010");
    const nothing = { text: [{ address: 0x9000n, size: 4, access: "r--" }] } as const;
    expect(refused([], nothing)).toBe("No code lies at 0x9000, where text has permissions.");
    expect(refused([mapCode("map", 0x9000n, "ret")], nothing)).toBe("");
    const text = [
      { address: SLOT, size: 3, access: "rwx" },
      { address: SLOT + 2n, size: 1, access: "r-x" },
    ] as const;
    expect(refused([], { text })).toContain("overlap");
  });
});
