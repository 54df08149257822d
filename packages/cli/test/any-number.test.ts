import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cmodx, folder, json } from "./harness.js";

const INT3 = "check --strategy int3 --flips 1 --cpus any";

describe("check --cpus any", () => {
  it("says what is known of any number of CPUs, and what was checked", async () => {
    const { code, out } = await cmodx(INT3);
    expect(code).toBe(0);
    expect(out).toContain("no interleaving breaks a property, with any number of CPUs from 2 on");
    expect(out.replace(/\s+/g, " ")).toContain(
      "no property but progress breaks; that every call ends was checked with 2 to 3, one by one",
    );
    const { document } = await json(INT3);
    expect(document).toMatchObject({
      verdict: "safe",
      numbers: { from: 2, to: 3, beyond: true, why: null },
      bounds: { cpus: 3, reached: null },
    });
  });

  it("tells the smallest number that breaks, and saves a counterexample of that", async () => {
    const cwd = folder();
    const { code, document } = await json(`${INT3} --drop sync-1 --no-repair --save saved.json`, { cwd });
    expect(code).toBe(1);
    expect(document).toMatchObject({
      verdict: "unsafe",
      numbers: { from: 2, to: 2, beyond: false },
      bounds: { cpus: 2 },
    });
    expect(JSON.parse(readFileSync(join(cwd, "saved.json"), "utf8")).request.cpus).toBe(2);
    expect((await cmodx("replay saved.json", { cwd })).code).toBe(0);
  });

  it("says why it is not known", async () => {
    const { code, out } = await cmodx("check --strategy stop-machine --arch x86 --flips 1 --cpus any");
    expect(code).toBe(3);
    const text = out.replace(/\s+/g, " ");
    expect(text).toContain("It is not known for more than 3 CPUs. The rule queueStop asks how many CPUs there are.");
    expect(text).toContain("CPUs nothing breaks with 2 to 3, one by one; for more it is not known");
  });

  it("takes a number or any", async () => {
    expect((await cmodx("check --strategy int3 --cpus all")).err).toMatch(/--cpus/);
    const all = await cmodx("check --all --from x --cpus any");
    expect([all.code, all.err]).toEqual([2, expect.stringContaining("--all takes one number of CPUs")]);
  });
});
