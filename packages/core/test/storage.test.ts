import { describe, expect, it } from "vitest";
import { Random } from "../../../tooling/oracle/random.js";
import { GrowingInt32 } from "../src/explorer/growing.js";
import { Interner } from "../src/explorer/interner.js";
import { OutcomeTable } from "../src/explorer/outcome-table.js";
import { hashOf, StateStore } from "../src/explorer/state-store.js";
import { Tuples, hashOf as tupleHash } from "../src/explorer/tuples.js";
import { type Data, keyOf, same } from "../src/index.js";

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
    const wrong: string[] = [];
    for (let i = 0; i < 60_000; i++) {
      // Few values in each column, so that rows collide in part and come again.
      const row = Int32Array.from({ length: 5 }, () => random.below(9));
      const name = row.join();
      const number = known.get(name);
      const answer = store.add(row);
      if (answer !== (number ?? ~known.size)) wrong.push(name);
      if (number === undefined) known.set(name, known.size);
    }
    expect(wrong).toEqual([]);
    expect(store.size).toBe(known.size);
    expect(store.size).toBeGreaterThan(30_000);
    const lost = [...known].filter(([name, number]) => store.find(Int32Array.from(name.split(","), Number)) !== number);
    expect(lost).toEqual([]);
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
    const rows = Array.from({ length: 120_000 }, (_, i) => Int32Array.of(Math.trunc(i / 300), i % 300));
    expect(rows.filter((row, i) => store.add(row) !== ~i)).toEqual([]);
    expect(rows.filter((row, i) => store.find(row) !== i)).toEqual([]);
    expect(store.find(Int32Array.of(400, 0))).toBe(-1);
  });
});

describe("tuples have numbers in order of arrival, the same tuple the same one", () => {
  it("through several doublings of the table, whatever stands before them in the array", () => {
    const random = new Random(2);
    const tuples = new Tuples();
    const known = new Map<string, number>();
    const wrong: string[] = [];
    for (let i = 0; i < 40_000; i++) {
      const tuple = Array.from({ length: random.below(6) }, () => random.below(12) - 1);
      const name = tuple.join();
      const number = known.get(name) ?? known.size;
      known.set(name, number);
      if (tuples.number([random.below(3), ...tuple], 1) !== number) wrong.push(name);
    }
    expect(wrong).toEqual([]);
    expect(tuples.size).toBe(known.size);
    expect(tuples.size).toBeGreaterThan(10_000);
  });

  it("and others another one, even where their hashes are the same or one begins with the other", () => {
    // A tuple of one starts from its length 1, one of two from 2.
    const half = (a: number): number => tupleHash([a ^ 1 ^ 2], 0);
    const same = Array.from({ length: 50 }, (_, a) => [a, half(a) ^ half(0)]);
    expect(new Set(same.map((tuple) => tupleHash(tuple, 0))).size).toBe(1);
    const tuples = new Tuples();
    expect(same.map((tuple) => tuples.number(tuple, 0))).toEqual(same.map((_, i) => i));
    expect([[], [0], [0, 1]].map((tuple) => tuples.number(tuple, 0) - same.length)).toEqual([0, 1, 2]);
  });
});

describe("remembered outcomes are found by all that they were computed from", () => {
  it("through several doublings of the table", () => {
    const table = new OutcomeTable();
    const keys = Array.from({ length: 4096 }, (_, i) => [i >> 9, (i >> 6) & 7, (i >> 3) & 7, i & 7] as const).map(
      ([candidate, memory, services, parked]) => [candidate, memory - 1, services - 1, parked - 1] as const,
    );
    const early = keys.filter((key, i) => table.find(...key) !== -1 || table.put(...key, i, i % 3) < 0);
    expect(early).toEqual([]);
    const lost = keys.filter((key, i) => table.first(table.find(...key)) !== i);
    expect(lost).toEqual([]);
    expect(table.size).toBe(keys.length);
  });
});

describe("a list of numbers grows", () => {
  it("past several doublings, and keeps what it held", () => {
    const list = new GrowingInt32(4);
    for (let i = 0; i < 1000; i++) list.push(i * 7 - 3000);
    expect(list.length).toBe(1000);
    for (let i = 0; i < 1000; i++) expect(list.get(i)).toBe(i * 7 - 3000);
    expect(list.bytes).toBe(4 * 1000);
  });

  it("where it lies when it is long, and keeps what it held", () => {
    const list = new GrowingInt32(1);
    const long = 5_000_000;
    const arrays = new Set<ArrayBufferLike>();
    for (let i = 0; i < long; i++) {
      list.push(i ^ 0x55555555);
      if (i % 1000 === 0) arrays.add(list.array.buffer);
    }
    let wrong = 0;
    for (let i = 0; i < long; i++) if (list.get(i) !== (i ^ 0x55555555)) wrong++;
    expect(wrong).toBe(0);
    // It grew in small parts, not by doubling.
    expect(list.array.length).toBeLessThan(1.1 * long);
    expect(arrays.size).toBeGreaterThan(15);
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
