import { expect, test } from "vitest";
import { mutate } from "../mutants/list.mjs";

const entry = { id: "R0", rule: "R0", why: "a test", tests: ["tooling/test"] };

/** The text of a source after a mutation, or the reason why there is none. */
const mutated = (code: string, from: string, to: string, within?: string): string => {
  const sources = [
    { file: "packages/a/src/a.ts", text: code },
    { file: "packages/b/src/b.ts", text: "const b = (x: number) => x.toFixed(2);" },
  ];
  return mutate({ ...entry, from, to, ...(within === undefined ? {} : { in: within }) }, sources).text;
};

test("a mutant replaces a piece of code whatever its names are", () => {
  expect(mutated("const f = (cpu, ram) => g(cpu, ram.cells);", "h(a, b.cells)", "h(a, b.cells, b)")).toBe(
    "const f = (cpu, ram) => (g(cpu, ram.cells, ram));",
  );
});

test("one name stands for one other: different names are not the same piece", () => {
  expect(() => mutated("f(a, a);", "f(x, y)", "x")).toThrow("`from` occurs 0 times, not once: f(x, y)");
  expect(() => mutated("f(a, b);", "f(x, x)", "x")).toThrow("occurs 0 times");
});

test("names of properties and of the language stay", () => {
  expect(() => mutated("cpu.words;", "cpu.cells", "cpu")).toThrow("occurs 0 times");
  expect(() => mutated("new Set(a);", "new Map(a)", "a")).toThrow("occurs 0 times");
});

test("a property in short is the property in full", () => {
  expect(mutated("f({ cpu: one, a: 1 });", "{ cpu, a: 1 }", "{ cpu }")).toBe("f(({ cpu: one }));");
  expect(mutated("f({ cpu, a: 1 });", "{ cpu: cpu, a: 1 }", "{ cpu: 2 }")).toBe("f(({ cpu: 2 }));");
});

test("comments and line breaks do not count", () => {
  expect(mutated("if (a) {\n  // Why.\n  return;\n}", "if (x) { return; }", "")).toBe("");
});

test("a member of a list goes with its comma", () => {
  expect(mutated('f(["r", "w", "x"]);', '"w"', "")).toBe('f(["r",  "x"]);');
  expect(mutated("f({ a: 1, b: 2 });", "b: 2", "")).toBe("f({ a: 1,  });");
});

test("several statements or members are one piece", () => {
  expect(mutated("{ f(); g(); h(); }", "a(); b(); c();", "c(); a();")).toBe("{ h(); f(); }");
});

test("a hole is any expression or statement", () => {
  expect(mutated("for (const a of b) { f(a); }", "for (const x of y) $body", "for (const x of [y]) $body")).toBe(
    "for (const a of [b]) { f(a); }",
  );
});

test("a piece that occurs twice, names that nothing defines and broken code are told", () => {
  expect(() => mutated("x.toFixed(2);", "y.toFixed(2)", "y")).toThrow(
    "mutant R0: `from` occurs 2 times, not once (packages/a/src/a.ts, packages/b/src/b.ts): y.toFixed(2)",
  );
  expect(mutated("x.toFixed(2);", "y.toFixed(2)", "y", "a")).toBe("(x);");
  expect(() => mutated("f(a);", "f(a)", "f(b)")).toThrow("mutant R0: `to` uses `b`, which `from` does not name");
  expect(mutated("f(a);", "f(a)", "f((b) => b + a)")).toBe("(f((b) => b + a));");
  expect(() => mutated("f(a);", "f(a", "a")).toThrow("mutant R0: `from` is no whole piece of code: f(a");
});
