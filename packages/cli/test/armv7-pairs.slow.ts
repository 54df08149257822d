import { describe, expect, test } from "vitest";
import { cmodx, json } from "./harness.js";

type Pair = { group: string; old: string; new: string; needs: string | null; ways: { way: string; verdict: string }[] };

const widest = (text: string): number => Math.max(...text.split("\n").map((line) => line.length));

describe("matrix --pairs", () => {
  test("what each pair of A32 needs, within 100 columns", async () => {
    const { code, out } = await cmodx("matrix --arch armv7 --pairs --fetch a32");
    expect(code).toBe(0);
    expect(widest(out)).toBeLessThanOrEqual(100);
    expect(out).toMatch(/^NOP +(ok +|= +){7}(S\+ rule ?){4}$/m);
    expect(out).toMatch(/^UDF +(S\+ rule ?){11}$/m);
    expect(out).toContain("121 pairs: nosync 48, bkpt 0, stop 0, stop+isb 72, nothing 1");
  });

  test("of Thumb, as a document: the ways that were checked, up to the first safe one", async () => {
    const { code, document } = await json("matrix --pairs --fetch t32");
    expect(code).toBe(0);
    expect(document).toMatchObject({ schema: "cmodx/pairs/1", architecture: "armv7", cpus: 2 });
    expect(document.groups.map((group: { id: string }) => group.id)).toEqual([
      "16-bit Thumb",
      "32-bit Thumb in one word",
      "32-bit Thumb over two words",
    ]);
    const find = (group: string, old: string, next: string): Pair =>
      document.pairs.find((pair: Pair) => pair.group === group && pair.old === old && pair.new === next);
    expect(find("16-bit Thumb", "NOP", "B")).toMatchObject({
      needs: "nosync",
      ways: [{ way: "nosync", verdict: "safe" }],
    });
    const wide = find("32-bit Thumb over two words", "NOP.W", "B.W");
    expect(wide.needs).toBe("stop+isb");
    expect(wide.ways.map(({ way, verdict }) => `${way} ${verdict}`)).toEqual([
      "nosync unsafe",
      "bkpt unsafe",
      "stop unsafe",
      "stop+isb safe",
    ]);
    const needs = (group: string) =>
      document.pairs.filter((pair: Pair) => pair.group === group && pair.needs === "nosync");
    expect(needs("32-bit Thumb in one word").map((pair: Pair) => `${pair.old} to ${pair.new}`)).toEqual(["BL to BL"]);
    expect(find("32-bit Thumb in one word", "NOP.W", "NOP.W")).toMatchObject({
      needs: null,
      ways: [{ way: "nosync", verdict: "vacuous" }],
    });
  });
});
