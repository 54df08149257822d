import { describe, expect, it, test } from "vitest";
import { cmodx, fixture, json } from "./harness.js";

const x86 = fixture("patchsites.x86_64.elf");

type Row = {
  number: number;
  kind: string;
  symbol: string;
  offset: number;
  hazards: string[];
  old: string;
  new: string;
  key: string;
};

const rowsOf = async (options: readonly string[]): Promise<readonly Row[]> => {
  const { document } = await json(["scan", x86, "--sites", ...options]);
  return (document.files as { rows: Row[] }[])[0]?.rows ?? [];
};

describe("scan --sites", () => {
  it("has one row a site, and call padding as a number of its own", async () => {
    const { code, document } = await json(["scan", x86, "--sites"]);
    const [file] = document.files as { rows: Row[]; padding: number; sites: { [kind: string]: number } }[];
    const total = Object.values(file?.sites ?? {}).reduce((sum, each) => sum + each, 0);
    expect([code, file?.rows.length, total, file?.padding]).toEqual([0, 21, 21, 1]);
    expect(file?.rows.map(({ number }) => number)).not.toContain(18);
    expect(file?.rows[2]).toMatchObject({
      number: 3,
      kind: "jump-label",
      symbol: "short_nops+0x87",
      address: "0x4001c7",
      offset: 7,
      hazards: ["crosses-8"],
      old: "nop2",
      new: "jmp8 .+0x9",
      key: "key_on",
    });
  });

  it("is narrowed by kind, key, hazard and symbol, and the counts with it", async () => {
    const numbers = async (...options: string[]) => (await rowsOf(options)).map(({ number }) => number);
    expect(await numbers("--kind", "static-call")).toEqual([14, 15, 16]);
    expect(await numbers("--kind", "static-call,ftrace", "--hazard", "crosses-line")).toEqual([15]);
    expect(await numbers("--key", "key_on")).toEqual([3, 9, 12]);
    expect(await numbers("--key", "__SCK__*")).toEqual([14, 15, 16]);
    expect(await numbers("--symbol", "jumps")).toEqual([8, 9, 10]);
    expect(await numbers("--symbol", "jumps+0x38")).toEqual([9]);
    const { document } = await json(["scan", x86, "--kind", "ftrace"]);
    expect(document.files).toMatchObject([{ sites: { ftrace: 6, "jump-label": 0 } }]);
  });

  it("is text or comma-separated values", async () => {
    const text = (await cmodx(["scan", x86, "--sites", "--key", "key_on"])).out;
    expect(text).toMatch(
      /^ {2}#3 +jump-label +short_nops\+0x87 +0x4001c7 +\+7 +nop2 → jmp8 \.\+0x9 {2}key_on {2}\[crosses-8\]$/m,
    );
    const csv = (await cmodx(["scan", x86, "--csv", "--key", "key_on"])).out.split("\n");
    expect(csv[0]).toBe("file,number,kind,symbol,section,address,offset,bytes,hazards,old,new,key");
    expect(csv[1]).toBe(`${x86},3,jump-label,short_nops+0x87,.text,0x4001c7,7,6690,crosses-8,nop2,jmp8 .+0x9,key_on`);
    expect(csv).toHaveLength(5);
  });

  test.each([
    [["--kind", "kprobe"], /--kind takes jump-label, ftrace, static-call, patchable-entry, xray-sled, not kprobe/],
    [["--hazard", "slow"], /--hazard takes crosses-8, .*, not slow/],
    [["--csv", "--json"], /--csv does not go with --json/],
  ])("refuses %s", async (options, sentence) => {
    const { code, out, err } = await cmodx(["scan", x86, ...options]);
    expect([code, `${out}${err}`]).toEqual([2, expect.stringMatching(sentence)]);
  });

  it("says where it looked when there is nothing", async () => {
    const { out } = await cmodx(["scan", process.execPath]);
    expect(out.replace(/\s+/g, " ")).toContain(
      "none in __jump_table, __mcount_loc, .static_call_sites, __patchable_function_entries and xray_instr_map",
    );
  });
});

