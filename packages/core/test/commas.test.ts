import { expect, it } from "vitest";
import { own, partsAtCommas } from "../src/index.js";

it("texts are divided at commas outside brackets", () => {
  expect(partsAtCommas("x0, [x1, #8]!, lsl #2")).toEqual(["x0", " [x1, #8]!", " lsl #2"]);
  expect(partsAtCommas("sp!, {r0, r1-r3}")).toEqual(["sp!", " {r0, r1-r3}"]);
  expect(partsAtCommas("a0, %pcrel_lo(a, b)(c)")).toEqual(["a0", " %pcrel_lo(a, b)(c)"]);
  expect(partsAtCommas("")).toEqual([""]);
  expect(partsAtCommas("],a")).toEqual(["]", "a"]);
});

it("a table has what it was given, not what every object has", () => {
  const table: { readonly [name: string]: number } = { a: 1, toString: 2 };
  expect([own(table, "a"), own(table, "toString"), own(table, "constructor"), own(table, "__proto__")]).toEqual([
    1,
    2,
    undefined,
    undefined,
  ]);
});
