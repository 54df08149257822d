import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { differenceFrom, readExpectations, runLitmus } from "../src/index.js";

/*
 * Tests of RISC-V, written from the manual's descriptions. What is expected is what the manual says, with the reason, whatever the machine
 * does; what the manual says nothing of is not expected. That stores become visible to fetches sooner or later, as Ziccid says, is a matter
 * of endless executions, which these tests are not about.
 */

const data = fileURLToPath(new URL("data/riscv", import.meta.url));

/** Tables of expectations, the folders of their tests, and how these are fetched. */
const tables = [
  { table: "memory", folder: "memory", fetch: "zifencei" },
  { table: "zifencei", folder: "fetch", fetch: "zifencei" },
  { table: "ziccif", folder: "fetch", fetch: "ziccif" },
  { table: "ziccid", folder: "fetch", fetch: "ziccid" },
] as const;

/** What the machine does not do as the manual says: each is to leave this list. */
const notMet: readonly {
  readonly why: string;
  readonly tables: readonly string[];
  readonly tests: readonly string[];
}[] = [
  {
    why: "A hart's instructions are fetched in program order, which Ziccid alone promises.",
    tables: ["zifencei", "ziccif"],
    tests: ["CoFR", "LB.FF", "MP.FR+fence.w.w+po"],
  },
];

const isMet = (table: string, name: string): boolean =>
  !notMet.some(({ tables, tests }) => tables.includes(table) && tests.includes(name));

const cases = tables.flatMap(({ table, folder, fetch }) =>
  [...readExpectations(readFileSync(join(data, `${table}.tsv`), "utf8"), `${table}.tsv`)].map(([name, expected]) => ({
    table,
    file: join(folder, `${name}.litmus`),
    fetch,
    expected,
    met: isMet(table, name),
  })),
);

test.each(cases)("$table: $file", ({ file, fetch, expected, met }) => {
  const result = runLitmus(readFileSync(join(data, file), "utf8"), file, { fetch });
  const difference = differenceFrom(result, expected);
  if (met) expect(difference).toBeUndefined();
  else expect(difference, "This is as the manual says now, and to be taken from the list.").toBeDefined();
});

test("every file has an expectation, and what is not met is one", () => {
  const there = ["memory", "fetch"].flatMap((folder) =>
    readdirSync(join(data, folder)).map((name) => join(folder, name)),
  );
  expect([...new Set(cases.map(({ file }) => file))].sort()).toEqual(there.sort());
  const listed = notMet.reduce((sum, each) => sum + each.tables.length * each.tests.length, 0);
  expect(cases.filter(({ met }) => !met)).toHaveLength(listed);
});
