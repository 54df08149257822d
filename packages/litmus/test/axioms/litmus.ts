import { isAsked, type Op, type Place, type Program, patternOf, places, type Span } from "./program.js";

/*
 * Programs as litmus tests. Registers 0 to 9 hold what the operations of these numbers found, the next ones pass on dependencies; behind them
 * come the places and the values.
 */

type Rows = readonly string[];

/** How an architecture writes operations. `at` is the register of the place, `value` that of what is stored. */
type Writing = {
  readonly head: string;
  readonly register: (number: number) => string;
  readonly rows: (op: Op, i: number, at: number, value: number, compare: number) => Rows;
  /** Rows that put a register, with a dependency on another, into one of the scratch registers. */
  readonly depend: (into: number, on: number, from: number) => Rows;
};

const SCRATCH = 10;
const PLACES = 13;
const VALUES = 15;

const places8: readonly Place[] = places;

const suffix: { readonly [size in Span["size"]]: string } = { 1: "B", 2: "H", 4: "", 8: "" };

const aarch64: Writing = {
  head: "AArch64 program",
  register: (number) => `X${number}`,
  depend: (into, on, from) => [`EOR X${into},X${on},X${on}`, `ADD X${into},X${into},X${from}`],
  rows(op, i, at, value, compare) {
    switch (op.do) {
      case "load":
      case "store": {
        const letter = op.size === 8 ? "X" : "W";
        const name =
          op.do === "load"
            ? { acquire: "LDAR", "acquire-pc": "LDAPR", none: "LDR" }[op.acquire ?? "none"]
            : op.release
              ? "STLR"
              : "STR";
        const plain = name === "LDR" || name === "STR";
        const base = plain ? `[X${at},#${op.offset}]` : `[X${at}]`;
        return [`${name}${suffix[op.size]} ${letter}${op.do === "load" ? i : value},${base}`];
      }
      case "atomic": {
        const letter = op.size === 8 ? "X" : "W";
        const order = `${op.acquire ? "A" : ""}${op.release ? "L" : ""}${suffix[op.size]}`;
        const result = op.silent ? `${letter}ZR` : `${letter}${i}`;
        if (op.kind === "cas") return [`MOV X${i},X${compare}`, `CAS${order} ${letter}${i},${letter}${value},[X${at}]`];
        if (op.kind === "pair") {
          const [load, store] = [op.acquire ? "LDAXR" : "LDXR", op.release ? "STLXR" : "STXR"];
          const status = `W${SCRATCH + 2}`;
          return [
            `${load}${suffix[op.size]} ${letter}${i},[X${at}]`,
            `${store}${suffix[op.size]} ${status},${letter}${value},[X${at}]`,
          ];
        }
        const name = op.kind === "swp" ? "SWP" : `LD${op.kind.toUpperCase()}`;
        return [`${name}${order} ${letter}${value},${result},[X${at}]`];
      }
      case "barrier":
        return [op.barrier];
      case "synchronise":
        return ["ISB"];
      case "branch":
        return [`CBNZ X${op.on},l${i}`, `l${i}:`];
    }
  },
};

const riscvSuffix: { readonly [size in Span["size"]]: string } = { 1: "b", 2: "h", 4: "w", 8: "d" };

const riscv: Writing = {
  head: "RISCV program",
  register: (number) => `x${number + 5}`,
  depend: (into, on, from) => [`xor x${into + 5},x${on + 5},x${on + 5}`, `add x${into + 5},x${into + 5},x${from + 5}`],
  rows(op, i, at, value) {
    const x = (number: number): string => `x${number + 5}`;
    switch (op.do) {
      case "load":
        return [`l${riscvSuffix[op.size]}${op.size < 8 ? "u" : ""} ${x(i)},${op.offset}(${x(at)})`];
      case "store":
        return [`s${riscvSuffix[op.size]} ${x(value)},${op.offset}(${x(at)})`];
      case "atomic": {
        if (op.kind === "pair") {
          const width = riscvSuffix[op.size];
          return [
            `lr.${width}${op.acquire ? ".aq" : ""} ${x(i)},(${x(at)})`,
            `sc.${width}${op.release ? ".rl" : ""} ${x(SCRATCH + 2)},${x(value)},(${x(at)})`,
          ];
        }
        const name = { swp: "swap", add: "add", set: "or", clr: "and", eor: "xor", cas: "" }[op.kind];
        const order = op.acquire && op.release ? ".aq.rl" : op.acquire ? ".aq" : op.release ? ".rl" : "";
        return [
          ...(op.kind === "clr" ? [`xori ${x(SCRATCH + 2)},${x(value)},-1`] : []),
          `amo${name}.${riscvSuffix[op.size]}${order} ${op.silent ? "x0" : x(i)},${op.kind === "clr" ? x(SCRATCH + 2) : x(value)},(${x(at)})`,
        ];
      }
      case "barrier":
        return [op.barrier === "fence tso" ? "fence.tso" : op.barrier];
      case "synchronise":
        return ["fence.i"];
      case "branch":
        return [`bne ${x(op.on)},x0,l${i}`, `l${i}:`];
    }
  },
};

