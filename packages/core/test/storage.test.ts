import { describe, expect, it } from "vitest";
import { GrowingInt32 } from "../src/explorer/growing.js";
import { Interner } from "../src/explorer/interner.js";
import { hashOf, StateStore } from "../src/explorer/state-store.js";
import { type Data, keyOf, same } from "../src/index.js";
import { Random } from "./toy/random.js";

describe("the set of states seen is exact", () => {
  it("it gives each row a number in order of arrival, and the same row the same one", () => {
    const store = new StateStore(3);
    expect(store.add(Int32Array.of(1, 2, 3))).toBe(~0);
    expect(store.add(Int32Array.of(1, 2, 4))).toBe(~1);
    expect(store.add(Int32Array.of(1, 2, 3))).toBe(0);
    expect(store.find(Int32Array.of(1, 2, 4))).toBe(1);
    expect(store.find(Int32Array.of(4, 2, 1))).toBe(-1);
    expect(store.size).toBe(2);
    expect([...store.rows.subarray(0, 6)]).toEqual([1, 2, 3, 1, 2, 4]);
  });

  it("every column counts, the first and the last included", () => {
    for (let column = 0; column < 6; column++) {
      const store = new StateStore(6);
      for (let value = 0; value < 50; value++) {
        const row = new Int32Array(6);
        row[column] = value;
        expect(store.add(row)).toBe(~value);
      }
      expect(store.size).toBe(50);
    }
  });

  it("agrees with a set of strings through several doublings of the table", () => {
    const random = new Random(1);
    const store = new StateStore(5);
    const known = new Map<string, number>();
    for (let i = 0; i < 60_000; i++) {
      // Few values in each column, so that rows collide in part and come again.
      const row = Int32Array.from({ length: 5 }, () => random.below(9));
      const name = row.join();
      const number = known.get(name);
      const answer = store.add(row);
      if (number === undefined) {
        expect(answer).toBe(~known.size);
        known.set(name, known.size);
      } else {
        expect(answer).toBe(number);
      }
    }
    expect(store.size).toBe(known.size);
    expect(store.size).toBeGreaterThan(30_000);
    for (const [name, number] of known) expect(store.find(Int32Array.from(name.split(","), Number))).toBe(number);
    expect(store.bytes).toBeGreaterThan(store.size * 5 * 4);
  });

  it("rows whose hashes are the same are told apart", () => {
    const store = new StateStore(2);
    const half = (a: number): number => hashOf(Int32Array.of(a), 0, 1);
    const rows = Array.from({ length: 50 }, (_, a) => Int32Array.of(a, half(a) ^ half(0)));
    expect(new Set(rows.map((row) => hashOf(row, 0, 2))).size).toBe(1);
    rows.forEach((row, i) => {
      expect(store.add(row)).toBe(~i);
    });
    rows.forEach((row, i) => {
      expect(store.find(row)).toBe(i);
    });
  });

  it("rows that belong to the same slot are told apart", () => {
    // Seventeen bits of rows in a table that begins with 4096 slots: most slots are shared.
    const store = new StateStore(2);
    for (let a = 0; a < 400; a++)
      for (let b = 0; b < 300; b++) expect(store.add(Int32Array.of(a, b))).toBe(~(a * 300 + b));
    for (let a = 0; a < 400; a++)
      for (let b = 0; b < 300; b++) expect(store.find(Int32Array.of(a, b))).toBe(a * 300 + b);
    expect(store.find(Int32Array.of(400, 0))).toBe(-1);
  });
});

describe("a list of numbers grows", () => {
  it("past several doublings, and keeps what it held", () => {
    const list = new GrowingInt32(4);
    for (let i = 0; i < 1000; i++) list.push(i * 7 - 3000);
    expect(list.length).toBe(1000);
    for (let i = 0; i < 1000; i++) expect(list.get(i)).toBe(i * 7 - 3000);
    expect(list.bytes).toBe(4 * 1024);
  });

  it("by as much as is asked for at once", () => {
    const list = new GrowingInt32(2);
    list.push(1);
    list.reserve(100).set([2, 3, 4], 1);
    list.added(3);
    expect([...list.array.subarray(0, list.length)]).toEqual([1, 2, 3, 4]);
  });
});

describe("values of the same structure have the same number", () => {
  it("whatever the order of their keys", () => {
    const interner = new Interner<{ readonly [key: string]: Data }>();
    expect(interner.id({ a: 1, b: [2, { c: 3n }] })).toBe(0);
    expect(interner.id({ b: [2, { c: 3n }], a: 1 })).toBe(0);
    expect(interner.id({ a: 1, b: [2, { c: 3n }], d: undefined })).toBe(0);
    expect(interner.value(0)).toEqual({ a: 1, b: [2, { c: 3n }] });
    expect(interner.size).toBe(1);
    expect(() => interner.value(1)).toThrow("No value has the number 1.");
  });

  it("and values of different structure never have", () => {
    const values: readonly Data[] = [
      null,
      undefined,
      true,
      false,
      0,
      1,
      1n,
      "1",
      "1n",
      "",
      "null",
      "u",
      [],
      {},
      [1],
      ["1"],
      [[1]],
      [1, 2],
      [[1], 2],
      [1, [2]],
      { a: 1 },
      { a: "1" },
      { b: 1 },
      { a: { b: 1 } },
      { "a:1,b": 2 },
      { a: 1, b: 2 },
      ["a,b"],
      ["a", "b"],
      '["a"]',
      -1,
      0.5,
      "i",
      "1i",
      [undefined],
      [null],
    ];
    expect(new Set(values.map(keyOf)).size).toBe(values.length);
    const interner = new Interner<{ readonly value: Data }>();
    expect(values.map((value) => interner.id({ value }))).toEqual(values.map((_, i) => i));
    for (const [i, a] of values.entries()) for (const [j, b] of values.entries()) expect(same(a, b)).toBe(i === j);
  });
});
