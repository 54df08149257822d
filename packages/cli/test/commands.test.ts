import { describe, expect, test } from "vitest";
import { cmodx, fixture, folder, json, root, widest } from "./harness.js";

describe("list", () => {
  test("strategies with their default site, profiles and steps", async () => {
    const { code, document } = await json("list");
    expect(code).toBe(0);
    expect(document.schema).toBe("cmodx/list/1");
    const int3 = document.strategies.find((each: { id: string }) => each.id === "int3");
    expect(int3).toMatchObject({
      architecture: "x86",
      defaultSite: "nop5:call .+0x123456c",
      profiles: ["intel", "intel-otc", "amd", "amd-ordered", "coherent"],
    });
    expect(int3.steps).toEqual(expect.arrayContaining(["sync-1", "sync-2", "sync-3", "handler-emulate"]));
    const { out } = await cmodx("list");
    expect(out).toContain("int3-batch");
    expect(widest(out)).toBeLessThanOrEqual(100);
  });

  test("check gives a verdict for every strategy that is listed", async () => {
    const { document } = await json("list");
    for (const { architecture, id } of document.strategies) {
      const { code, document: checked } = await json(
        `check --arch ${architecture} --strategy ${id} --cpus 2 --no-repair`,
      );
      expect(["safe", "unsafe"]).toContain(checked.verdict);
      expect(code).toBe(checked.verdict === "safe" ? 0 : 1);
    }
  });

  test("a plugin's strategies are listed and checked like ours", async () => {
    const plugin = "--plugin examples/strategy/index.js";
    const { document } = await json(`list ${plugin}`, { cwd: root });
    expect(document.strategies.map((each: { id: string }) => each.id)).toContain("first-byte-last");
    const { document: checked } = await json(`check --strategy first-byte-last ${plugin}`, { cwd: root });
    expect(checked.verdict).toBe("unsafe");
  });

  test("cmodx.config.mjs in the working directory is a plugin", async () => {
    const strategy = `{ id: "own", summary: "does nothing", source: "", architectures: ["x86"], defaultSite: "nop5:call", promises: [],
      plan: () => ({ main: [] }) }`;
    const cwd = folder({ "cmodx.config.mjs": `export default [{ strategies: [${strategy}] }];` });
    const { document } = await json("list", { cwd });
    expect(document.strategies.map((each: { id: string }) => each.id)).toContain("own");
  });
});

describe("show", () => {
  test("the program with its ids, operations, notes and handlers", async () => {
    const { code, out } = await cmodx("show int3");
    expect(code).toBe(0);
    for (const said of [
      "write-int3",
      "sync-1",
      "store cc at +0",
      "int3 handler:",
      "when got == true",
      "text_poke_array = []",
    ])
      expect(out).toContain(said);
    expect(out).toMatch(/^ {4}handler-find +lookup/m);
    expect(out).toContain("alternative.c");
    expect(widest(out)).toBeLessThanOrEqual(100);
    const nested = await cmodx("show stop-machine");
    expect(nested.out).toMatch(/^ {4}sync-secondaries/m);
  });

  test("--json and --flips", async () => {
    const { document } = await json("show int3 --flips 2 --offset 62");
    expect(document).toMatchObject({ schema: "cmodx/show/1", id: "int3", architecture: "x86" });
    expect(document.flips.length).toBe(2);
    expect(document.site.offset).toBe(62);
    expect(document.flips[1].main.find((line: { id: string }) => line.id === "write-first").args.bytes).toBe("0f");
  });
});

