import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { cmodx, fixture, folder, root } from "./harness.js";

/** Values that nobody means. */
const VALUES = [
  "",
  " ",
  "-1",
  "0",
  "1e308",
  "1.5",
  "NaN",
  "99999999999999999999",
  "0x",
  "constructor",
  "__proto__",
  "\u0000",
  "x".repeat(5000),
  "/",
  "/dev/null",
  ".",
  "a,b,,c",
  ":",
  "nop:nop:nop",
  "@",
  "sync@",
  "@start",
  "#1",
  "💥",
  "%s%n",
  "--",
  "forever",
  "1",
  "all",
] as const;

const base = "check --strategy int3 --cpus 2 --flips 1 --max-states 30 --no-repair";

/** Command lines, each of whose last words takes a value. */
const LINES = [
  ...[
    "arch",
    "strategy",
    "site",
    "offset",
    "from",
    "old-bytes",
    "new-bytes",
    "at",
    "scenario",
    "cpus",
    "flips",
    "fetch",
    "memory",
  ],
  ...["drop", "add", "property", "ignore", "width", "max-states", "max-memory", "timeout", "plugin"],
].map((option) => `${base} --${option}`);

const OTHERS = [
  "check --old-bytes 90 --new-bytes cc --strategy int3 --max-states 30 --at",
  "check --at 0x1000 --new-bytes cc --strategy int3 --max-states 30 --old-bytes",
  "show",
  "show int3 --site",
  "show int3 --flips",
  "show plain-store --width",
  "list --arch",
  "list --plugin",
  "matrix --strategy alternatives --fetch amd --max-states 5 --cpus",
  "matrix --strategy alternatives --max-states 5 --fetch",
  "matrix --max-states 5 --fetch amd --strategy",
  "matrix --pairs --max-states 1 --timeout 1 --fetch",
  "ablate --max-states 2 --fetch amd --strategy",
  "ablate --strategy alternatives --max-states 2 --fetch amd --site",
  "gallery --max-states 2",
  "litmus",
  "litmus --jobs",
  "scan",
  "replay",
  "",
];

