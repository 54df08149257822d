import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { differenceFrom, type Expectation, expectationOf, readExpectations, runLitmus } from "../src/index.js";

const data = fileURLToPath(new URL("../fixtures", import.meta.url));

/** The files of the archive; they are all small and have short names. */
const archived = (bytes: Buffer): ReadonlyMap<string, string> => {
  const files = new Map<string, string>();
  for (let at = 0; bytes[at] !== 0 && at < bytes.length; ) {
    const size = Number.parseInt(bytes.toString("latin1", at + 124, at + 135), 8);
    const name = bytes.toString("latin1", at, at + 100).replace(/\0.*$/s, "");
    if (size > 0) files.set(name, bytes.toString("utf8", at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
};

test("all tests of ESOP 2020 answer as herd7 does", { timeout: 600_000 }, () => {
  const files = archived(gunzipSync(readFileSync(join(data, "esop2020.tar.gz"))));
  const table = readFileSync(join(data, "esop2020-expected.tsv"), "utf8");
  const expectations = readExpectations(table, "esop2020-expected.tsv");
  expect(expectations.size).toBe(2976);
  const differing = [...expectations.keys()].flatMap((name) => {
    const file = `${name}.litmus`;
    const result = runLitmus(files.get(file) ?? "", file);
    return differenceFrom(result, expectationOf(expectations, file) as Expectation) ?? [];
  });
  expect(differing).toEqual([]);
});
