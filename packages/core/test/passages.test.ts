import { describe, expect, it } from "vitest";
import {
  claim,
  createSimulation,
  emulate,
  type FetchModel,
  type Flip,
  type Line,
  type PropertyId,
  type Scenario,
  set,
  store,
  syncCores,
  type Verdict,
} from "../src/index.js";
import { granules, strict, toy, toyCpu, untilSync } from "./toy/architecture.js";
import { AT, answer, check, first, only, scenario, site, strategy } from "./toy/scenario.js";

const write = (flip: Flip): readonly Line[] => [store("write", AT, first(flip).next, { width: 4 }), syncCores("sync")];
/** One store is one step and no CPU ever fetches what was overwritten: only what happens inside a passage is left. */
const whole: FetchModel = { ...granules, unit: 8, granule: 8 };

describe("R18: one passage through a site executes instructions of one version", () => {
  const passing = (old: string, next: string, more = {}, lines = write): Promise<string> =>
    check(scenario(strategy(lines), { sites: [site(old, next)], ...only("mid-sequence"), ...more }), {
      fetch: whole,
    }).then(answer);

  it("an executor that stands between two instructions goes on with the other version", async () => {
    expect(await passing("add 1+add 2", "add 3+add 4")).toBe("unsafe: mid-sequence");
  });

  it("not when the rest is the same in both versions", async () => {
    expect(await passing("add 1+add 2", "add 3+add 2")).toBe("safe");
    expect(await passing("add 2+add 1", "add 2+add 3")).toBe("safe");
  });

  it("a first instruction that both versions share leaves the passage open, the second decides", async () => {
    expect(await passing("add 2+add 1+add 5", "add 2+add 3+add 4")).toBe("unsafe: mid-sequence");
  });

  it("a passage ends when the site is left, and a new one begins at its entry", async () => {
    expect(await passing("jump 0x1010", "jump 0x1010")).toBe("vacuous");
    // Round and round through one instruction: each round is a passage of its own.
    expect(await passing("jump 0x1010", "nop3")).toBe("safe");
    expect(await passing("nop3 1+jump 0x1010", "nop3 2+jump 0x1010")).toBe("safe");
  });

  it("a call that returns inside belongs to it", async () => {
    expect(await passing("call 0x1100+add 1", "call 0x1100+add 2")).toBe("safe");
    expect(await passing("call 0x1100+add 1", "call 0x1200+add 2")).toBe("unsafe: mid-sequence");
  });

  it("a jump that leaves for good does not, though it may come back in the middle", async () => {
    const blocks = [{ address: 0x1200n, code: "jump 0x1013" }];
    expect(
      await passing("jump 0x1200+add 1", "jump 0x1203+add 2", {
        blocks: [...blocks, { address: 0x1203n, code: "jump 0x1013" }],
      }),
    ).toBe("safe");
  });

  it("an interrupt is a passage of its own", async () => {
    expect(await passing("add 1+nop", "add 2+nop", { interrupts: { irq: true, nmi: true } })).toBe("safe");
  });

  it("a trap and what its handler emulates belong to it", async () => {
    // The first byte is the trap's for good; only the second instruction changes.
    const trapped = (bytes: string, last: (flip: Flip) => Line): Promise<Verdict> =>
      check(
        scenario(
          strategy((flip) => [store("trap", AT, [0x02]), last(flip)], {
            program: () => ({ words: { done: 0 }, traps: { brk: [emulate("emulate", bytes), claim()] } }),
          }),
          { sites: [site("add 1+add 2", "add 3+add 4")], ...only("mid-sequence") },
        ),
        { fetch: { ...whole, unit: 4, granule: 4 } },
      );
    const second = (flip: Flip): Line => store("second", AT + 3n, first(flip).next.slice(3), { width: 4 });
    const nothing = (): Line => set("nothing", "done", 1);
    expect(answer(await trapped("130100", nothing))).toBe("safe");
    expect(answer(await trapped("130300", nothing))).toBe("unsafe: mid-sequence");
    expect(answer(await trapped("130100", second))).toBe("unsafe: mid-sequence");
  });

  it("what a handler emulates in the middle of one has to be of its version too", async () => {
    const trapped = (bytes: string): Promise<Verdict> =>
      check(
        scenario(
          strategy(() => [store("trap", AT + 3n, [0x02])], {
            program: () => ({ traps: { brk: [emulate("emulate", bytes), claim()] } }),
          }),
          { sites: [site("add 1+add 2", "add 3+add 4")], ...only("mid-sequence") },
        ),
        { fetch: whole },
      );
    expect(answer(await trapped("130200"))).toBe("safe");
    const verdict = await trapped("130400");
    expect(verdict.verdict === "unsafe" && verdict.why).toBe(
      "The passage had executed the old code and the trap at 0x1013 emulated another version.",
    );
  });

  it("preemption does not end it", async () => {
    expect(await passing("add 1+add 2", "add 3+add 4", { preempt: true })).toBe("unsafe: mid-sequence");
  });
});

