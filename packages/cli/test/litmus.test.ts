import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { packTar } from "modern-tar";
import { expect, test } from "vitest";
import { cmodx, fixture, folder, json, root, widest } from "./harness.js";

const fixtures = join(root, "packages/litmus/fixtures");
const catalogue = join(fixtures, "catalogue");
const coFF = join(catalogue, "DIC0-IDC0/coFF.litmus");

test("a test is printed as herd7 prints it", async () => {
  const { code, out, err } = await cmodx(["litmus", coFF]);
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out.replace(/Time coFF .*/, "Time coFF")).toBe(`Test coFF Allowed
States 4
1:X1=0; 1:X2=0;
1:X1=0; 1:X2=1;
1:X1=1; 1:X2=0;
1:X1=1; 1:X2=1;
Ok
Witnesses
Positive: 1 Negative: 3
Condition exists (1:X1=1 /\\ 1:X2=0)
Observation coFF Sometimes 1 3
Time coFF

`);
});

test("--timeout is one budget for all tests, and for all files of a scan", async () => {
  const { code, out } = await cmodx(["litmus", "--timeout", "0.001", catalogue]);
  expect([code, out]).toEqual([3, expect.stringContaining("not all tests were run")]);
  expect((await cmodx(["litmus", "--timeout", "1000", coFF])).code).toBe(0);
  expect((await cmodx(["scan", "--timeout", "1000", fixture("patchsites.x86_64.o")])).code).toBe(0);
  expect((await cmodx(["scan", "--timeout", "0", fixture("patchsites.x86_64.o")])).code).toBe(2);
});

test("--json has verdict, observation, states and flags", async () => {
  const { code, document } = await json(["litmus", coFF]);
  expect(code).toBe(0);
  expect(document.schema).toBe("cmodx/litmus/1");
  expect(document.tests).toHaveLength(1);
  expect(document.tests[0]).toMatchObject({
    name: "coFF",
    file: coFF,
    verdict: "Allowed",
    observation: "Sometimes",
    states: ["1:X1=0; 1:X2=0;", "1:X1=0; 1:X2=1;", "1:X1=1; 1:X2=0;", "1:X1=1; 1:X2=1;"],
    flags: [],
    expected: null,
    difference: null,
  });
});

test("a directory is compared with expectations", async () => {
  const directory = join(catalogue, "DIC1-IDC1");
  const expected = join(fixtures, "catalogue-expected.json");
  const { code, out } = await cmodx(["litmus", directory, "--expect", expected]);
  expect(code).toBe(0);
  expect(out).toMatch(/^\d+ tests, \d+ as expected, 0 not\n$/);
});

test("a difference from what was expected is told and ends with 1", async () => {
  const states = ["1:X1=0; 1:X2=0;"];
  const path = folder({ "expected.json": JSON.stringify({ "coFF.litmus": { verdict: "Allowed", states } }) });
  const asked = ["litmus", coFF, "--expect", join(path, "expected.json")];
  const { code, out } = await cmodx(asked);
  expect(code).toBe(1);
  expect(out.replace(/\s+/g, " ")).toContain("with the final states 1:X1=0; 1:X2=1; and 1:X1=1; 1:X2=0;");
  expect((await json(asked)).document.tests[0]).toMatchObject({ expected: "Allowed" });
  writeFileSync(join(path, "expected.json"), JSON.stringify({ coFF: { verdict: "Forbidden", states } }));
  expect((await cmodx(asked)).out).toContain("Allowed, not Forbidden as expected");
});

test.each([
  [
    { coFF: { verdit: "Allowed", states: [] } },
    "expectations.coFF.verdict is missing from an expectation, which has no verdit.",
  ],
  [{ coFF: { verdict: "Allow", states: [] } }, 'expectations.coFF.verdict cannot be "Allow"; did you mean Allowed?'],
  [
    { coFF: { verdict: "Allowed", states: [], flag: [] } },
    "expectations.coFF.flag is no field of an expectation; did you mean flags",
  ],
  [
    { coFF: { verdict: "Allowed", states: "none" } },
    "expectations.coFF.states has to be a list of final states, or their number",
  ],
])("expectations of another form are refused: %j", async (expectations, message) => {
  const path = folder({ "expected.json": JSON.stringify(expectations) });
  const { code, err } = await cmodx(["litmus", coFF, "--expect", join(path, "expected.json")]);
  expect(code).toBe(2);
  expect(err).toContain(message);
});

test("a table of expectations has verdicts and numbers of states", async () => {
  const path = folder({ "expected.tsv": "test\tcacheType\tverdict\tstates\ncoFF\tnone\tAllowed\t4\n" });
  const asked = ["litmus", coFF, "--expect", join(path, "expected.tsv")];
  expect((await cmodx(asked)).code).toBe(0);
  writeFileSync(join(path, "expected.tsv"), "test\tcacheType\tverdict\tstates\ncoFF\tnone\tAllowed\t5\n");
  const { code, out } = await cmodx(asked);
  expect({ code, told: out.includes("4 final states, not 5 as expected") }).toEqual({ code: 1, told: true });
});

