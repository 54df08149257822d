import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { report } from "../src/errors.js";
import type { Io } from "../src/io.js";
import { cmodx, fixture, folder, json, root } from "./harness.js";

const binary = new Uint8Array(readFileSync(fixture("patchsites.x86_64.o")));
const forMachine = (machine: number): Uint8Array => {
  const copy = binary.slice();
  new DataView(copy.buffer).setUint16(18, machine, true);
  return copy;
};

const cwd = folder({
  "good.o": binary,
  "cut.o": binary.slice(0, 3000),
  "loongarch.o": forMachine(258),
  "text.o": "just text\n",
  "throws.mjs": 'throw new Error("at load\\nover two lines")',
  "throws-later.mjs": 'export default () => { throw new Error("when called") }',
  "nothing.mjs": "export const a = 1;",
  "wrong.mjs": "export default { sites: 1 }",
  "no-strategy.mjs": "export default { name: 'x', cpus: 2, sites: [], patchers: [{ sites: [0], flips: 1 }] }",
  "syntax.mjs": "export default {",
  "overlap.mjs": `export default ({ x86 }) => ({ name: "x", cpus: 2, patchers: [{ strategy: x86.int3Batch(), sites: [0, 1], flips: 1 }],
    sites: [{ address: 0x1000n, old: "nop5", new: "call" }, { address: 0x1003n, old: "nop5", new: "call" }] })`,
  "bad.json": "{",
  "other.json": '{"schema":"cmodx/trace/0"}',
});

/** What a scenario module says wrong, in a file of its own, and the sentence about it. */
const misspelt: readonly [file: string, field: string, sentence: RegExp][] = [
  ["nmi.mjs", "interrupts: { NMI: true }", /scenario\.interrupts\.NMI is no field of interrupts; did you mean nmi\?/],
  ["preemt.mjs", "preemt: true", /scenario\.preemt is no field of a scenario; did you mean preempt\?/],
  ["ignore.mjs", 'ignore: ["don"]', /scenario\.ignore\[0\] cannot be "don"; did you mean done/],
  ["memory.mjs", 'memory: "tso"', /scenario\.memory cannot be "tso"; there are sequential, architectural\./],
  [
    "nwe.mjs",
    'properties: ["old-or-nwe"]',
    /scenario\.properties\[0\] cannot be "old-or-nwe"; did you mean old-or-new/,
  ],
  [
    "uncalled.mjs",
    "patchers: [{ strategy: x86.int3, sites: [0], flips: 1 }]",
    /strategy has to be a strategy, not a function: call it, as in int3\(\)/,
  ],
  ["number.mjs", 'sites: [{ address: 0x1000, old: "nop5", new: "call" }]', /sites\[0\]\.address .*write 0x1000n/],
  [
    "flips.mjs",
    "patchers: [{ strategy: x86.int3(), sites: [0], flips: 0 }]",
    /scenario\.patchers\[0\]\.flips has to be/,
  ],
  ["bytes.mjs", 'data: [{ address: 1n, bytes: "00" }]', /scenario\.data\[0\]\.bytes has to be a list of bytes/],
  ["proto.mjs", '["__proto__"]: 1', /scenario\.__proto__ is no field of a scenario/],
  ["inside.mjs", "executors: [{ entries: [0x1001n] }]", /scenario\.executors\[0\]\.entries\[0\] is 0x1001, byte 1/],
  ["over.mjs", 'blocks: [{ address: 0x1002n, code: "ret" }]', /scenario\.blocks\[0\] overlaps scenario\.sites\[0\]/],
];
for (const [file, field] of misspelt)
  writeFileSync(
    join(cwd, file),
    `export default ({ x86 }) => ({ name: "x", cpus: 2, patchers: [{ strategy: x86.int3(), sites: [0], flips: 1 }],
      sites: [{ address: 0x1000n, old: "nop5", new: "call" }], ${field} })`,
  );