describe("matrix", () => {
  test("strategies × environments × profiles, within 100 columns", async () => {
    const { code, out } = await cmodx("matrix --fetch coherent");
    expect(code).toBe(0);
    expect(widest(out)).toBeLessThanOrEqual(100);
    expect(out).toMatch(/^int3 +safe \d+/m);
    expect(out).toContain("n/a");
  });

  test("a strategy's cells, one for each environment", async () => {
    const cellsOf = async (strategy: string) => {
      const { code, document } = await json(`matrix --fetch coherent --strategy ${strategy}`);
      expect(code).toBe(0);
      expect(document).toMatchObject({ schema: "cmodx/matrix/1", architecture: "x86", cpus: 2 });
      const environments = ["plain", "+irq", "+nmi", "+preempt", "line-cross", "multi-insn"];
      expect(document.environments.map((each: { id: string }) => each.id)).toEqual(environments);
      expect(document.cells.map((cell: { environment: string }) => cell.environment)).toEqual(environments);
      return (environment: string) =>
        document.cells.find((cell: { environment: string }) => cell.environment === environment);
    };
    const int3 = await cellsOf("int3");
    expect(int3("+nmi").verdict).toBe("safe");
    expect(int3("multi-insn").broken).toContain("mid-sequence");
    const aligned = await cellsOf("aligned-store");
    expect(aligned("line-cross")).toMatchObject({
      verdict: "impossible",
      why: expect.stringMatching(/aligned 8-byte word/),
    });
  });

  test("every profile is a block; a strategy alone", async () => {
    const { document } = await json("matrix --strategy plain-store");
    expect(new Set(document.cells.map((cell: { fetch: string }) => cell.fetch)).size).toBe(5);
  });

  test("a limit in any cell, or an interruption, makes it inconclusive", async () => {
    expect((await cmodx("matrix --strategy int3 --fetch amd --max-states 20")).code).toBe(3);
    const { code, document } = await json("matrix --strategy int3", { signal: AbortSignal.abort() });
    expect(code).toBe(3);
    expect(
      document.cells.every(
        (cell: { verdict: string }) => cell.verdict === "inconclusive" || cell.verdict === "impossible",
      ),
    ).toBe(true);
  });
});

describe("scan", () => {
  test("a file's sites by kind and hazard", async () => {
    const { code, document } = await json(["scan", fixture("patchsites.x86_64.elf")]);
    expect(code).toBe(0);
    expect(document.files[0]).toMatchObject({
      machine: "x86-64",
      sites: { "jump-label": 9, ftrace: 6, "static-call": 3, "patchable-entry": 3 },
      padding: 1,
      hazards: { "crosses-line": 3, "multi-instruction": 3 },
    });
    expect(document.errors).toEqual([]);
  });

  test.each([
    ["arm64.elf", "AArch64", { misaligned: 1, "crosses-line": 0, "multi-instruction": 0 }],
    ["riscv64-6.12.elf", "RISC-V", { misaligned: 9, "crosses-line": 4, "multi-instruction": 12 }],
    ["riscv64-call-ops.elf", "RISC-V", { misaligned: 0, "crosses-8": 0, "crosses-line": 0, "multi-instruction": 0 }],
    ["armv7-a32.elf", "ARM", { misaligned: 0, "crosses-line": 0 }],
    ["armv7-t32.elf", "ARM", { misaligned: 7, "crosses-line": 2 }],
  ])("%s: %s", async (name, machine, hazards) => {
    const { document } = await json(["scan", fixture(`patchsites.${name}`)]);
    expect(document.files[0]).toMatchObject({ machine, hazards });
    const { out } = await cmodx(["scan", fixture(`patchsites.${name}`)]);
    expect(out).toContain(`${machine}, `);
    expect(out.includes("misaligned")).toBe(hazards.misaligned > 0);
  });

  test("a directory", async () => {
    const { code, out } = await cmodx(["scan", fixture("")]);
    expect(code).toBe(0);
    expect(out).toContain("22 files");
  });

  test("an interrupted scan says so, exit 3", async () => {
    const { code, document } = await json(["scan", fixture("")], { signal: AbortSignal.abort() });
    expect(code).toBe(3);
    expect(document.interrupted).toBe(true);
  });
});

describe("help", () => {
  test.each(["--help", "list --help", "show --help", "check --help", "matrix --help", "scan --help", "replay --help"])(
    "cmodx %s",
    async (line) => {
      const { code, out } = await cmodx(line);
      expect(code).toBe(0);
      expect(out).toContain("Usage: cmodx");
      expect(widest(out)).toBeLessThanOrEqual(100);
    },
  );

  test("--version", async () => {
    expect((await cmodx("--version")).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