/** Whether the form of an access has no room for a distance from its place. */
const isBare = (op: Op): boolean =>
  op.do === "atomic" || (op.do === "load" && op.acquire !== undefined) || (op.do === "store" && op.release === true);

/** The litmus test of a program, its condition only a list of what is asked for. */
export const litmusOf = ({ threads }: Program, architecture: "AArch64" | "RISCV"): string => {
  const writing = architecture === "AArch64" ? aarch64 : riscv;
  const { register } = writing;
  const initial: string[] = places8.map((name) => `uint64_t ${name}=0;`);
  const columns = threads.map((ops, t) => {
    const values: bigint[] = [];
    const give = (value: bigint): number => {
      if (!values.includes(value)) values.push(value);
      return VALUES + values.indexOf(value);
    };
    const rows = ops.flatMap((op, i): Rows => {
      if (op.do !== "load" && op.do !== "store" && op.do !== "atomic") return writing.rows(op, i, 0, 0, 0);
      const before: string[] = [];
      const depending = (on: number | undefined, from: number, into: number): number => {
        if (on === undefined) return from;
        before.push(...writing.depend(into, on, from));
        return into;
      };
      let at = PLACES + places8.indexOf(op.place);
      const value = op.do === "load" ? 0 : depending(op.data, give(patternOf(op.value, op.size)), SCRATCH + 1);
      const compare =
        op.do === "atomic" && op.kind === "cas"
          ? depending(op.compared, give(patternOf(op.compare ?? 0, op.size)), SCRATCH + 2)
          : 0;
      at = depending(op.address, at, SCRATCH);
      if (isBare(op) && op.offset > 0) throw new Error("That access has no distance.");
      return [...before, ...writing.rows(op, i, at, value, compare)];
    });
    for (const [i, name] of places8.entries()) initial.push(`${t}:${register(PLACES + i)}=${name};`);
    for (const [i, value] of values.entries()) initial.push(`uint64_t ${t}:${register(VALUES + i)}=${value};`);
    ops.forEach((op, i) => {
      if (isAsked(op)) initial.push(`uint64_t ${t}:${register(i)};`);
    });
    return rows;
  });
  const length = Math.max(...columns.map((column) => column.length));
  const rows = Array.from({ length }, (_, i) => columns.map((column) => column[i] ?? "").join(" | "));
  const asked = threads.flatMap((ops, t) => ops.flatMap((op, i) => (isAsked(op) ? [`${t}:${register(i)}=0`] : [])));
  return [
    writing.head,
    `{ ${initial.join(" ")} }`,
    `${threads.map((_, t) => `P${t}`).join(" | ")} ;`,
    ...rows.map((row) => `${row} ;`),
    `exists (${[...asked, ...places8.map((name) => `${name}=0`)].join(" /\\ ")})`,
    "",
  ].join("\n");
};

/** The values of a litmus state (`0:X2=1; [x]=0;`) as a program's states have them. */
export const stateOf = (litmus: string, architecture: "AArch64" | "RISCV"): string =>
  litmus
    .split("; ")
    .map((each) => {
      const [, thread, register, place, value = ""] =
        /^(?:(\d+):[Xx](\d+)|\[(\w+)\])=(-?\w+);?$/.exec(each.trim()) ?? [];
      const number = BigInt.asUintN(64, BigInt(value));
      return place === undefined
        ? `${thread}:${Number(register) - (architecture === "RISCV" ? 5 : 0)}=${number}`
        : `${place}=${number}`;
    })
    .join(" ");
