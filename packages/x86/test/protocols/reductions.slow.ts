import {
  type CheckOptions,
  createSimulation,
  type Line,
  type PatchStrategy,
  sendIpi,
  syncCore,
  type Verdict,
} from "@cmodx/core";
import { int3, x86 } from "@cmodx/x86";
import { describe, expect, it } from "vitest";
import { answer, CROSSING, scenario } from "./check.js";

/*
 * Every way to get the three synchronisations of int3 and the order of its writes wrong: each synchronisation full, absent or sent and
 * not awaited; the tail written before the first byte or after it; for one to three executors. One of the 54 is right.
 */

type Sync = "full" | "absent" | "not awaited";
const kinds: readonly Sync[] = ["full", "absent", "not awaited"];
type Variant = { readonly syncs: readonly [Sync, Sync, Sync]; readonly swapped: boolean };

const variants: readonly Variant[] = kinds.flatMap((first) =>
  kinds.flatMap((second) =>
    kinds.flatMap((third) => [false, true].map((swapped): Variant => ({ syncs: [first, second, third], swapped }))),
  ),
);

const changed = (line: Line, { syncs, swapped }: Variant, lines: readonly Line[]): readonly Line[] => {
  const sync = /^sync-([123])$/.exec(line.id)?.[1];
  if (sync !== undefined) {
    const kind = syncs[Number(sync) - 1];
    if (kind === "absent") return [];
    return kind === "full" ? [line] : [sendIpi(line.id, [syncCore(`${line.id}-core`)])];
  }
  const other = swapped ? { "write-tail": "write-first", "write-first": "write-tail" }[line.id] : undefined;
  return [lines.find(({ id }) => id === other) ?? line];
};

const strategyOf = (variant: Variant): PatchStrategy => {
  const right = int3();
  return {
    ...right,
    plan(flip, context) {
      const planned = right.plan(flip, context);
      if (!("main" in planned)) return planned;
      return { ...planned, main: planned.main.flatMap((line) => changed(line, variant, planned.main)) };
    },
  };
};

/** Each reduction alone and all together, beside none. */
const ways: readonly CheckOptions[] = [
  { reduce: false },
  { reduce: { symmetry: true } },
  { reduce: { urgent: true } },
  { reduce: { stubborn: true } },
  { reduce: true },
];

const answers = async (variant: Variant, executors: number): Promise<readonly Verdict[]> => {
  const of = scenario(strategyOf(variant), {
    offset: CROSSING,
    cpus: executors + 1,
    patcher: { flips: 1 },
    ignore: ["progress"],
  });
  const { check } = createSimulation({ architecture: x86({ fetch: "amd" }) });
  const verdicts: Verdict[] = [];
  for (const how of ways) verdicts.push(await check(of, { ...how, beyond: 0 }));
  return verdicts;
};

describe.each([1, 2, 3])("the 54 variants of int3 with %i executors", { timeout: 120_000 }, (executors) => {
  it("get the same verdict and break the same property by every search, and exactly one is right", async () => {
    const found = new Map<string, number>();
    for (const variant of variants) {
      const verdicts = await answers(variant, executors);
      const each = verdicts.map((verdict) => [answer(verdict), verdict.verdict === "unsafe" && verdict.trace.length]);
      expect(each, JSON.stringify(variant)).toEqual(each.map(() => each[0]));
      const [[said]] = each as [[string, unknown]];
      found.set(said, (found.get(said) ?? 0) + 1);
    }
    expect(Object.fromEntries(found)).toEqual({ safe: 1, "unsafe: old-or-new": 51, "unsafe: trap-owned": 2 });
  });
});
