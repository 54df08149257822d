import { describe, expect, it } from "vitest";
import { finalStates } from "./litmus.js";

/*
 * The tests of P. Sewell, S. Sarkar, S. Owens, F. Zappa Nardelli, M. Myreen: x86-TSO, CACM 53(7), 2010, and of the manuals' sections
 * on memory ordering, with the verdicts given there.
 */

const store = (place: string, value: number): string => `mov dword ptr [${place}], ${value}`;
const load = (register: string, place: string): string => `mov ${register}, dword ptr [${place}]`;

type Litmus = {
  readonly name: string;
  readonly threads: readonly (readonly string[])[];
  /** Final states that show what the test is about: all of these parts are there, and none of `not`. */
  readonly shows: readonly string[];
  readonly not?: readonly string[];
  readonly allowed: boolean;
};

const SB = [
  [store("x", 1), load("eax", "y")],
  [store("y", 1), load("eax", "x")],
];
const between = (fence: string) => SB.map(([first = "", second = ""]) => [first, fence, second]);

/** A store of a doubleword, and a load that may find its lower half alone. */
const halves = (at: string, by = "mov") => [
  ["mov ebx, 0x1010101", `${by} dword ptr [${at}], ebx`],
  [`mov eax, dword ptr [${at}]`],
];

const tests: readonly Litmus[] = [
  { name: "a store over two quadwords", threads: halves("0x5006"), shows: ["1:eax=257"], allowed: true },
  { name: "a store inside a quadword", threads: halves("0x5003"), shows: ["1:eax=257"], allowed: false },
  { name: "a locked store over two", threads: halves("0x5006", "xchg"), shows: ["1:eax=257"], allowed: false },
  { name: "SB", threads: SB, shows: [], not: ["0:eax=1", "1:eax=1"], allowed: true },
  { name: "SB with MFENCE", threads: between("mfence"), shows: [], not: ["0:eax=1", "1:eax=1"], allowed: false },
  { name: "SB with LFENCE", threads: between("lfence"), shows: [], not: ["0:eax=1", "1:eax=1"], allowed: true },
  { name: "SB with SFENCE", threads: between("sfence"), shows: [], not: ["0:eax=1", "1:eax=1"], allowed: true },
  { name: "SB with CPUID", threads: between("cpuid"), shows: [], not: ["0:eax=1", "1:eax=1"], allowed: false },
  {
    name: "SB with one MFENCE",
    threads: [between("mfence")[0] as string[], SB[1] as string[]],
    shows: [],
    not: ["0:eax=1", "1:eax=1"],
    allowed: true,
  },
  {
    name: "SB with locked stores",
    threads: [
      ["mov ebx, 1", "xchg dword ptr [x], ebx", load("eax", "y")],
      ["mov ebx, 1", "xchg dword ptr [y], ebx", load("eax", "x")],
    ],
    shows: [],
    not: ["0:eax=1", "1:eax=1"],
    allowed: false,
  },
  {
    name: "SB with a locked instruction on another place between",
    threads: between("lock add dword ptr [z], 1"),
    shows: [],
    not: ["0:eax=1", "1:eax=1"],
    allowed: false,
  },
  {
    name: "MP",
    threads: [
      [store("x", 1), store("y", 1)],
      [load("eax", "y"), load("ebx", "x")],
    ],
    shows: ["1:eax=1"],
    not: ["1:ebx=1"],
    allowed: false,
  },
  {
    name: "LB",
    threads: [
      [load("eax", "x"), store("y", 1)],
      [load("eax", "y"), store("x", 1)],
    ],
    shows: ["0:eax=1", "1:eax=1"],
    allowed: false,
  },
  {
    name: "n6: its own store is seen before the other's older one",
    threads: [
      [store("x", 1), load("eax", "x"), load("ebx", "y")],
      [store("y", 2), store("x", 2)],
    ],
    shows: ["0:eax=1", "x=1"],
    not: ["0:ebx=2"],
    allowed: true,
  },
  {
    name: "n5: both see the other's store over their own",
    threads: [
      [store("x", 1), load("eax", "x")],
      [store("x", 2), load("ebx", "x")],
    ],
    shows: ["0:eax=2", "1:ebx=1"],
    allowed: false,
  },
  {
    name: "n4b: each reads the other's later store",
    threads: [
      [load("eax", "x"), store("x", 1)],
      [load("ecx", "x"), store("x", 2)],
    ],
    shows: ["0:eax=2", "1:ecx=1"],
    allowed: false,
  },
  {
    name: "IRIW",
    threads: [
      [store("x", 1)],
      [store("y", 1)],
      [load("eax", "x"), load("ebx", "y")],
      [load("eax", "y"), load("ebx", "x")],
    ],
    shows: ["2:eax=1", "3:eax=1"],
    not: ["2:ebx=1", "3:ebx=1"],
    allowed: false,
  },
  {
    name: "WRC",
    threads: [[store("x", 1)], [load("eax", "x"), store("y", 1)], [load("eax", "y"), load("ebx", "x")]],
    shows: ["1:eax=1", "2:eax=1"],
    not: ["2:ebx=1"],
    allowed: false,
  },
  {
    name: "2+2W",
    threads: [
      [store("x", 1), store("y", 2)],
      [store("y", 1), store("x", 2)],
    ],
    shows: ["x=1", "y=1"],
    allowed: false,
  },
  {
    name: "R",
    threads: [
      [store("x", 1), store("y", 1)],
      [store("y", 2), load("eax", "x")],
    ],
    shows: ["y=2"],
    not: ["1:eax=1"],
    allowed: true,
  },
  {
    name: "iwp2.4: intra-processor forwarding",
    threads: [
      [store("x", 1), load("eax", "x"), load("ebx", "y")],
      [store("y", 1), load("eax", "y"), load("ebx", "x")],
    ],
    shows: ["0:eax=1", "1:eax=1"],
    not: ["0:ebx=1", "1:ebx=1"],
    allowed: true,
  },
];

const shown = ({ threads, shows, not = [] }: Litmus, memory?: "sequential"): boolean =>
  finalStates(threads, memory).some((state) => {
    const parts = state.split(" ");
    return shows.every((part) => parts.includes(part)) && !not.some((part) => parts.includes(part));
  });

describe("R20: total store order", () => {
  it.each(tests.map((test) => [test.name, test.allowed ? "allowed" : "forbidden", test] as const))(
    "%s is %s",
    (_name, verdict, test) => {
      expect(shown(test) ? "allowed" : "forbidden").toBe(verdict);
    },
  );

  it("nothing of this is there in the sequential order", () => {
    for (const test of tests) expect(shown(test, "sequential"), test.name).toBe(false);
  });

  it("locked additions of two threads are both counted, plain ones may be lost", () => {
    const twice = (line: string) => finalStates([[line], [line]]);
    expect(twice("lock add dword ptr [x], 1")).toEqual(["x=2"]);
    expect(twice("add dword ptr [x], 1")).toEqual(["x=1", "x=2"]);
  });
});
