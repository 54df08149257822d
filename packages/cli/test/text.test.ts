import { nearest } from "@cmodx/core";
import { wrap } from "@cmodx/view";
import { describe, expect, test } from "vitest";
import { columns, entry, prose } from "../src/text.js";

describe("wrap", () => {
  test("breaks at blanks and indents what follows", () => {
    expect(wrap("one two three", 8, "  ")).toEqual(["one two", "  three"]);
    expect(wrap("", 8)).toEqual([""]);
    expect(wrap("one", 8)).toEqual(["one"]);
  });

  test("cuts words that do not fit", () => {
    expect(wrap("abcdefghij", 4)).toEqual(["abcd", "efgh", "ij"]);
    expect(wrap("ab cdefghij kl", 4, " ")).toEqual(["ab", " cde", " fgh", " ij", " kl"]);
    for (const line of wrap("a bcdefghijklmnop qrs tuvwxyz", 5, "  ")) expect(line.length).toBeLessThanOrEqual(5);
  });
});

test("columns align and wrap the last", () => {
  expect(
    columns(
      [
        ["a", "one two three four five six"],
        ["long", "x"],
      ],
      26,
    ),
  ).toEqual(["a     one two three four", "      five six", "long  x"]);
});

test("entries have their title in a column of its own", () => {
  expect(entry("Site", "here and there", 6, 14)).toBe("Site  here and\n      there");
});

test("prose wraps paragraphs and keeps what is indented", () => {
  expect(prose("one\ntwo\n\n  $ kept\n  $ so")).toBe("one two\n\n  $ kept\n  $ so");
});

test("near names come first, far ones not at all", () => {
  expect(nearest("int4", ["plain-store", "int3", "int3-batch"])[0]).toBe("int3");
  expect(nearest("zzzzzz", ["plain-store", "int3"])).toEqual([]);
});