test("of a directory with files that are no tests the rest is run, and it ends with 2", async () => {
  const path = folder({
    "bad.litmus": "AArch64 bad\n{ 0:X0=1; }\n P0 ;\n FROB X1 ;\nexists (0:X0=1)\n",
    "good.litmus": readFileSync(coFF, "utf8"),
    "notes.txt": "not a test",
  });
  mkdirSync(join(path, "below"));
  writeFileSync(join(path, "below/cut.litmus"), "AArch64 cut\n{ 0:X0=1; \n P0 ;");
  const { code, out, err } = await cmodx(["litmus", path]);
  expect(code).toBe(2);
  expect(err.split("\n").filter((line) => line !== "")).toHaveLength(2);
  expect(err).toMatch(/bad\.litmus, line 4, column 2: /);
  expect(err).toMatch(/below\/cut\.litmus, line 2, column 1: /);
  expect(out).toContain("Observation coFF Sometimes 1 3");
  const { document } = await json(["litmus", path]);
  expect(document.errors).toHaveLength(2);
});

test("a named file that is no test is an error of the run", async () => {
  const path = folder({ "bad.litmus": "AArch64 bad\n{ 0:X0=1; }\n P0 ;\n NOP ;\nexists 0:X0\n" });
  const { code, err } = await cmodx(["litmus", join(path, "bad.litmus")]);
  expect({ code, err: err.replace(path, "") }).toEqual({
    code: 2,
    err: "cmodx: /bad.litmus, line 6, column 1: An equals sign was expected here, not the end.\n",
  });
});

test("an archive is run as a directory is", async () => {
  const { out, code } = await cmodx(["litmus", "pack.tar.gz"], {
    cwd: folder({ "pack.tar.gz": await pack("a/coFF.litmus") }),
  });
  expect(code).toBe(0);
  expect(out).toContain("Observation coFF Sometimes 1 3");
  const bad = await cmodx(["litmus", "bad.tar.gz"], { cwd: folder({ "bad.tar.gz": "no archive" }) });
  expect(bad).toMatchObject({ code: 2, err: "cmodx: bad.tar.gz is not packed with gzip.\n" });
});

const riscv = join(root, "packages/litmus/test/data/riscv");

test("tests of RISC-V are compared with what the manual says", async () => {
  const { code, out } = await cmodx(["litmus", join(riscv, "memory"), "--expect", join(riscv, "memory.tsv")]);
  expect({ code, out }).toEqual({ code: 0, out: "75 tests, 75 as expected, 0 not\n" });
});

test("--fetch says how instructions are fetched, in place of the file", async () => {
  const torn = join(riscv, "fetch/W+F-word.litmus");
  const observed = async (fetch: string) =>
    (await json(["litmus", torn, "--fetch", fetch])).document.tests[0].observation;
  expect([await observed("zifencei"), await observed("ziccif")]).toEqual(["Sometimes", "Never"]);
  expect((await json(["litmus", coFF, "--fetch", "IDC+DIC"])).document.tests[0].observation).toBe("Never");
  expect(await cmodx(["litmus", torn, "--fetch", "idc"])).toMatchObject({
    code: 2,
    err: expect.stringContaining("RISCV has no fetch model idc; there are zifencei, ziccif, ziccid."),
  });
});

test("--fetch A,B and --fetch all run each test under several fetch models and end with the worst", async () => {
  const torn = join(riscv, "fetch/W+F-word.litmus");
  const { code, document } = await json(["litmus", torn, coFF, "--fetch", "all"]);
  const found = document.tests.map(({ name, fetch, observation }: Record<string, string>) => [
    name,
    fetch,
    observation,
  ]);
  expect([code, found]).toEqual([
    0,
    [
      ["W+F-word", "zifencei", "Sometimes"],
      ["W+F-word", "ziccif", "Never"],
      ["W+F-word", "ziccid", "Never"],
      ["coFF", "none", "Sometimes"],
      ["coFF", "idc", "Sometimes"],
      ["coFF", "idc+dic", "Never"],
    ],
  ]);
  const said = (await cmodx(["litmus", coFF, "--fetch", "idc+dic,none"])).out;
  expect(said.match(/^Fetch .*|^Observation .*/gm)).toEqual([
    "Fetch idc+dic",
    "Observation coFF Never 0 3",
    "Fetch none",
    "Observation coFF Sometimes 1 3",
  ]);
  const expectations = { "expected.json": JSON.stringify({ coFF: { verdict: "Forbidden", states: 3 } }) };
  const asked = ["litmus", coFF, "--expect", join(folder(expectations), "expected.json"), "--fetch"];
  const codes = ["idc+dic", "none", "none,idc+dic", "all,nine"].map(
    async (fetch) => (await cmodx([...asked, fetch])).code,
  );
  expect(await Promise.all(codes)).toEqual([0, 1, 1, 2]);
  expect((await cmodx([...asked, "none,idc+dic"])).out).toContain("coFF.litmus, none:");
});

test("messages and help fit the width", async () => {
  expect(widest((await cmodx("litmus --help")).out)).toBeLessThanOrEqual(100);
});

/** A tar archive that holds coFF under a name. */
const pack = async (name: string): Promise<Uint8Array> =>
  gzipSync(await packTar([{ header: { name, size: readFileSync(coFF).length }, body: readFileSync(coFF) }]));