/** A line of a run that was understood, or refused in a sentence. */
const isDecent = ({ code, err }: { readonly code: number; readonly err: string }): boolean =>
  [0, 1, 2, 3].includes(code) && !/\.(ts|js):\d+|\bat .*\(|bug in cmodx/.test(err);

describe("no value ends in a bug", () => {
  const cwd = folder();
  test.each([...LINES, ...OTHERS])("%s", async (line) => {
    for (const value of VALUES) {
      // Of the root all files would be read.
      if (value === "/" && ["scan", "litmus"].includes(line)) continue;
      const ran = await cmodx([...line.split(" ").filter((word) => word !== ""), value], { cwd });
      expect({ value: value.slice(0, 30), ...ran }).toSatisfy(isDecent);
    }
  });
});

describe("no file ends in a bug", () => {
  const trace = JSON.stringify({
    schema: "cmodx/trace/1",
    model: "x",
    property: "done",
    why: "",
    steps: [],
    request: {
      strategy: "int3",
      plugins: [],
      site: { address: "0x1000", old: "nop5", new: "call" },
      cpus: 2,
      flips: 1,
      irq: false,
      nmi: false,
      preempt: false,
      memory: "sequential",
      drop: [],
    },
  });
  const deep = "[".repeat(200_000) + "]".repeat(200_000);
  const texts: { readonly [name: string]: string } = {
    empty: "",
    nothing: "null",
    number: "1e999",
    list: "[]",
    deep: deep,
    "deep-steps": trace.replace('"steps":[]', `"steps":${deep}`),
    "deep-site": trace.replace('"nop5"', deep),
    "own-proto": trace.replace('"plugins"', '"__proto__":{"strategy":"x"},"plugins"'),
    flips: trace.replace('"flips":1', '"flips":1e308'),
    cpus: trace.replace('"cpus":2', '"cpus":1e9'),
    address: trace.replace("0x1000", `0x${"f".repeat(5000)}`),
    bytes: trace.replace('"nop5"', `[${"144,".repeat(70_000)}144]`),
    text: trace.replace('"nop5"', JSON.stringify("nop+".repeat(100_000))),
    drop: trace.replace('"drop":[]', '"drop":["constructor","__proto__"]'),
    mode: trace.replace('"old"', '"mode":"constructor","old"'),
    step: trace.replace('"steps":[]', '"steps":[{"cpu":0,"rule":"constructor","step":null,"candidate":0,"choice":0}]'),
    property: trace.replace('"done"', '"constructor"'),
    nul: "\u0000".repeat(1000),
    elf: "\u007fELF",
  };
  const cwd = folder(texts);
  mkdirSync(join(cwd, "empty-folder"));
  writeFileSync(join(cwd, "a.litmus"), "AArch64 a\n{ }\n P0 ;\n NOP ;\nexists (true)\n");

  test.each(Object.keys(texts))("%s", async (name) => {
    for (const line of [
      ["replay", name],
      ["litmus", name],
      ["litmus", "a.litmus", "--expect", name],
      ["scan", name],
      ["check", "--strategy", "int3", "--from", name],
      ["check", "--scenario", name],
      ["list", "--plugin", `./${name}`],
    ]) {
      const ran = await cmodx(line, { cwd });
      expect({ line, ...ran }).toSatisfy(isDecent);
    }
  });

  test("folders and devices where files are expected", async () => {
    for (const name of ["empty-folder", "/dev/null", "/dev/zero", "/dev/full"]) {
      for (const line of [
        ["replay", name],
        ["litmus", name],
        ["litmus", "a.litmus", "--expect", name],
        ["scan", name],
        ["check", "--strategy", "int3", "--from", name],
        ["check", "--scenario", name],
      ]) {
        const ran = await cmodx(line, { cwd });
        expect({ line, ...ran }).toSatisfy(({ code }: { code: number }) => code === 2);
      }
    }
  });
});

describe("no module ends in a bug", () => {
  const scenario = (fields: string): string =>
    `export default ({ x86 }) => ({ name: "n", sites: [{ address: 0x1000n, old: "nop5", new: "call" }], patchers: [{ strategy: x86.int3(), sites: [0], flips: 1 }], cpus: 2, ${fields} });`;
  const strategy = (plan: string): string =>
    `const it = []; it.push(it);
     export default { name: "n", sites: [{ address: 0x1000n, old: "nop5", new: "call" }], cpus: 2,
       patchers: [{ sites: [0], flips: 1, strategy: { id: "own", summary: "", source: "", architectures: ["x86"], defaultSite: "nop5:call", promises: [], plan: ${plan} } }] };`;
  const modules: { readonly [name: string]: string } = {
    null: "export default null;",
    "throws-nothing": "throw undefined;",
    "throws-text": "export default () => { throw 'text'; };",
    rejects: "export default async () => { throw new Error('later'); };",
    getter: "export default { get sites() { throw new Error('no'); } };",
    proxy: "export default new Proxy({}, { get() { throw new Error('no'); }, ownKeys() { throw new Error('no'); } });",
    executors: scenario("executors: [{ count: 1e9 }]"),
    negative: scenario("executors: [{ count: -1 }]"),
    entries: scenario("executors: [{ entries: [5n] }]"),
    registers: scenario("executors: [{ registers: { constructor: 1n } }]"),
    "block-over": scenario("blocks: [{ address: 0x1001n, code: 'nop' }]"),
    "block-text": scenario("blocks: [{ address: 0x9000n, code: 'fly' }]"),
    "block-mode": scenario("blocks: [{ address: 0x9000n, code: 'nop', mode: 'constructor' }]"),
    data: scenario("data: [{ address: 2n ** 64n - 1n, bytes: [1, 2] }]"),
    "no-plan": strategy("() => undefined"),
    "null-plan": strategy("() => null"),
    "plan-throws": strategy("() => { throw new Error('no plan'); }"),
    main: strategy("() => ({ main: 5 })"),
    itself: strategy("() => ({ main: it })"),
    op: strategy("() => ({ main: [{ id: 'a', op: 'constructor', args: {} }] })"),
    args: strategy("() => ({ main: [{ id: 'a', op: 'store', args: {} }] })"),
    emulate: strategy("() => ({ main: [{ id: 'a', op: 'emulate', args: { bytes: '90' } }] })"),
    ack: strategy("() => ({ main: [{ id: 'a', op: 'ack', args: {} }] })"),
    lookup: strategy("() => ({ main: [{ id: 'a', op: 'lookup', args: { word: 'w', into: 'x' } }], words: { w: 0 } })"),
    return: strategy("() => ({ main: [{ id: 'a', op: 'return-from-trap', args: {} }] })"),
    unlock: strategy("() => ({ main: [{ id: 'a', op: 'unlock', args: { name: 'never' } }] })"),
    event: strategy(
      "() => ({ main: [{ id: 'a', op: 'publishEvent', args: { address: 5n, old: '90', next: 'cc', begins: false } }] })",
    ),
    "far-store": strategy(
      "() => ({ main: [{ id: 'a', op: 'store', args: { address: 2n ** 64n - 1n, bytes: '9090', width: 8 } }] })",
    ),
    hex: strategy("() => ({ main: [{ id: 'a', op: 'store', args: { address: 0x1000n, bytes: 'zz', width: 1 } }] })"),
    width: strategy("() => ({ main: [{ id: 'a', op: 'store', args: { address: 0x1000n, bytes: '90', width: 0 } }] })"),
    deep: strategy(
      "() => { let lines = []; for (let i = 0; i < 20000; i++) lines = [{ id: 'a' + i, when: { test: 'eq', a: 0, b: 0 }, lines }]; return { main: lines }; }",
    ),
    ipi: strategy("() => ({ main: [{ id: 'a', op: 'waitIpi', args: { of: 'b' } }] })"),
    local: strategy(
      "() => ({ main: [{ id: 'a', op: 'set', args: { word: 'w', value: { local: 'constructor' } } }], words: { w: 0 } })",
    ),
    "proto-word": strategy("() => ({ main: [{ id: 'a', op: 'set', args: { word: '__proto__', value: 1 } }] })"),
    vector: strategy("() => ({ main: [], traps: { constructor: [] } })"),
    plugin: "export default { strategies: [{ id: 'x', promises: [], plan() { return 5; } }] };",
    architecture: "export default { architectures: [{ id: 'z', create() { return {}; } }] };",
    "architecture-throws":
      "export default { architectures: [{ id: 'z', strategies: [], create() { throw new Error('no'); } }] };",
    parts: "export default { parts: [{ id: 'p', install() { throw new Error('no'); } }] };",
    "parts-null": "export default { parts: [null] };",
    strategies: "export default { strategies: [null] };",
  };
  const cwd = folder(Object.fromEntries(Object.entries(modules).map(([name, text]) => [`${name}.mjs`, text])));

  test.each(Object.keys(modules))("%s", async (name) => {
    for (const line of [
      ["check", "--scenario", `${name}.mjs`, "--max-states", "200"],
      ["check", "--scenario", `${name}.mjs`, "--max-states", "200", "--memory", "architectural", "--outcomes"],
      ["check", "--strategy", "int3", "--max-states", "20", "--cpus", "2", "--plugin", `./${name}.mjs`],
      ["list", "--plugin", `./${name}.mjs`],
    ]) {
      const ran = await cmodx(line, { cwd });
      expect({ line, ...ran }).toSatisfy(isDecent);
    }
  });
});

test("what is there is read", async () => {
  expect((await cmodx(["scan", fixture("patchsites.x86_64.elf")])).code).toBe(0);
  expect((await cmodx(["litmus", join(root, "packages/litmus/fixtures/catalogue/MP+rel+blr.litmus")])).code).toBe(0);
});
