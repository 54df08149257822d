import { describe, expect, test } from "vitest";
import { cmodx, folder } from "./harness.js";

describe("what is asked twice, or both ways, is refused", () => {
  test.each([
    ["check --strategy int3 --cpus 2 --cpus 3", "--cpus is given twice."],
    ["check --strategy int3 --strategy plain-store", "--strategy is given twice."],
    ["check --strategy int3 --fetch intel --fetch coherent", "--fetch is given twice."],
    ["check --strategy int3 --site nop5:call --site nop5:jmp", "--site is given twice."],
    ["litmus x --fetch none --fetch idc", "--fetch is given twice."],
    ["litmus x --expect a --expect b", "--expect is given twice."],
    ["litmus x --jobs 1 --jobs 2", "--jobs is given twice."],
    ["litmus x --states 1 --states 2", "--states is given twice."],
    ["scan x --jobs 1 --jobs 2", "--jobs is given twice."],
    ["check --strategy int3 --user --no-user", "--user and --no-user contradict each other."],
    [
      "check --strategy int3 --option events --option events=false",
      "--option takes each option once, not events=false.",
    ],
  ])("%s", async (line, message) => {
    expect(await cmodx(line)).toEqual({ code: 2, out: "", err: `cmodx: ${message}\n` });
  });

  test("names of lists add up", async () => {
    const ran = await cmodx("check --strategy int3 --cpus 2 --drop sync-1 --drop nope");
    expect(ran.err).toMatch(/has no step nope/);
    expect((await cmodx("check --strategy int3 --property done --property nope")).err).toMatch(/not nope/);
  });

  const MP = (first: string, initial: string): string =>
    `AArch64 MP\n${first}{\n0:X1=x; ${initial}\n}\n P0 ;\n LDR W0,[X1] ;\nexists (0:X0=1)\n`;
  test.each([
    ["a register", MP("", "0:X1=y;"), /P0:X1 has two initial values/],
    ["a location", MP("", "x=1; x=2;"), /x has two initial values, 1 and 2/],
    ["a line", MP("CacheType=IDC\nCacheType=DIC IDC\n", ""), /The test says CacheType= twice, IDC and DIC IDC/],
  ])("%s of a litmus test", async (_, text, message) => {
    const ran = await cmodx("litmus a.litmus", { cwd: folder({ "a.litmus": text }) });
    expect(ran.code).toBe(2);
    expect(ran.err).toMatch(message);
  });
});

test("a folder below one that takes none ends in a sentence", async () => {
  const cwd = folder();
  const saved = "check --strategy plain-store --cpus 2 --flips 1 --no-repair --save a.json";
  expect(await cmodx(saved, { cwd })).toMatchObject({ code: 1, err: "" });
  const ran = await cmodx("replay a.json --perf /proc/cmodx", { cwd });
  expect(ran.code).toBe(2);
  expect(ran.err).toMatch(/^cmodx: \/proc\/cmodx cannot be written: ENOENT/);
});
