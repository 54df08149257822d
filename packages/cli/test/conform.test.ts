import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { assertFits } from "@cmodx/core/schema";
import { describe, expect, test } from "vitest";
import { documents } from "../src/json-schemas.js";
import { cmodx, folder } from "./harness.js";

describe("cmodx conform", () => {
  test("a recorded log conforms to its strategy, and contradicts one that asks for more", async () => {
    const cwd = folder();
    await cmodx("record --strategy int3 --option events --site nop5:call --seed 7 --trace-dat run.dat", { cwd });
    const own = await cmodx("conform run.dat --strategy int3 --option events", { cwd });
    expect(own.code).toBe(0);
    expect(own.out).toMatch(/^CONFORMS {2}run\.dat and int3: 2 changes, 6 writes, 2 calls of 3 CPUs\n/);
    expect(own.out).toContain("no verdict of safe");
    const { code, out } = await cmodx("conform run.dat --strategy int3 --option events --json", { cwd });
    expect(code).toBe(0);
    expect(() => assertFits(documents.conform, JSON.parse(out), "the document", {})).not.toThrow();

    await cmodx("record --strategy int3 --drop sync-1 --site nop5:call --seed 7 --trace-dat less.dat", { cwd });
    const less = await cmodx("conform less.dat --strategy int3 --json", { cwd });
    expect(less.code).toBe(1);
    expect(JSON.parse(less.out)).toMatchObject({
      answer: "contradicts",
      contradictions: [{ step: "sync-1", site: "0xffffffff81000000", cpus: [0, 1, 2] }, {}],
    });
    expect((await cmodx("conform less.dat --strategy int3", { cwd })).out).toMatch(
      /\nEvent \d+ +step sync-1 of 0xffffffff81000000: CPUs 0, 1, 2 did not\s+synchronise\s+between\s+event \d+\s+and\s+this/,
    );
    expect((await cmodx("conform less.dat --strategy int3 --option events", { cwd })).code).toBe(1);
  });

  test("what is no log is refused in one sentence, and what shows nothing is not covered", async () => {
    const cwd = folder();
    await cmodx("record --strategy int3 --option events --site nop5:call --trace-dat run.dat --perf p", { cwd });
    writeFileSync(join(cwd, "cut.dat"), readFileSync(join(cwd, "run.dat")).subarray(0, 3000));
    for (const [line, message] of [
      [
        "cut.dat --strategy int3",
        /^cmodx: cut\.dat: at offset \d+: the file ends, where \d+ more bytes were expected\.\n$/,
      ],
      [
        "p/kcore_dir/kallsyms --strategy int3",
        /^cmodx: p\/kcore_dir\/kallsyms: line 1: a line of a trace was expected/,
      ],
      ["none --strategy int3", /none/],
      ["run.dat", /Say which strategy with --strategy ID/],
      ["--strategy int3", /Say which log; cmodx conform --how/],
      ["run.dat --strategy int4", /did you mean int3/],
    ] as const) {
      const { code, err } = await cmodx(`conform ${line}`, { cwd });
      expect({ line, code, err }).toEqual({ line, code: 2, err: expect.stringMatching(message) });
    }
    const perf = await cmodx("conform p/data --strategy int3", { cwd });
    expect(perf.code).toBe(3);
    expect(perf.out).toMatch(/^NOT COVERED {2}p\/data and int3/);
  });

  test("--how prints a script", async () => {
    const { code, out } = await cmodx("conform --how");
    expect(code).toBe(0);
    expect(out).toMatch(/^#!\/bin\/sh\n/);
    expect(out).toContain("p:sync_core do_sync_core\n");
  });
});