/** Command lines with wrong input, and what their sentence says. */
const wrong: readonly [string, RegExp][] = [
  ["check", /--strategy ID, --from FILE or --scenario FILE/],
  ["check --strategy int4", /No strategy is called int4; did you mean int3/],
  ["check --strategy quite-unlike", /No strategy is called quite-unlike; there are .*int3/],
  ["check --strategy int3 --arch sparc", /No architecture called sparc is installed; installed: x86/],
  ["check --strategy int3 --colour", /Unknown option '--colour'/],
  ["check --strategy int3 --cpus 0", /--cpus takes a whole number from 1 to 1024, not 0/],
  ["check --strategy int3 --fetch intel,", /--fetch takes names with commas between them, not "intel,"\./],
  ["check --strategy int3 --ignore ,", /--ignore takes names with commas between them, not ","\./],
  ["check --strategy int3 --drop sync-1,,sync-2", /--drop takes names with commas/],
  ["check --strategy int3 --cpus 2 --drop sync-9", /no step sync-9; its steps are .*sync-1/],
  ["check --strategy int3 --offset 64", /--offset takes a whole number from 0 to 63/],
  ["check --strategy int3 --flips 0", /--flips takes .* or forever, not 0/],
  ["check --strategy int3 --fetch zen", /no fetch model zen; it has intel/],
  ["check --strategy int3 --property old", /--property takes properties/],
  ["check --strategy int3 --memory fast", /--memory takes sequential or architectural/],
  ["check --strategy int3 --timeout -1", /--timeout takes a number above 0/],
  ["check --strategy int3 --width 2", /Only plain-store has a width/],
  ["check --strategy plain-store --width 3", /--width takes 1, 2, 4 or 8/],
  ["check --strategy int3 --site nop5", /A site is OLD:NEW/],
  ["check --strategy int3 --site nop5:nop4", /both need the same length/],
  ["check --strategy int3 --site nop5:fly", /"fly" is not an instruction known here/],
  ["check --strategy int3 --offset 0 --from good.o", /--offset does not go with --from/],
  ["check --strategy int3 --old-bytes 90", /--old-bytes needs --new-bytes too/],
  ["check --strategy int3 --old-bytes 9", /--old-bytes takes bytes in hexadecimal/],
  ["check --strategy int3 --at nowhere", /--at takes an address/],
  ["check --strategy aligned-store --offset 62", /cross an aligned 8-byte word/],
  ["check --strategy int3 --from absent.o", /absent\.o is not there/],
  ["check --strategy int3 --from .", /is a directory/],
  ["check --strategy int3 --from cut.o", /cut\.o: .*but the file has only 3000 bytes/],
  ["check --strategy int3 --from text.o", /text\.o: .*not an ELF file/],
  ["check --strategy int3 --from loongarch.o", /loongarch\.o: .*LoongArch; expected little-endian/],
  ["check --strategy int3 --from good.o:no_such", /good\.o: no_such: no function of this name/],
  ["check --strategy int3 --from good.o:#99", /good\.o: #99: expected a number from #1 to #22/],
  ["check --scenario absent.mjs", /absent\.mjs is not there/],
  ["check --scenario throws.mjs", /throws\.mjs cannot be loaded: at load over two lines/],
  ["check --scenario throws-later.mjs", /throws-later\.mjs throws: when called/],
  ["check --scenario nothing.mjs", /nothing\.mjs has no default export/],
  ["check --scenario wrong.mjs", /wrong\.mjs: scenario\.sites has to be a list with one site at the least, not 1/],
  ["check --scenario no-strategy.mjs", /scenario\.sites has to be a list with one site at the least, not an empty one/],
  ...misspelt.map(([file, , sentence]) => [`check --scenario ${file}`, sentence] as [string, RegExp]),
  ["check --scenario syntax.mjs", /syntax\.mjs cannot be loaded/],
  ["check --scenario overlap.mjs", /overlap at 0x1003/],
  ["check --scenario overlap.mjs --flips 2", /--flips does not go with --scenario/],
  ["check --strategy int3 --save no/such/folder.json", /cannot be written/],
  ["check --strategy int3 --save .", /cannot be written: it is a directory/],
  ["check --strategy int3 --plugin absent", /The package absent is not installed/],
  [
    "list --plugin ./wrong.mjs",
    /is no cmodx plugin: plugin\.sites is no field of a cmodx plugin; there are strategies/,
  ],
  ["list --arch sparc", /No architecture called sparc/],
  ["show", /Missing required argument 'strategy'/],
  ["show int4", /did you mean int3/],
  ["show int3 --site nop+nop+nop+nop+nop:call --flips 2", /cannot do flip 2/],
  ["matrix --arch sparc", /No architecture called sparc/],
  ["scan", /Missing required argument 'file'/],
  ["scan absent", /absent is not there/],
  ["scan text.o", /not an ELF file/],
  ["replay absent.json", /absent\.json is not there; expected a saved counterexample/],
  ["replay bad.json", /bad\.json is no saved counterexample: it is no JSON/],
  ["replay other.json", /trace\.schema has to be "cmodx\/trace\/1", not "cmodx\/trace\/0"/],
  ["fly", /Unknown command 'fly'/],
];

describe("wrong input", () => {
  test.each(wrong)("cmodx %s", async (line, sentence) => {
    const { code, out, err } = await cmodx(line, { cwd });
    expect(err).toMatch(sentence);
    expect(err).toMatch(/^cmodx: [^\n]+\n$/);
    expect(err).not.toMatch(/\.(ts|js):\d+/);
    expect(out).toBe("");
    expect(code).toBe(2);

    const machine = await json(line, { cwd });
    expect(machine.code).toBe(2);
    expect(Object.keys(machine.document)).toEqual(["schema", "code", "message", "file", "place"]);
    expect(machine.document.schema).toBe("cmodx/error/1");
    expect(machine.document.message).toMatch(sentence);
  });

  test("a branch that does not reach its target", async () => {
    const line = ["check", "--strategy", "int3", "--site", "nop2:jmp8 .+0x1000"];
    const { code, err } = await cmodx(line);
    expect(code).toBe(2);
    expect(err).toMatch(/cannot reach/);
  });

  test("errors name the file and the place", async () => {
    const { document } = await json("check --strategy int3 --from text.o", { cwd });
    expect(document).toMatchObject({ file: "text.o", place: "offset 0" });
  });

  test("what fails beside a plugin is the plugin's, or cmodx' with it: a sentence without a stack", async () => {
    const plugin = folder({
      "plugin.mjs": "export default { architectures: [{ id: 'odd', create() { return {} }, strategies: [] }] }",
    });
    const { code, err } = await cmodx("matrix --arch odd --plugin ./plugin.mjs", { cwd: plugin });
    expect(code).toBe(2);
    expect(err).toMatch(/^cmodx: A plugin or a module fails, or cmodx with it \(.*\); DEBUG=cmodx shows where\.\n$/);
  });

  test("an error of cmodx itself is called one", async () => {
    const told: string[] = [];
    const io = { err: (text: string) => void told.push(text), env: {} } as unknown as Io;
    expect(report(new TypeError("oops"), io, false, false)).toBe(70);
    expect(told).toEqual(["cmodx: This is a bug in cmodx (oops); DEBUG=cmodx shows where.\n"]);
  });

  test("no command at all: the help, exit 2", async () => {
    const { code, err } = await cmodx("");
    expect(code).toBe(2);
    expect(err).toContain("Usage: cmodx");
  });

  test("a directory is read as far as it can be; the rest is reported, exit 2", async () => {
    const { code, document } = await json(["scan", join(cwd, ".")], { cwd });
    expect(code).toBe(2);
    expect(document.files.length).toBe(1);
    expect(document.errors.map((each: { file: string }) => each.file.split("/").at(-1))).toEqual([
      "cut.o",
      "loongarch.o",
      "text.o",
    ]);
    const { err, out } = await cmodx(["scan", cwd]);
    expect(err.trim().split("\n").length).toBe(3);
    expect(out).toContain("good.o");
  });
});

describe("an answer that cannot be written", () => {
  test.each([
    ["check --strategy plain-store --no-repair", 1, "unsafe"],
    ["check --strategy int3 --cpus 1", 2, "vacuous"],
    ["check --strategy int3 --max-states 5", 2, "inconclusive"],
    ["check --strategy int4 --json", 2, "an error"],
    ["list", 2, "complete"],
    ["show int3", 2, "complete"],
    ["matrix --strategy alternatives --fetch amd", 2, "complete"],
    ["ablate --strategy alternatives --fetch amd --max-states 1", 2, "inconclusive"],
    [`litmus ${join(root, "packages/litmus/fixtures/catalogue/MP+rel+blr.litmus")}`, 2, "complete"],
    [`scan ${fixture("patchsites.x86_64.elf")}`, 2, "complete"],
    ["gallery 1", 2, "complete"],
  ])("%s: its word stands on standard error", async (line, code, word) => {
    const ran = await cmodx(line, { unwritten: new Error("no space") });
    expect(ran.err.split("\n").at(-2)).toBe(
      `cmodx: The answer (${word}) cannot be written to standard output: no space.`,
    );
    expect(ran.code).toBe(code);
  });
});

describe("a step that others need", () => {
  test.each([
    [
      "fixup-addr",
      "The step handler-resume needs an address, but there is null; the step that sets it cannot be left out.",
    ],
    ["handler-addr", "The step handler-resume of trap int3 looks at addr, which no step sets"],
    ["handler-ip", "A condition of trap int3 looks at ip, which no step sets"],
  ])("%s is not left out", async (step, why) => {
    for (const strategy of ["int3-2010", "int3-2010-nine"]) {
      const { code, err } = await cmodx(`check --strategy ${strategy} --cpus 2 --drop ${step}`);
      expect(code).toBe(2);
      expect(err).toContain(why);
    }
  });
});

test("a site that wraps past the last address", async () => {
  const { code, err } = await cmodx(
    "check --strategy int3 --at 0xfffffffffffffffe --old-bytes 0f1f440000 --new-bytes e9fb000000",
  );
  expect(code).toBe(2);
  expect(err).toContain("The site at 0xfffffffffffffffe, of length 5, does not end below 2^64");
});

describe("control characters from files are escaped", () => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with one
  const COLOUR = /\u001b\[\d{1,2}m/g;
  const wild = "\u001b]0;title\u0007\u001b[2J\u009b1m\u202e";

  test.each([true, false])("colours: %s", async (color) => {
    const cwd = folder({
      "a.mjs": `throw new Error(${JSON.stringify(wild)});`,
      "t.litmus": `AArch64 t${wild}\n{ }\n P0 ;\n NOP ;\nexists (true)\n`,
      "bad.litmus": `AArch64 t\n{ }\n P0 ;\n ${wild} ;\nexists (true)\n`,
    });
    for (const line of [
      ["check", "--scenario", "a.mjs"],
      ["litmus", "t.litmus"],
      ["litmus", "bad.litmus"],
      ["check", "--strategy", wild],
      ["litmus", wild],
      ["check", "--strategy", "int3", "--site", wild],
      ["check", "--strategy", wild, "--json"],
    ]) {
      const { out, err } = await cmodx(line, { cwd, color });
      expect(out + err).toContain("\\u001b");
      const plain = (out + err).replaceAll(COLOUR, "");
      expect([...plain].filter((letter) => letter !== "\n" && /[\p{Cc}\u202e]/u.test(letter))).toEqual([]);
      if (line.includes("--json")) expect(JSON.parse(out).message).toContain("\u001b");
    }
  });
});
