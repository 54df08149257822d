import {
  type Architecture,
  createSimulation,
  type DataBlock,
  finalStates,
  type MachineCode,
  type Scenario,
} from "@cmodx/core";
import { runLitmus } from "../src/index.js";
import { type Random, randomOf } from "./axiomatic/random.js";

/*
 * Small programs that call what a pointer in memory says, once as a litmus test and once as a scenario: sites where somebody stores, blocks
 * elsewhere. Functions are of one instruction and a return.
 */

type Fun = "f" | "g" | "h";
type Step =
  | { readonly do: "call"; readonly pointer: number }
  | { readonly do: "point"; readonly pointer: number; readonly to: Fun }
  | { readonly do: "load" | "store"; readonly flag: true }
  | { readonly do: "patch"; readonly fun: "h" }
  | { readonly do: "barrier" }
  | { readonly do: "synchronise" };

export type DoorProgram = { readonly pointers: readonly Fun[]; readonly threads: readonly (readonly Step[])[] };

const funs: readonly Fun[] = ["f", "g", "h"];

/** A random program: pointers that are stored to and called through, a flag, and a function that somebody may write. */
export const randomDoors = (seed: number): DoorProgram => {
  const random: Random = randomOf(seed);
  const pick = <T>(of: readonly T[]): T => of[random(of.length)] as T;
  let calls = 0;
  const step = (): Step => {
    const what = random(9);
    if (what < 3 && calls < 2) {
      calls++;
      return { do: "call", pointer: random(2) };
    }
    if (what < 5) return { do: "point", pointer: random(2), to: pick(funs) };
    if (what === 5) return { do: pick(["load", "store"] as const), flag: true };
    if (what === 6) return { do: "patch", fun: "h" };
    return { do: what === 7 ? "barrier" : "synchronise" };
  };
  return {
    pointers: [pick(funs), pick(funs)],
    threads: [2, 2 + random(2)].map((length) => Array.from({ length }, step)),
  };
};

/** How an architecture writes the steps. Registers 0 up are results, by thread and step. */
export type Door = {
  readonly head: string;
  readonly architecture: Architecture;
  readonly result: (step: number) => { readonly shown: string; readonly is: string };
  /** Registers that hold the address of a pointer, the flag and a function, and the new instruction. */
  readonly holds: readonly { readonly shown: string; readonly is: string }[];
  readonly rows: (step: Step, i: number, holds: readonly string[]) => readonly string[];
  readonly body: (value: number) => readonly string[];
  readonly jump: (to: string) => string;
  readonly filler: string;
  readonly size: number;
};

/** What a register of {@link Door.holds} is for, in their order. */
const POINTER = 0;
const FLAG = 2;
const FUN = 3;
const NEW = 6;
export const slots = { pointer: POINTER, flag: FLAG, fun: FUN, instruction: NEW };

const VALUES: { readonly [fun in Fun]: number } = { f: 1, g: 2, h: 3 };
const PATCHED = 4;

const isAsked = ({ do: is }: Step): boolean => is === "call" || is === "load";

/** Final states of a program as a litmus test: the results by thread and step. */
export const asLitmus = ({ pointers, threads }: DoorProgram, door: Door): readonly string[] => {
  const names = ["p", "q", "z"];
  const initial: string[] = pointers.map((fun, i) => `uint64_t ${names[i]}=P2:${fun};`);
  const columns = threads.map((steps) =>
    steps.flatMap((step, i) =>
      door.rows(
        step,
        i,
        door.holds.map(({ shown }) => shown),
      ),
    ),
  );
  threads.forEach((_, t) => {
    const given = [...names, ...funs.map((fun) => `P2:${fun}`), `instr:"${door.body(PATCHED)[0]}"`];
    initial.push(...given.map((value, i) => `${t}:${door.holds[i]?.shown}=${value};`));
  });
  columns.push([
    door.jump("e"),
    ...funs.flatMap((fun) => door.body(VALUES[fun]).map((row, i) => (i === 0 ? `${fun}: ${row}` : row))),
    "e:",
  ]);
  const length = Math.max(...columns.map((column) => column.length));
  const rows = Array.from({ length }, (_, i) => `${columns.map((column) => column[i] ?? "").join(" | ")} ;`);
  const asked = threads.flatMap((steps, t) =>
    steps.flatMap((step, i) => (isAsked(step) ? [`${t}:${door.result(i).shown}=0`] : [])),
  );
  const text = [
    door.head,
    `{ ${initial.join(" ")} }`,
    "P0 | P1 | P2 ;",
    ...rows,
    `exists (${asked.join(" /\\ ") || "z=0"})`,
  ].join("\n");
  const { states } = runLitmus(text, "doors.litmus");
  return [
    ...new Set(
      states.map((state) => [...state.matchAll(/(\d):\w+=(-?\d+);/g)].map(([, t, value]) => `${t}=${value}`).join(" ")),
    ),
  ].sort();
};