describe("check --from without --strategy", () => {
  test.each([
    ["x86_64.elf", "int3-batch", "ftrace sites of x86-64"],
    ["arm64.elf", "call-ops", "patchable-entry sites of AArch64 with a literal before it"],
    ["armv7-a32.elf", "stop-machine-linux", "jump-label sites of ARM"],
    ["riscv64-6.12.elf", "pair-stop-machine", "patchable-entry sites of RISC-V"],
    ["riscv64-call-ops.elf", "call-ops", "patchable-entry sites of RISC-V with a literal before it"],
  ])("takes what Linux does, and says so: %s", async (name, strategy, why) => {
    const { document } = await json(["check", "--from", fixture(`patchsites.${name}`), "--cpus", "2", "--no-repair"]);
    expect(document.bounds).toMatchObject({
      patchers: [{ strategy }],
      strategyWhy: `what Linux does at ${why}`,
    });
  });

  test.each([
    ["#1", "xray", "what XRay's runtime does at xray-sled sites of x86-64", "mov r10d, 0x1+call"],
    ["#3", "xray", "what XRay's runtime does at xray-sled sites of x86-64", "nop2"],
    ["#4", "xray", "what XRay's runtime does at xray-sled sites of x86-64", "mov r10d, 0x1+jmp32"],
  ])("takes what XRay does at a sled: %s", async (site, strategy, strategyWhy, code) => {
    const file = fixture("xray.x86_64.elf");
    const line = ["check", "--from", `${file}:${site}`, "--cpus", "2", "--no-repair"];
    expect((await json(line)).document).toMatchObject({
      verdict: "unsafe",
      bounds: { patchers: [{ strategy }], strategyWhy },
    });
    expect((await json([...line, "--fetch", "amd-ordered"])).document.verdict).toBe("safe");
    const { document } = await json(["scan", file, "--sites"]);
    expect((document.files as { rows: Row[] }[])[0]?.rows[Number(site.slice(1)) - 1]?.new).toBe(code);
  });

  it("takes one store of a jump back into the padding where that is all there is room for", async () => {
    const file = fixture("hot.x86_64.o");
    const { document } = await json(["check", "--from", file, "--cpus", "2", "--no-repair", "--fetch", "amd-ordered"]);
    expect(document).toMatchObject({
      // Two no-operations of a byte each: one may stand between them.
      verdict: "unsafe",
      property: "mid-sequence",
      bounds: {
        patchers: [{ strategy: "aligned-store" }],
        strategyWhy: "what hot patching does at patchable-entry sites of x86-64",
      },
    });
    const { document: list } = await json(["scan", file, "--sites"]);
    expect(list.files).toMatchObject([{ rows: [{ symbol: "hot-0x5", old: "nops", new: "jmp8 .-0x5" }] }]);
  });

  it("refuses what Linux does not patch while it runs", async () => {
    const { code, out } = await cmodx(["check", "--from", `${x86}:five_nops`, "--json"]);
    expect([code, out]).toEqual([2, expect.stringContaining("name a way with --strategy")]);
  });

  it("names the stronger fetch model that flips the verdict", async () => {
    const line = ["check", "--from", fixture("patchsites.riscv64-call-ops.elf"), "--cpus", "2", "--no-repair"];
    const { document } = await json(line);
    expect([document.verdict, document.stronger]).toEqual(["unsafe", "ziccif"]);
    expect((await cmodx(line)).out).toContain("under the fetch model ziccif it is safe");
  });
});

describe("check --all", () => {
  const line = ["check", "--all", "--cpus", "2", "--from"];

  it("names no stronger fetch model where the sites are safe under none", async () => {
    const { document } = await json([...line, fixture("hot.x86_64.o")]);
    expect(document).toMatchObject({ classes: [{ verdict: "unsafe" }], stronger: null });
  });

  it("answers for every site by classes of equal shape", async () => {
    const { code, document } = await json([...line, fixture("patchsites.arm64.elf")]);
    const classes = document.classes as { sites: number; verdict: string; strategy: string }[];
    expect(classes.reduce((sum, { sites }) => sum + sites, 0)).toBe(document.sites);
    expect([code, new Set(classes.map(({ verdict }) => verdict))]).toEqual([0, new Set(["safe"])]);
    expect(new Set(classes.map(({ strategy }) => strategy))).toEqual(new Set(["nosync-ipi", "call-ops", "nosync"]));
  });

  it("says how many are unsafe, why, by which hazard, and where the first is", async () => {
    const { code, out } = await cmodx([...line, x86, "--strategy", "plain-store", "--fetch", "amd"]);
    expect(code).toBe(1);
    expect(out).toMatch(/^ {2}\d+ unsafe +jump-label +old-or-new; first #\d+ /m);
    expect(out).toMatch(/^ {2}crosses-line +\d+ +\d+ unsafe, first #\d+/m);
    expect(out).toContain("1 run of nops before functions");
  });

  test.each([
    [["check", "--all"], /--all needs --from FILE/],
    [[...line, `${x86}:jumps`], /--all is about every site .*; leave out jumps/],
    [[...line, x86, "--save", "a.json"], /does not go with --save/],
  ])("refuses %s", async (options, sentence) => {
    const { code, err } = await cmodx(options);
    expect([code, err]).toEqual([2, expect.stringMatching(sentence)]);
  });
});
