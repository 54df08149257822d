import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { AblateJson } from "../src/json.js";
import { json, root } from "./harness.js";

type Run = {
  readonly offset: number;
  readonly synchronised: readonly number[];
  readonly bad: number;
};

type Measured = { readonly int3: { readonly runs: readonly Run[] } };

const machines = ["zen3", "zen5"].map(
  (name): Measured => JSON.parse(readFileSync(join(root, `packages/x86/test/data/${name}.json`), "utf8")),
);

describe("ablate and the measurements of docs/hardware.md", () => {
  it("the table of the eight subsets is what `ablate` prints", async () => {
    const command = "ablate --arch x86 --strategy int3-membarrier --fetch coherent";
    expect(readFileSync(join(root, "docs/hardware.md"), "utf8")).toContain(`npx cmodx ${command}\n`);
    const { rows } = (await json(command)).document as AblateJson;
    const subsets = new Set<string>();
    for (const { offset, synchronised, bad } of machines.flatMap(({ int3 }) => int3.runs)) {
      const site = offset === 62 ? "crossing" : offset === 0 ? "in one line" : undefined;
      if (site === undefined) continue;
      subsets.add(`${site} ${synchronised}`);
      const dropped = [1, 2, 3].filter((n) => !synchronised.includes(n)).map((n) => `membarrier-${n}`);
      const row = rows.find((each) => each.site === site && each.dropped.join() === dropped.join());
      expect(row?.verdict, `${site}: ${dropped}`).toBe(bad > 0 ? "unsafe" : "safe");
    }
    expect(subsets.size).toBe(8 + 8);
  });
});
