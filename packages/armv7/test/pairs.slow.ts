import { armv7, modificationLists, pairGroups, pairWays } from "@cmodx/armv7";
import { createSimulation, type Verdict } from "@cmodx/core";
import { describe, expect, it } from "vitest";
import { allBroken, answer } from "./check.js";

type Group = (typeof pairGroups)[number];

const group = (id: string): Group => pairGroups.find((each) => each.id === id) as Group;

const way = (id: string) => pairWays.find((each) => each.id === id)?.strategy;

const checkPair = ({ forms, fetch, offset }: Group, old: string, next: string, id: string): Promise<Verdict> => {
  const architecture = armv7({ fetch });
  const strategy = way(id);
  if (strategy === undefined) throw new Error(`There is no way ${id}.`);
  const [other = "", same = ""] = forms[next] ?? [];
  return createSimulation({ architecture }).check({
    name: `${old} to ${next}`,
    sites: [
      { address: architecture.base + BigInt(offset), old: forms[old]?.[0] ?? "", new: old === next ? same : other },
    ],
    patchers: [{ strategy, sites: [0], flips: 1 }],
    // Exceptions that instructions are there to raise have handlers.
    blocks: [{ address: architecture.base + 0x800n, code: architecture.epilogue ?? "" }],
    executors: [{ faults: architecture.base + 0x800n }],
    cpus: 2,
  });
};

const pairsOf = ({ forms }: Group): readonly (readonly [string, string])[] =>
  Object.keys(forms).flatMap((old) => Object.keys(forms).map((next) => [old, next] as const));

/** The names of a group that are in the list. */
const listed = ({ forms, fetch }: Group): readonly string[] => {
  const { operations } = modificationLists[fetch as "a32" | "t32"];
  return Object.keys(forms).filter((name) => operations.some((op) => op === name.toLowerCase()));
};

describe.each(["A32", "16-bit Thumb"])("%s", (id) => {
  const pairs = pairsOf(group(id));
  const inside = listed(group(id));
  const isInside = ([old, next]: readonly [string, string]): boolean => inside.includes(old) && inside.includes(next);

  it("nosync is safe for exactly the pairs of the list", async () => {
    for (const pair of pairs) {
      const verdict = await checkPair(group(id), ...pair, "nosync");
      const unchanged = pair.every((name) => name === "NOP");
      expect(answer(verdict), pair.join(" to ")).toBe(unchanged ? "vacuous" : isInside(pair) ? "safe" : "unsafe: rule");
    }
  });

  it("every other pair needs stop_machine, with an ISB on every CPU; BKPT helps none", async () => {
    for (const pair of pairs.filter((each) => !isInside(each))) {
      const name = pair.join(" to ");
      expect(answer(await checkPair(group(id), ...pair, "stop+isb")), name).toBe("safe");
      expect(allBroken(await checkPair(group(id), ...pair, "stop")), name).toContain("rule");
      if (!pair.includes("BKPT"))
        expect(allBroken(await checkPair(group(id), ...pair, "bkpt")), name).toContain("rule");
    }
  });
});

describe.each(["32-bit Thumb in one word", "32-bit Thumb over two words"])("%s", (id) => {
  it("nosync is safe for a BL in one halfword, and where nothing changes", async () => {
    const safe: string[] = [];
    for (const pair of pairsOf(group(id))) {
      const verdict = await checkPair(group(id), ...pair, "nosync");
      if (verdict.verdict === "safe" || verdict.verdict === "vacuous")
        safe.push(`${pair.join(" to ")} ${answer(verdict)}`);
      else expect(allBroken(verdict), pair.join(" to ")).toContain("rule");
    }
    expect(safe).toEqual(["BL to BL safe", "NOP.W to NOP.W vacuous"]);
  });

  it("others need stop_machine, with an ISB on every CPU", async () => {
    for (const [old, next] of [
      ["NOP.W", "B.W"],
      ["B.W", "NOP.W"],
      ["MOV.W", "UDF.W"],
      ["UDF.W", "MOV.W"],
      ["BL", "PUSH.W"],
    ] as const) {
      expect(answer(await checkPair(group(id), old, next, "stop+isb")), `${old} to ${next}`).toBe("safe");
      for (const weaker of ["bkpt", "stop"])
        expect(allBroken(await checkPair(group(id), old, next, weaker)), `${old} to ${next}`).toContain("rule");
    }
  });
});
