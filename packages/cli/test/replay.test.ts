import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { cmodx, fixture, folder, json, root, widest } from "./harness.js";

const edit = (file: string, change: (saved: { request: { [name: string]: unknown } }) => void): void => {
  const saved = JSON.parse(readFileSync(file, "utf8"));
  change(saved);
  writeFileSync(file, JSON.stringify(saved));
};

describe("replay", () => {
  test("a saved counterexample replays to the same violation, step by step", async () => {
    const cwd = folder();
    const line = "check --strategy int3 --drop sync-1 --offset 62 --fetch coherent --save trace.json";
    const { document } = await json(line, { cwd });
    const replayed = await json("replay trace.json", { cwd });
    expect(replayed.code).toBe(0);
    expect(replayed.document).toMatchObject({
      schema: "cmodx/replay/1",
      property: document.property,
      why: document.why,
      broken: document.broken,
    });
    expect(replayed.document.counterexample.steps).toEqual(document.counterexample.steps);
    const { out } = await cmodx("replay trace.json", { cwd });
    expect(out).toMatch(/^REPLAYED/);
    expect(widest(out)).toBeLessThanOrEqual(100);
  });

  test("of a site of a binary, without the binary", async () => {
    const cwd = folder();
    await json(
      ["check", "--strategy", "plain-store", "--from", fixture("patchsites.x86_64.elf"), "--save", "trace.json"],
      { cwd },
    );
    expect((await cmodx("replay trace.json", { cwd })).code).toBe(0);
  });

  test("of a scenario module, wherever both are moved", async () => {
    const cwd = folder({
      "own.mjs": readFileSync(join(root, "examples/scenario/two-sites.mjs"), "utf8").replace("int3Batch", "plainStore"),
    });
    const { document } = await json("check --scenario own.mjs --save out.json", { cwd });
    expect(document.verdict).toBe("unsafe");
    const elsewhere = join(folder(), "moved");
    mkdirSync(elsewhere);
    for (const name of ["own.mjs", "out.json"]) renameSync(join(cwd, name), join(elsewhere, name));
    expect((await cmodx(["replay", "--allow-plugins", join(elsewhere, "out.json")])).code).toBe(0);
  });

  test("a counterexample about progress", async () => {
    const cwd = folder();
    await json("check --strategy int3 --cpus 2 --drop drop-refs --save trace.json", { cwd });
    const { code, out } = await cmodx("replay trace.json", { cwd });
    expect(code).toBe(0);
    expect(out).toContain("progress");
  });

  test("a trace of another model is refused in one sentence", async () => {
    const cwd = folder();
    await json("check --strategy plain-store --save trace.json", { cwd });
    edit(join(cwd, "trace.json"), ({ request }) => {
      request.cpus = 2;
    });
    const { code, err, out } = await cmodx("replay trace.json", { cwd });
    expect(code).toBe(2);
    expect(out).toBe("");
    expect(err).toMatch(/^cmodx: The trace is of another model .*\.\n$/);
  });

  test.each<[string, (request: { [name: string]: unknown }) => void]>([
    ["a number that is a word", (request) => Object.assign(request, { cpus: "3" })],
    ["a field that there is not", (request) => Object.assign(request, { preemt: true })],
    ["no site", (request) => Object.assign(request, { site: null })],
    [
      "an address that is none",
      (request) => Object.assign(request, { site: { address: "here", old: "nop5", new: "call" } }),
    ],
    ["an unknown strategy", (request) => Object.assign(request, { strategy: "int4" })],
  ])("a request with %s is refused", async (_, change) => {
    const cwd = folder();
    await json("check --strategy plain-store --save trace.json", { cwd });
    edit(join(cwd, "trace.json"), ({ request }) => change(request));
    const { code, document } = await json("replay trace.json", { cwd });
    expect(code).toBe(2);
    expect(document.schema).toBe("cmodx/error/1");
  });
});

describe("code that a saved counterexample names", () => {
  const ran = "globalThis.cmodxRan = (globalThis.cmodxRan ?? 0) + 1;\n";
  const runs = (): unknown => (globalThis as { cmodxRan?: number }).cmodxRan;
  const unsafe = "check --strategy plain-store --cpus 2 --no-repair --save trace.json";

  test("a plugin runs with --allow-plugins only", async () => {
    const cwd = folder({ "plugin.mjs": `${ran}export default {};\n` });
    expect((await cmodx(`${unsafe} --plugin ./plugin.mjs`, { cwd })).out).toContain(
      "cmodx replay --allow-plugins shows it",
    );
    const other = folder({ "plugin.mjs": `${ran}export default {};\n` });
    renameSync(join(cwd, "trace.json"), join(other, "trace.json"));
    const before = runs();
    const refused = await cmodx(["replay", join(other, "trace.json")]);
    expect(refused.code).toBe(2);
    expect(refused.err).toContain("names code that a replay runs: ./plugin.mjs; --allow-plugins runs it");
    expect(runs()).toBe(before);
    expect((await cmodx(["replay", "--allow-plugins", join(other, "trace.json")])).code).toBe(0);
    expect(runs()).not.toBe(before);
  });

  test("so does a scenario module", async () => {
    const cwd = folder({
      "own.mjs": readFileSync(join(root, "examples/scenario/two-sites.mjs"), "utf8").replace("int3Batch", "plainStore"),
    });
    await json("check --scenario own.mjs --save out.json", { cwd });
    const { code, err } = await cmodx("replay out.json", { cwd });
    expect({ code, says: err.includes("names code that a replay runs: ./own.mjs") }).toEqual({ code: 2, says: true });
  });

  test("so does a configuration beside it, which is told of where it is missed", async () => {
    const cwd = folder();
    await cmodx(unsafe, { cwd });
    writeFileSync(join(cwd, "cmodx.config.mjs"), `${ran}export default {};\n`);
    const before = runs();
    expect((await cmodx("replay trace.json", { cwd })).code).toBe(0);
    expect(runs()).toBe(before);
    edit(join(cwd, "trace.json"), ({ request }) => Object.assign(request, { strategy: "of-the-config" }));
    expect((await cmodx("replay trace.json", { cwd })).err).toContain(
      "Without --allow-plugins the cmodx.config.mjs beside the file was not loaded.",
    );
    expect(runs()).toBe(before);
    expect((await cmodx("replay --allow-plugins trace.json", { cwd })).code).toBe(2);
    expect(runs()).not.toBe(before);
  });

  test("a plugin that the user names is found from where the user is", async () => {
    const cwd = folder({ "mine.mjs": `${ran}export default {};\n` });
    const elsewhere = folder();
    await cmodx(unsafe, { cwd: elsewhere });
    const before = runs();
    expect((await cmodx(["replay", "--plugin", "./mine.mjs", join(elsewhere, "trace.json")], { cwd })).code).toBe(0);
    expect(runs()).not.toBe(before);
  });

  test("a CPU that is no number of one is refused", async () => {
    const cwd = folder();
    await cmodx(unsafe, { cwd });
    for (const cpu of [1.5, -1, "0", null]) {
      const file = join(cwd, "trace.json");
      const saved = JSON.parse(readFileSync(file, "utf8"));
      writeFileSync(
        join(cwd, "wrong.json"),
        JSON.stringify({ ...saved, steps: saved.steps.map((step: object) => ({ ...step, cpu })) }),
      );
      const { code, err } = await cmodx("replay wrong.json", { cwd });
      expect({ code, says: /^cmodx: [^\n]+\.\n$/.test(err) }).toEqual({ code: 2, says: true });
    }
  });
});
