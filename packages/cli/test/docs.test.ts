import { expect, test } from "vitest";
import { read, runCommands } from "./docs.js";

test("the example in docs/scenarios.md is the one in examples/scenario", () => {
  expect(read("docs/scenarios.md")).toContain(read("examples/scenario/two-sites.mjs"));
});

runCommands({ many: false });
