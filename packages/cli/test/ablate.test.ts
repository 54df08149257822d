import { fetchModels } from "@cmodx/x86";
import { describe, expect, it } from "vitest";
import type { AblateJson, AblateRowJson } from "../src/json.js";
import { cmodx, json, widest } from "./harness.js";

const ablate = async (line: string): Promise<AblateJson> => {
  const { code, document } = await json(`ablate ${line}`);
  expect(code).toBe(0);
  return document as AblateJson;
};

const syncs = ["sync-1", "sync-2", "sync-3"];
const onlySyncs = ({ dropped }: AblateRowJson): boolean => dropped.every((id) => syncs.includes(id));

describe("ablate", () => {
  it("leaves out every synchronisation, alone and in all combinations, at both places and under every profile", async () => {
    const document = await ablate("--strategy int3");
    expect(document).toMatchObject({
      schema: "cmodx/ablate/1",
      architecture: "x86",
      strategy: "int3",
      site: "nop5:call .+0x123456c",
    });
    expect(document.steps).toEqual([...syncs, "wait-refs"]);
    expect(document.rows).toHaveLength(16 * fetchModels.length * 2);
    expect(new Set(document.rows.map((row) => JSON.stringify([row.dropped, row.profile, row.site]))).size).toBe(
      document.rows.length,
    );
  });

  it("agrees with silicon over two lines: torn without the first synchronisation, never with it", async () => {
    const { rows } = await ablate("--strategy int3 --fetch coherent");
    const measured = rows.filter((row) => row.site === "crossing" && onlySyncs(row));
    expect(measured).toHaveLength(8);
    for (const { dropped, property } of measured) expect(property === "old-or-new").toBe(dropped.includes("sync-1"));
  });

  it("says what each subset sends", async () => {
    const { rows } = await ablate("--strategy int3 --fetch amd --cpus 3");
    for (const { dropped, interruptsPerFlip } of rows.filter(onlySyncs)) {
      expect(interruptsPerFlip).toBe(2 * (3 - dropped.length));
    }
  });

  it("decides nothing about barriers", async () => {
    const { rows } = await ablate("--strategy int3-2010-nine --fetch coherent");
    const barriers = rows.filter(({ verdict }) => verdict === "not decided");
    expect(barriers.length).toBeGreaterThan(0);
    for (const { dropped } of barriers) expect(dropped).toHaveLength(1);
  });

  it("leaves out single steps and pairs where all combinations would take too long", async () => {
    const line = "--arch arm64 --strategy event-switch --fetch none";
    const document = await ablate(line);
    const decided = document.rows.filter(({ verdict }) => verdict !== "not decided");
    const alone = decided.flatMap(({ dropped }) => (dropped.length === 1 ? dropped : []));
    expect(document.most).toBe(2);
    expect(alone).toHaveLength(9);
    expect(new Set(decided.map(({ dropped }) => dropped.join())).size).toBe(1 + 9 + (9 * 8) / 2);
    expect((await cmodx(`ablate ${line}`)).out).toContain("Of 9 steps at most 2 are left out together");
    expect((await ablate("--strategy int3 --fetch amd")).most).toBe(4);
  });

  it("names the necessary steps for people, in a hundred columns", async () => {
    const { out } = await cmodx("ablate --strategy int3");
    expect(widest(out)).toBeLessThanOrEqual(100);
    const [inOne, crossing] = out.split("site over two lines") as [string, string];
    expect(inOne).toContain("amd: sync-3 necessary");
    expect(crossing).toContain("amd: sync-1, sync-2 and sync-3 necessary");
    expect(crossing).toContain("coherent: sync-1 and sync-3 necessary");
  });

  it("refuses what it cannot ablate", async () => {
    expect(await cmodx("ablate")).toMatchObject({ code: 2, out: "" });
    expect(await cmodx("ablate --strategy nope")).toMatchObject({ code: 2, out: "" });
  });
});
