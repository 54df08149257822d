import { isImpossible, outcomesBeyond, synchronisationsIn } from "@cmodx/core";
import { int3, int3Membarrier, x86 } from "@cmodx/x86";
import { describe, expect, it } from "vitest";
import { answer, check, LINE, type Options, profiles, scenario } from "../protocols/check.js";
import { isSeenAnywhere, machines, most } from "./measured.js";
import { flipping, jointly, outcomesOf, reaches, weakOf } from "./model.js";

/*
 * What Zen 3 and Zen 5 were seen to do (docs/hardware.md) against the fetch models: `coherent` reaches all of it, and hardly more; the
 * models of the manuals reach all that `coherent` does.
 */

const stores = machines.flatMap(([name, { stores: rows }]) => rows.map((row) => [`${name}, ${row.id}`, row] as const));
const architectural = profiles.filter((id) => id !== "coherent");

describe("stores over a site", () => {
  it.each(stores.filter(([, { seen }]) => seen.length > 0))("%s: what was seen is reachable", async (_, row) => {
    for (const offset of row.offsets) {
      for (const pattern of row.seen)
        expect(await reaches(flipping(row, offset), "coherent", pattern), `${offset} ${JSON.stringify(pattern)}`).toBe(
          true,
        );
    }
  });

  it.each(stores.filter(([, { never = [] }]) => never.length > 0))(
    "%s: what no machine showed is not reachable, or the row says why the model is looser",
    async (_, row) => {
      for (const offset of row.offsets) {
        for (const pattern of row.never ?? [])
          expect(
            await reaches(flipping(row, offset), "coherent", pattern),
            `${offset} ${JSON.stringify(pattern)}`,
          ).toBe(row.looser !== undefined || isSeenAnywhere(row, offset, pattern));
      }
    },
  );

  it("one store over a 32-byte border was seen from both sides, each on one machine", () => {
    const halves = machines.map(([name, { stores: rows }]) => {
      const row = rows.find(({ id }) => id === "halves in one store, over a block");
      return [name, row?.seen, row?.never, row?.looser];
    });
    const [head, tail] = [[{ bytes: "b822221111" }], [{ bytes: "b811112222" }]];
    expect(halves).toEqual([
      ["Zen 3", head, tail, undefined],
      ["Zen 5", tail, head, undefined],
    ]);
  });

  it("a row that counts torn executions says which", () => {
    for (const [id, { torn, seen }] of stores) expect(most(torn) > 0, id).toBe(seen.length > 0);
  });

  it.each(stores)("%s: the models of the manuals reach all that coherent reaches", async (_, row) => {
    for (const offset of row.offsets) {
      const asked = flipping(row, offset);
      const tight = await outcomesOf(asked, "coherent");
      for (const fetch of architectural)
        expect(outcomesBeyond(tight, await outcomesOf(asked, fetch)), `${fetch}, ${offset}`).toEqual([]);
    }
  });
});

