import { expect, test } from "vitest";
import { families, litmusText } from "../../../bench/families.mjs";
import { runLitmus } from "../src/index.js";

/* The families of `npm run bench -- litmus`, at sizes whose final states can be counted by hand. */

const answerOf = (id: string, size: number) => runLitmus(litmusText(id, size), `${id}${size}.litmus`);

/** A CPU that hears of a patch runs the new instruction; one that does not may run either. */
const HEARD_OR_NOT = 3;

const finals: readonly (readonly [string, string, (size: number) => number])[] = [
  ["A", "every CPU but the patcher for itself", (cpus) => HEARD_OR_NOT ** (cpus - 1)],
  ["B", "every instruction old or new", (count) => 2 ** count],
  ["C", "what was there and what each patcher wrote", (cpus) => cpus],
  ["D", "one of two instructions", () => 2],
  ["E", "every call runs the old or the new", (calls) => 2 ** calls],
  ["F", "every pair for itself", (pairs) => HEARD_OR_NOT ** pairs],
  ["G", "every CPU between hears or not; the last runs the new one if all did", (cpus) => 2 ** cpus - 1],
];

test.each(finals)("family %s: %s", (id, _, count) => {
  for (const size of families[id]?.sizes.slice(0, 2) ?? []) expect(answerOf(id, size).states).toHaveLength(count(size));
});

test("every family is counted", () => {
  expect(finals.map(([id]) => id)).toEqual(Object.keys(families));
});

test("who has heard of the patch runs the new instruction", () => {
  for (const id of ["A", "F", "G"]) expect(answerOf(id, families[id]?.sizes[0] as number).observation).toBe("Never");
});
