import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readPerfData, readTraceDat } from "@cmodx/record";
import { describe, expect, test } from "vitest";
import { cmodx, folder } from "./harness.js";

const INT3 = "record --strategy int3 --option events --site nop5:call --seed 7";

const read = (...path: readonly string[]): Uint8Array => new Uint8Array(readFileSync(join(...path)));

describe("cmodx record", () => {
  test("writes one run for every tool", async () => {
    const cwd = folder();
    const { code, out } = await cmodx(`${INT3} --nmi --perf p --trace-dat t.dat --ctf c --chrome r.json`, { cwd });
    expect(code).toBe(0);
    expect(out).toMatch(/^RECORDED {2}int3 on x86, intel, seed 7: \d+ steps of 3 CPUs, 2 patch calls, \d+ branches\n/);
    expect(out).toContain("perf script -i p --itrace=be -F cpu,event,ip,addr");
    expect(readdirSync(cwd).sort()).toEqual(["c", "p", "r.json", "t.dat"]);
    expect(readPerfData(read(cwd, "p/data"), "p").textPokes).toHaveLength(2);
    expect(readTraceDat(read(cwd, "t.dat"), "t").events.filter(({ name }) => name === "call")).toHaveLength(2);
    expect(readdirSync(join(cwd, "c")).sort()).toEqual(["cpu_0", "cpu_1", "cpu_2", "metadata"]);
    expect(JSON.parse(readFileSync(join(cwd, "r.json"), "utf8"))).toHaveProperty("traceEvents");
  });

  test("tells the branches that each CPU took, and the same for the same seed", async () => {
    const [one, again, other] = [
      await cmodx(`${INT3} --json`),
      await cmodx(`${INT3} --json`),
      await cmodx(`${INT3}1 --json`),
    ];
    expect(again.out).toBe(one.out);
    const document = JSON.parse(one.out);
    expect(document.branches).toHaveLength(3);
    expect(document.branches[1][0]).toEqual({ from: "0xffffffff80fff005", to: "0xffffffff80fff000" });
    expect(JSON.parse(other.out).branches).not.toEqual(document.branches);
  });

  test("goes on for as many calls as are asked for, also where a patcher has fewer", async () => {
    const { out } = await cmodx(`${INT3} --flips 5 --json`);
    expect(JSON.parse(out).flips).toBe(5);
    const { out: many } = await cmodx(`record --strategy plain-store --cpus 1 --flips 1200 --json`);
    expect(JSON.parse(many).flips).toBe(1200);
  });

  test("records what perf cannot be told for the others", async () => {
    const cwd = folder();
    const line = "record --strategy brk-emulate --arch arm64";
    const refused = await cmodx(`${line} --perf p --trace-dat t.dat`, { cwd });
    expect(refused.code).toBe(2);
    expect(refused.err).toBe(
      "cmodx: perf decodes branches of x86 alone, not of arm64; use --trace-dat, --ctf or --chrome.\n",
    );
    expect(readdirSync(cwd)).toEqual([]);
    const { code, out } = await cmodx(`${line} --trace-dat t.dat --json`, { cwd });
    expect(code).toBe(0);
    expect(JSON.parse(out).branches).toBe(null);
  });

  test("leaves what is there alone, and nothing half written", async () => {
    const cwd = folder({ "t.dat": "mine" });
    for (const [line, message] of [
      ["--perf p --trace-dat t.dat", "t.dat is there already; --trace-dat writes to a new one."],
      ["--perf p --ctf p", "--ctf and --perf name the same target p."],
      ["--perf none/p", "none/p cannot be written: none is no directory that can be written to."],
      ["--fetch intel,amd", "A run has one fetch model; name one with --fetch."],
      ["--seed 8", "--seed is given twice."],
      ["--option nix", "int3: options.nix is no field of options of int3; there is events."],
      ["--option 1=2", "--option takes NAME or NAME=VALUE, not 1=2."],
    ] as const) {
      const { code, err } = await cmodx(`${INT3} ${line}`, { cwd });
      expect({ code, err }).toEqual({ code: 2, err: `cmodx: ${message}\n` });
    }
    const huge = await cmodx("record --strategy int3 --seed 4294967296", { cwd });
    expect(huge.err).toBe("cmodx: --seed takes a whole number from 0 to 4294967295, not 4294967296.\n");
    expect(readdirSync(cwd)).toEqual(["t.dat"]);
    expect(readFileSync(join(cwd, "t.dat"), "utf8")).toBe("mine");
    const { err } = await cmodx("record --strategy stop-machine --option events", { cwd });
    expect(err).toMatch(/^cmodx: stop-?[mM]achine.*events/);
  });
});

describe("cmodx replay", () => {
  test("records a counterexample: its steps in order, with their ids, up to the torn instruction", async () => {
    const cwd = folder();
    const check = "check --strategy int3 --drop sync-1 --offset 62 --fetch coherent --no-repair --save torn.json";
    expect((await cmodx(check, { cwd })).code).toBe(1);
    const { code, out } = await cmodx("replay torn.json --perf p --trace-dat t.dat --json", { cwd });
    expect(code).toBe(0);
    const steps = JSON.parse(out).counterexample.steps as readonly unknown[];
    const { events } = readTraceDat(read(cwd, "t.dat"), "t.dat");
    expect(events.at(-1)?.values.n).toBe(BigInt(steps.length - 1));
    expect(events.filter(({ name }) => name === "executed").at(-1)?.values.torn).toBe(1n);
    const ids = events.map(({ values }) => String(values.step));
    expect(ids.filter((id) => ["write-int3", "write-tail", "write-first"].includes(id))).toContain("write-int3");
    expect(existsSync(join(cwd, "p/kcore_dir/kcore"))).toBe(true);
    writeFileSync(join(cwd, "other"), "");
    expect((await cmodx("replay torn.json --chrome other", { cwd })).code).toBe(2);
  });
});
