import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cmodx, root } from "./harness.js";

/** A file of the repository. */
const read = (file: string): string => readFileSync(join(root, file), "utf8");

const pages = [
  "README.md",
  "docs/scenarios.md",
  "docs/gallery.md",
  "docs/arm64.md",
  "docs/armv7.md",
  "docs/riscv.md",
  "docs/cost.md",
];

/** The commands of our pages; the whole matrix is what `npm start` prints. */
const commands = [
  ...new Set(pages.flatMap((page) => [...read(page).matchAll(/^\$ npx cmodx (.+)$/gm)]).map(([, line = ""]) => line)),
].filter((line) => line !== "matrix --arch x86");

test.each(commands)("cmodx %s", async (line) => {
  const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain = ""]) => quoted ?? plain);
  const { code, err } = await cmodx(words, { cwd: root });
  expect(err).toBe("");
  expect([0, 1, 3]).toContain(code);
});

test("the example in docs/scenarios.md is the one in examples/scenario", () => {
  expect(read("docs/scenarios.md")).toContain(read("examples/scenario/two-sites.mjs"));
});
