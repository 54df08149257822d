import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { cmodx, root } from "./harness.js";

const text = readFileSync(join(root, "docs/scenarios.md"), "utf8");

test("the example in docs/scenarios.md is the one in examples/scenario", () => {
  expect(text).toContain(readFileSync(join(root, "examples/scenario/two-sites.mjs"), "utf8"));
});

const commands = [...text.matchAll(/^\$ npx cmodx (.+)$/gm)].map(([, line = ""]) => line);

test.each(commands)("cmodx %s", async (line) => {
  const { code, err } = await cmodx(line, { cwd: root });
  expect(err).toBe("");
  expect([0, 1, 3]).toContain(code);
});
