import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cmodx, root } from "./harness.js";

const read = (file: string): string => readFileSync(join(root, file), "utf8");
const text = read("docs/scenarios.md");

test("the example in docs/scenarios.md is the one in examples/scenario", () => {
  expect(text).toContain(readFileSync(join(root, "examples/scenario/two-sites.mjs"), "utf8"));
});

/** The commands of a page; the whole matrix is what `npm start` prints. */
const commandsOf = (page: string): readonly string[] =>
  [...page.matchAll(/^\$ npx cmodx (.+)$/gm)]
    .map(([, line = ""]) => line)
    .filter((line) => line !== "matrix --arch x86");

test.each([
  ...commandsOf(text),
  ...["README.md", "docs/gallery.md", "docs/arm64.md", "docs/armv7.md", "docs/riscv.md"].map(read).flatMap(commandsOf),
])("cmodx %s", async (line) => {
  const { code, err } = await cmodx(line, { cwd: root });
  expect(err).toBe("");
  expect([0, 1, 3]).toContain(code);
});
