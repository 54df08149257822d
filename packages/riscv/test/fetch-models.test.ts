import type { FetchModel, FetchPlace } from "@cmodx/core";
import { plainStore, riscv, riscvInstructionSet, ziccid, ziccif, zifencei } from "@cmodx/riscv";
import { describe, expect, it } from "vitest";
import { answer, answers, brokenIn, check, everywhere, LINE } from "./check.js";

const there = { patcher: { flips: 1 } } as const;

describe("what a hart fetches whole", () => {
  it("is a halfword under zifencei, an aligned word under the others", async () => {
    const torn = { zifencei: "unsafe: old-or-new", ziccif: "safe", ziccid: "safe" };
    expect(await answers(plainStore(), there)).toEqual(torn);
    expect(await answers(plainStore(), { ...there, site: "c.nop:c.j .+2" })).toEqual(everywhere("safe"));
  });

  it("no instruction over two words", async () => {
    expect(await answers(plainStore(), { ...there, offset: 2 })).toEqual(everywhere("unsafe: old-or-new"));
  });

  it("a store by halfwords is no word", async () => {
    expect(await answers(plainStore({ width: 2 }), there)).toEqual(everywhere("unsafe: old-or-new"));
  });
});

describe("the rules of Ziccif", () => {
  const bytes = (text: string) => riscvInstructionSet.assemble(text, LINE);
  const admits = (model: FetchModel, at: bigint, ...versions: readonly string[]) => {
    const all = versions.map(bytes);
    const chosen = all[0] ?? [];
    const window = chosen.map((_, i) => [...new Set(all.flatMap((each) => each[i] ?? []))]);
    const place: FetchPlace = { at, mode: "", versions: all };
    const admission = model.admits(window, chosen, place);
    return admission === "run" ? "run" : admission.why;
  };

  it.each([ziccif, ziccid])("$id: an instruction inside a word may change", (model) => {
    expect(admits(model, LINE, "nop", "j .+8")).toBe("run");
    expect(admits(model, LINE + 2n, "c.nop", "c.j .+8")).toBe("run");
    expect(admits(model, LINE + 2n, "nop")).toBe("run");
  });

  it.each([ziccif, ziccid])("$id: one over two words may not, but for a shorter transfer in its place", (model) => {
    expect(admits(model, LINE + 2n, "nop", "j .+8")).toMatch(/spans an aligned word/);
    expect(admits(model, LINE + 2n, "c.ebreak", "nop")).toBe("run");
    expect(admits(model, LINE + 2n, "c.j .+8", "nop")).toBe("run");
    expect(admits(model, LINE + 2n, "c.jr ra", "nop")).toBe("run");
    expect(admits(model, LINE + 2n, "c.nop", "nop")).toMatch(/spans an aligned word/);
    expect(admits(model, LINE + 2n, "c.ebreak", "nop", "j .+8")).toMatch(/spans an aligned word/);
  });

  it.each([ziccif, ziccid])("$id: larger ones may be split, smaller ones not combined", (model) => {
    expect(admits(model, LINE, "c.nop", "nop")).toBe("run");
    expect(admits(model, LINE, "nop", "c.nop")).toMatch(/combined into a larger one/);
    expect(admits(model, LINE + 2n, "nop", "c.ebreak")).toMatch(/combined into a larger one/);
  });

  it("zifencei has none: what is fetched is decoded", () => {
    expect(admits(zifencei, LINE + 2n, "nop", "c.nop", "j .+8")).toBe("run");
  });

  it("are judged where the code runs", async () => {
    const combined = await check("ziccid", plainStore(), { ...there, site: "c.nop+c.nop:nop" });
    expect(combined).toMatchObject({ verdict: "unsafe", property: "rule" });
    // The second halfword of the old code, which is that of the new: only the first is stored.
    const replaced = { ...there, site: "addi zero, sp, 0:c.j .+4+c.nop", offset: 2 };
    const halves = plainStore({ width: 2 });
    expect(await answers(halves, replaced)).toEqual(everywhere("safe"));
    const back = await check("ziccif", halves, { ...replaced, patcher: { flips: 2 } });
    expect(brokenIn(back)).toEqual(["rule"]);
  });
});

