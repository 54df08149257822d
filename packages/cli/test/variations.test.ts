import { describe, expect, test } from "vitest";
import { cmodx, folder } from "./harness.js";

/** Two patchers on sites of their own; the first program of a store, the second of INT3. */
const MODULE = `export default ({ x86 }) => ({
  name: "two ways",
  cpus: 3,
  sites: [{ address: 0x1000n, old: "nop5", new: "jmp" }, { address: 0x2000n, old: "nop5", new: "jmp" }],
  patchers: [
    { strategy: x86.int3(), sites: [0], flips: 1, drop: ["sync-3"] },
    { strategy: x86.stopMachine(), sites: [1], flips: 1 },
  ],
})`;

const cwd = folder({ "two.mjs": MODULE });
const check = async (options: string) => {
  const { code, out, err } = await cmodx(`check --scenario two.mjs --max-states 50 --no-repair ${options}`, { cwd });
  return { code, out, err };
};
const json = async (options: string) => JSON.parse((await check(`${options} --json`)).out);

describe("options beside a scenario module come before what it says", () => {
  test("and the answer says which, and what the module says", async () => {
    const options = "--cpus 4 --irq --nmi --preempt --memory architectural --drop sync-1 --add rcu@sync-2";
    const { bounds } = await json(options);
    expect(bounds).toMatchObject({ cpus: 4, irq: true, nmi: true, preempt: true, memory: "architectural" });
    expect(bounds.patchers.map(({ drop, add }: { drop: unknown; add: unknown }) => ({ drop, add }))).toEqual([
      { drop: ["sync-3", "sync-1"], add: ["rcu@sync-2"] },
      { drop: [], add: [] },
    ]);
    expect(bounds.variations).toEqual([
      { option: "--cpus", asked: "4", module: "3" },
      { option: "--irq", asked: "on", module: "off" },
      { option: "--nmi", asked: "on", module: "off" },
      { option: "--preempt", asked: "on", module: "off" },
      { option: "--memory", asked: "architectural", module: "sequential" },
      { option: "--drop", asked: "sync-1", module: null },
      { option: "--add", asked: "rcu@sync-2", module: null },
    ]);
    expect((await check(options)).out.replace(/\s+/g, " ")).toContain(
      "Varied --cpus 4 (the module says 3), --irq (the module says off), --nmi (the module says off)",
    );
  });

  test("nothing is varied where nothing is given", async () => {
    expect((await json("")).bounds.variations).toEqual([]);
    expect((await check("")).out).not.toContain("Varied");
  });

  test("a step that no program has is refused, whether left out or added after", async () => {
    for (const [options, place] of [
      ["--drop sync-9", "--drop"],
      ["--add rcu@sync-9", "--add"],
    ] as const) {
      const { code, out } = await check(`${options} --json`);
      expect(code).toBe(2);
      expect(JSON.parse(out)).toMatchObject({ code: "unknown-name", place });
      expect(JSON.parse(out).message).toMatch(/^No program of the scenario has a step sync-9; did you mean sync-1/);
    }
  });

  test("a counterexample that is saved is replayed with them", async () => {
    const saved = folder({ "two.mjs": MODULE });
    const found = await cmodx("check --scenario two.mjs --cpus 3 --drop sync-1 --save t.json --no-repair", {
      cwd: saved,
    });
    expect(found.code).toBe(1);
    expect((await cmodx("replay t.json --allow-plugins", { cwd: saved })).code).toBe(0);
  });

  test("a module that has no form of a scenario is refused with the path of the field", async () => {
    const { code, err } = await cmodx("check --scenario bad.mjs", {
      cwd: folder({
        "bad.mjs": `export default ({ x86 }) => ({ ...(${MODULE.replace("export default ", "")})({ x86 }), preemt: true })`,
      }),
    });
    expect(code).toBe(2);
    expect(err).toBe("cmodx: bad.mjs: scenario.preemt is no field of a scenario; did you mean preempt?\n");
  });
});

describe("several fetch models", () => {
  const run = async (options: string) => {
    const { code, out, err } = await cmodx(`check --strategy int3 --cpus 2 --flips 1 --no-repair ${options} --json`);
    return { code, document: out === "" ? undefined : JSON.parse(out), err };
  };
  const verdicts = (document: { readonly models: readonly { readonly fetch: string; readonly verdict: string }[] }) =>
    document.models.map(({ fetch, verdict }) => `${fetch} ${verdict}`);

  test("all of the architecture", async () => {
    const { code, document } = await run("--fetch all");
    expect(code).toBe(0);
    const all = ["intel safe", "intel-otc safe", "amd safe", "coherent safe"];
    expect(verdicts(document)).toEqual(expect.arrayContaining(all));
    expect(document.models.length).toBeGreaterThan(3);
  });

  test("the worst is told, and ends the run", async () => {
    const { code, document } = await run("--drop sync-1 --offset 0 --fetch coherent,intel,coherent");
    expect(verdicts(document)).toEqual(["coherent safe", "intel unsafe"]);
    expect(document).toMatchObject({ verdict: "unsafe", bounds: { fetch: { id: "intel" } } });
    expect(code).toBe(1);
    expect((await run("--drop sync-1 --offset 0 --fetch coherent")).document).toMatchObject({
      verdict: "safe",
      models: [],
    });
  });

  test("undecided is worse than safe", async () => {
    const { code, document } = await run("--fetch intel,amd --max-states 40");
    expect(verdicts(document)).toEqual(["intel inconclusive", "amd inconclusive"]);
    expect(code).toBe(3);
  });

  test("one that refuses the site is worse than an unsafe one, and the others are told", async () => {
    const { code, out } = await cmodx(
      "check --arch armv7 --strategy plain-store --site nop.w:b.w --cpus 2 --flips 1 --fetch all --no-repair --json",
    );
    const models = JSON.parse(out).models as {
      readonly fetch: string;
      readonly verdict: string;
      readonly why: string;
    }[];
    expect(models.map(({ fetch, verdict }) => [fetch, verdict])).toEqual([
      ["a32", "impossible"],
      ["t32", "unsafe"],
    ]);
    expect(models[0]?.why).not.toBe("");
    expect(code).toBe(2);
  });

  test("one that there is not is refused before anything is checked", async () => {
    const { code, document } = await run("--fetch intel,cohernt");
    expect(code).toBe(2);
    expect(document.message).toMatch(/no fetch model cohernt/);
  });

  test("beside a scenario module too", async () => {
    const { models } = await json("--fetch intel,amd");
    expect(models.map(({ fetch }: { fetch: string }) => fetch)).toEqual(["intel", "amd"]);
  });
});
