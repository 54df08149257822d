import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { differenceFrom, type Expectation, expectationOf, readExpectations, runLitmus } from "../src/index.js";

const data = fileURLToPath(new URL("../fixtures", import.meta.url));
const expectations = readExpectations(
  readFileSync(join(data, "catalogue-expected.json"), "utf8"),
  "catalogue-expected.json",
);

test("the catalogue has 211 tests", () => {
  expect(expectations.size).toBe(211);
});

test.each([...expectations.keys()])("%s answers as herd7 does", (name) => {
  const file = `${name}.litmus`;
  const result = runLitmus(readFileSync(join(data, "catalogue", file), "utf8"), file);
  expect(differenceFrom(result, expectationOf(expectations, file) as Expectation)).toBeUndefined();
});