describe("ziccid: fetches see the stores in their order", () => {
  // Two words, the lower one stored first.
  const both = { ...there, site: "nop+nop:addi t0, zero, 1+addi t1, zero, 1", ignore: ["mid-sequence"] } as const;

  it("a hart that fetched the later one has seen the earlier", async () => {
    const split = { ...there, site: "nop:c.nop+c.nop" };
    expect(await answers(plainStore(), split)).toEqual({
      // One half of each.
      zifencei: "unsafe: old-or-new",
      // The manual allows it. A hart whose fetches may go backwards executes the first half of the new and the second of the old.
      ziccif: "unsafe: mid-sequence",
      ziccid: "safe",
    });
  });

  it("both words are seen, old and new, before the other harts execute fence.i", async () => {
    const verdict = await check("ziccid", plainStore(), both);
    expect(answer(verdict)).toBe("safe");
  });

  it("one aligned store over two words is seen whole, one that is not aligned byte by byte", async () => {
    const wide = plainStore({ width: 8 });
    const words = { ...there, site: "j .+0x40+nop:lui a0, 1+lui a1, 2", ignore: ["rule"] } as const;
    for (const memory of ["sequential", "architectural"] as const) {
      expect(await answers(wide, { ...words, memory }), memory).toEqual({
        zifencei: "unsafe: old-or-new",
        ziccif: "unsafe: mid-sequence",
        ziccid: "safe",
      });
      expect(await answers(wide, { ...words, memory, offset: 4 }), memory).toEqual(everywhere("unsafe: old-or-new"));
      expect(answer(await check("ziccid", plainStore(), { ...words, memory })), memory).toBe("unsafe: mid-sequence");
    }
  });

  it("but late: after the patch call returned only fence.i helps", async () => {
    const dropped = await check("ziccid", plainStore(), { patcher: { flips: 1, drop: ["flush"] } });
    expect(answer(dropped)).toBe("unsafe: done");
  });

  it("stays finite when a site never stops changing", async () => {
    expect(
      answer(await check("ziccid", plainStore(), { patcher: { flips: "forever", drop: ["flush"] }, ignore: ["done"] })),
    ).toBe("safe");
  });
});

describe("what synchronises a hart", () => {
  it("fence.i, and neither xRET nor a switch of tasks", async () => {
    const dropped = { patcher: { flips: 1, drop: ["flush"] } } as const;
    for (const more of [{ interrupts: { irq: true } }, { preempt: true }, { interrupts: { nmi: true } }])
      expect(answer(await check("ziccif", plainStore(), { ...dropped, ...more }))).toBe("unsafe: done");
    expect(riscv().cpu.synchronizes).toEqual(["fence.i"]);
  });

  it("the local one tells no other hart", async () => {
    const local = await check("ziccif", plainStore(), { patcher: { flips: 1, drop: ["flush"] } });
    expect(local).toMatchObject({ verdict: "unsafe", property: "done" });
    const own = { cpus: 1, interrupts: { irq: true } } as const;
    expect(answer(await check("ziccif", plainStore(), { ...own, patcher: { flips: 1, drop: ["flush"] } }))).toBe(
      "safe",
    );
    const none = { flips: 1, drop: ["flush", "flush-local"] };
    expect(answer(await check("ziccif", plainStore(), { ...own, patcher: none }))).toBe("unsafe: done");
  });
});

it("an unknown fetch model is refused with those there are", () => {
  expect(() => riscv({ fetch: "zen" })).toThrow("riscv has no fetch model zen; it has zifencei, ziccif, ziccid.");
});