describe.each(machines)("the INT3 protocol on %s", (_machine, { int3: { site, runs, several, page } }) => {
  const subsets = [[], [1], [2], [3], [1, 2], [1, 3], [2, 3], [1, 2, 3]];
  const named = subsets.map((subset) => [subset.join() || "nothing", subset] as const);
  /** The protocol as it was measured, and that of the kernel; what they call their synchronisations. */
  const protocols = [
    ["int3-membarrier", int3Membarrier(), "membarrier"],
    ["int3", int3(), "sync"],
  ] as const;

  const without = (synchronised: readonly number[], name: string, offset: number): Options => ({
    site,
    offset,
    patcher: { drop: [1, 2, 3].filter((n) => !synchronised.includes(n)).map((n) => `${name}-${n}`) },
  });
  const at62 = (synchronised: readonly number[]) => without(synchronised, "membarrier", 62);

  it("was measured at offset 62 with every subset of the synchronisations that it has", () => {
    const seen = new Set(runs.filter(({ offset }) => offset === 62).map(({ synchronised }) => synchronised.join()));
    expect(seen).toEqual(new Set(subsets.map((subset) => subset.join())));
    const plan = int3Membarrier().plan(
      { sites: [{ address: LINE, old: [0x0f, 0x1f, 0x44, 0, 0], next: [0xe8, 0, 0, 0, 0] }] },
      { instructionSet: x86().instructionSet, mode: "", cpus: 2, reports: {} },
    );
    if (isImpossible(plan)) throw new Error(plan.impossible);
    expect(synchronisationsIn(plan.main).map(({ id }) => id)).toEqual([1, 2, 3].map((n) => `membarrier-${n}`));
  });

  describe.each(protocols)("as %s", (_, strategy, name) => {
    const all = [...runs, ...(page?.runs ?? [])];
    it.each(all.map((run) => [run.offset, run.synchronised.join() || "nothing", run] as const))(
      "at offset %i, synchronised after %s, is unsafe where bad executions were counted, and none were where it is safe",
      async (offset, _, { synchronised, bad }) => {
        const { verdict } = await check("coherent", strategy, without(synchronised, name, offset));
        if (bad > 0) expect(verdict).toBe("unsafe");
        if (verdict === "safe") expect(bad).toBe(0);
      },
    );
  });

  it.each(named)("at offset 62, synchronised after %s, tears exactly without the first", async (_, synchronised) => {
    const bad = runs
      .filter((run) => run.offset === 62 && run.synchronised.join() === synchronised.join())
      .reduce((sum, run) => sum + run.bad, 0);
    const model = answer(await check("coherent", int3Membarrier(), at62(synchronised)));
    expect([model, bad > 0]).toEqual(synchronised.includes(1) ? ["safe", false] : ["unsafe: old-or-new", true]);
  });

  it.each(named)(
    "at offset 62, synchronised after %s: the models of the manuals reach all that coherent reaches",
    async (_, synchronised) => {
      const asked = scenario(int3Membarrier(), at62(synchronised));
      const tight = await outcomesOf(asked, "coherent");
      for (const fetch of architectural)
        expect(outcomesBeyond(tight, await outcomesOf(asked, fetch)), fetch).toEqual([]);
    },
  );

  it.each(several.runs.map((run) => [run.old, run] as const))(
    "over %s faults where a CPU stood between the instructions, whatever is synchronised",
    async (_, { old, seen }) => {
      for (const offset of several.offsets) {
        const options = { site: `${old}:call`, offset, patcher: { flips: 1 } };
        expect(answer(await check("coherent", int3Membarrier(), options))).toBe("unsafe: mid-sequence");
        for (const boundary of seen) {
          const pattern = { offset: boundary, kind: "torn" } as const;
          expect(await reaches(scenario(int3Membarrier(), options), "coherent", pattern), `${boundary}`).toBe(true);
        }
      }
    },
  );
});

describe("ordering of fetches, loads and stores", () => {
  const rows = machines.flatMap(([name, { litmus }]) =>
    litmus.flatMap((row) =>
      row.runs.flatMap(({ fences, weak }) =>
        fences.map((fence) => [`${name}, ${row.id}`, fence, row, most(weak) > 0] as const),
      ),
    ),
  );

  it.each(rows)("%s with %s: coherent shows exactly what was seen", (_id, fence, row, seen) => {
    expect(jointly(row, "coherent", fence).has(weakOf(row))).toBe(seen);
  });

  it.each(rows)("%s with %s: the models of the manuals show all that coherent shows", (_id, fence, row) => {
    const tight = jointly(row, "coherent", fence);
    expect(tight.size).toBeGreaterThan(0);
    for (const fetch of architectural) {
      const wide = jointly(row, fetch, fence);
      expect(
        [...tight].filter((outcome) => !wide.has(outcome)),
        fetch,
      ).toEqual([]);
    }
  });
});