const CODE = 0x4000_0000n;
const DATA = 0x5000_0000n;

/** The same as a scenario. */
export const asScenario = ({ pointers, threads }: DoorProgram, door: Door): readonly string[] => {
  const { instructionSet } = door.architecture;
  const assemble = (rows: readonly string[], start: bigint): readonly number[] => {
    const bytes: number[] = [];
    for (const row of rows) bytes.push(...instructionSet.assemble(row, start + BigInt(bytes.length)));
    return bytes;
  };
  const at = (fun: Fun): bigint => CODE + 0x10000n + 0x100n * BigInt(funs.indexOf(fun));
  const isPatched = threads.flat().some((step) => step.do === "patch");
  const block = (fun: Fun) => ({ address: at(fun), code: assemble(door.body(VALUES[fun]), at(fun)) });
  const value = (bytes: readonly number[]): bigint => bytes.reduceRight((all, byte) => (all << 8n) | BigInt(byte), 0n);
  const bytesOf = (number: bigint): readonly number[] =>
    Array.from({ length: 8 }, (_, i) => Number((number >> BigInt(8 * i)) & 0xffn));
  const data: readonly DataBlock[] = [...pointers.map(at), 0n].map((number, i) => ({
    address: DATA + 0x100n * BigInt(i),
    bytes: bytesOf(number),
  }));
  const given = [
    ...data.map(({ address }) => address),
    ...funs.map(at),
    value(assemble(door.body(PATCHED).slice(0, 1), 0n)),
  ];
  const registers = Object.fromEntries(door.holds.map(({ is }, i) => [is, given[i] as bigint]));
  const code = threads.map((steps, t) => {
    const address = CODE + 0x1000n * BigInt(t);
    return {
      address,
      code: assemble(
        steps.flatMap((step, i) =>
          door.rows(
            step,
            i,
            door.holds.map(({ is }) => is),
          ),
        ),
        address,
      ),
    };
  });
  const h = block("h");
  const spare = { address: CODE + 0x20000n, code: assemble([door.filler], 0n) };
  const sites = [isPatched ? h : spare].map(({ address, code: bytes }) => {
    const old = bytes.slice(0, door.size);
    return { address, old, new: old, after: bytes.slice(door.size) };
  });
  const scenario: Scenario = {
    name: "doors",
    sites,
    patchers: [],
    executors: code.map(({ address }) => ({ entries: [address], count: 1, once: true as const, registers })),
    cpus: 2,
    memory: "architectural",
    blocks: [...code, ...funs.filter((fun) => fun !== "h" || !isPatched).map(block)],
    data,
  };
  const machine = createSimulation({ architecture: door.architecture }).machine(scenario);
  const states = finalStates(machine).finals.map(({ cpus }) => {
    const codes = cpus.map(({ stack }) => stack[0]?.code as MachineCode);
    return threads
      .flatMap((steps, t) => {
        const found = codes.find(({ routine }) => routine === `executor ${t}`);
        return steps.flatMap((step, i) =>
          isAsked(step) ? [`${t}=${BigInt.asIntN(64, found?.registers[door.result(i).is] ?? 0n)}`] : [],
        );
      })
      .join(" ");
  });
  return [...new Set(states)].sort();
};