describe("R19: an instruction is judged when it takes effect", () => {
  const judged = (
    property: PropertyId,
    lines: (flip: Flip) => readonly Line[],
    options = {},
    sites = [site("nop3 0x100", "add 0x302")],
  ) => check(scenario(strategy(lines), { sites, ...only(property) }), options);

  it("by the versions of its site: what is neither breaks old-or-new", async () => {
    const verdict = await judged("old-or-new", write);
    expect(answer(verdict)).toBe("unsafe: old-or-new");
    expect(verdict.verdict === "unsafe" && verdict.why).toMatch(
      /^The CPU executed add 0x100 \(bytes 130001\) at 0x1010, which is neither the old nor the new instruction there\.$/,
    );
  });

  it("the patcher's breakpoint excepted, but no other trap", async () => {
    const trapping = (byte: number) => (flip: Flip) => [
      store("trap", AT, [byte]),
      store("write", AT, first(flip).next, { width: 4 }),
    ];
    const unit4 = { fetch: { ...granules, stale: "never" } as FetchModel };
    expect(answer(await judged("old-or-new", trapping(0x02), unit4))).toBe("safe");
    expect(answer(await judged("old-or-new", trapping(0xff), unit4))).toBe("unsafe: old-or-new");
    expect(answer(await judged("old-or-new", trapping(0x02), { ...unit4, cpu: { breakpoints: [] } }))).toBe(
      "unsafe: old-or-new",
    );
  });

  it("bytes that do not decode are shown as what they are", async () => {
    const undecodable = async (byte: number): Promise<string> => {
      const verdict = await judged("old-or-new", () => [store("write", AT, [byte])]);
      return verdict.verdict === "unsafe" ? verdict.why : "";
    };
    expect(await undecodable(0xff)).toContain("executed (bad) (bytes ff)");
    expect(await undecodable(0xf0)).toContain("executed (outside the modelled subset) (bytes f0)");
  });

  it("by the fetch model's admission of its window", async () => {
    const sites = [site("nop", "ret")];
    expect(answer(await judged("rule", write, { fetch: strict }, sites))).toBe("unsafe: rule");
    expect(answer(await judged("rule", write, { fetch: untilSync }, sites))).toBe("safe");
  });

  it("at an offset where a version has no instruction, none of it agrees", async () => {
    const verdict = await judged("old-or-new", write, { fetch: whole }, [site("nop+nop+nop", "call")]);
    expect(verdict.verdict === "unsafe" && verdict.why).toContain("executed nop3 0x111 (bytes 101101) at 0x1011");
  });

  it("after the patch call returned the old one breaks `done`", async () => {
    const leaving = (flip: Flip): readonly Line[] => write(flip).slice(0, 1);
    const verdict = await judged("done", leaving, {}, [site("nop", "ret")]);
    expect(verdict.verdict === "unsafe" && verdict.why).toBe(
      "The CPU executed the old nop at 0x1010 after the patch call had returned.",
    );
    expect(answer(await judged("done", write, {}, [site("nop", "ret")]))).toBe("safe");
  });

  it("the way back is a flip too: then the new one is the old one", async () => {
    const back = scenario(
      strategy((flip) => write(flip).slice(0, 1)),
      { sites: [site("nop", "ret")], patcher: { flips: 2 }, ...only("done") },
    );
    const verdict = await check(back, { fetch: whole });
    expect(answer(verdict)).toBe("safe");
    const sometimes = scenario(
      strategy((flip) => (first(flip).next[0] === 0 ? [] : write(flip))),
      { sites: [site("nop", "ret")], patcher: { flips: 2 }, ...only("done") },
    );
    const left = await check(sometimes, { fetch: whole, cpu: toyCpu });
    expect(left.verdict === "unsafe" && left.why).toContain("executed the old ret at 0x1010");
  });
});

describe("what is wrong with an instruction is said as it is", () => {
  const why = async (of: Scenario): Promise<string | undefined> => {
    const verdict = await check(of, { fetch: whole });
    return verdict.verdict === "unsafe" ? verdict.why : undefined;
  };

  it("bytes of the new code where no instruction of it begins are not called neither old nor new", async () => {
    // Five one-byte instructions, and a CPU between the first two when they become one of three bytes.
    const sites = [site("nop+nop+nop", "add 0x0101")];
    const said = await why(scenario(strategy(write), { sites, ...only("old-or-new") }));
    expect(said).toMatch(/, which is of the new code, but no instruction of it begins there\.$/);
  });

  it("the version of another change is named as that", async () => {
    // Two patchers that change the same site to the same code: what both find old may no longer be executed when the second begins.
    const of: Scenario = {
      ...scenario(strategy(write)),
      patchers: [0, 1].map(() => ({ strategy: strategy(write), sites: [0], flips: 1 })),
      executors: [{ count: 1 }],
      cpus: 3,
      ...only("old-or-new"),
    };
    const { check: until } = createSimulation({ architecture: toy({ fetch: { ...untilSync, unit: 8 } }) });
    const verdict = await until({ ...of, patchers: of.patchers.map((each) => ({ ...each, drop: ["sync"] })) });
    expect(verdict.verdict === "unsafe" && verdict.why).toMatch(
      /which is the old instruction there, while the last change that was begun is from the new code to the new\.$/,
    );
  });
});
