import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { cmodx, fixture, folder, root } from "./harness.js";
import { files, wrongWith } from "./json-schema.js";

describe("the published JSON Schema files", () => {
  const published = join(root, "packages/cli/schemas");

  test("are those of the documents: `node tooling/scripts/json-schemas.mjs` writes them after a build", () => {
    expect(readdirSync(published).sort()).toEqual([...files.keys()].sort());
    for (const [name, text] of files) expect(readFileSync(join(published, name), "utf8"), name).toBe(text);
  });

  test("refuse what is no such document", () => {
    const error = { schema: "cmodx/error/1", code: null, message: "", file: null, place: null };
    expect(wrongWith(error)).toEqual([]);
    for (const other of [
      { ...error, more: 1 },
      { ...error, code: "whim" },
      { ...error, message: undefined },
    ])
      expect(wrongWith(JSON.parse(JSON.stringify(other)))).not.toEqual([]);
  });
});

const STORE = "check --strategy plain-store --site nop5:call --offset 62 --cpus 2";
const saved = folder();
const noFile = folder({ "bad.litmus": "AArch64 x\n{" });

describe("what each command prints is valid by its schema", () => {
  test.each<[name: string, line: string]>([
    ["list", "list"],
    ["show", "show int3"],
    // Lines under conditions and loops, surroundings, pairs, cache operations, interrupts with handlers.
    ["show", "show int3-2010"],
    ["show", "show optprobe --arch x86"],
    ["show", "show call-ops --arch arm64"],
    ["show", "show brk-emulate"],
    ["show", "show pair-stop-machine"],
    ["check", "check --strategy int3 --cpus 2 --flips 1"],
    ["check", `${STORE} --outcomes --save ${join(saved, "torn.json")}`],
    ["replay", `replay ${join(saved, "torn.json")}`],
    ["check", "check --strategy int3 --max-states 5 --timeout 60 --fetch intel,amd --flips forever"],
    ["check", "check --strategy int3 --cpus 2 --drop clear-array --no-repair --property progress"],
    ["check", `check --strategy int3 --max-states 5 --from ${fixture("patchsites.x86_64.o")}:#1`],
    ["check", `check --scenario ${join(root, "examples/scenario/two-sites.mjs")} --nmi --max-states 20`],
    ["record", "record --strategy int3 --option events --site nop5:call"],
    ["record", "record --strategy brk-emulate"],
    ["error", "check --strategy int4"],
    ["error", "check --strategy int3 --colour"],
    ["matrix", "matrix --arch riscv --strategy plain-store --fetch ziccid --cpus 2 --max-states 20"],
    ["ablate", "ablate --arch arm64 --strategy nosync --cpus 2 --max-states 20 --fetch none"],
    ["scan", `scan ${fixture("patchsites.x86_64.elf")} ${fixture("patchsites.x86_64.o")}`],
    [
      "litmus",
      `litmus ${join(root, "packages/litmus/fixtures/catalogue/MP+rel+blr.litmus")} ${join(noFile, "bad.litmus")}`,
    ],
    ["gallery", "gallery 1 --max-states 500"],
  ])("%s: cmodx %s", async (name, line) => {
    const { out } = await cmodx(`${line} --json`, { cwd: root });
    const document = JSON.parse(out) as { readonly schema: string };
    expect(document.schema).toBe(`cmodx/${name}/1`);
    expect(wrongWith(document)).toEqual([]);
  });

  test("trace: a saved counterexample", () => {
    expect(wrongWith(JSON.parse(readFileSync(join(saved, "torn.json"), "utf8")))).toEqual([]);
  });
});
