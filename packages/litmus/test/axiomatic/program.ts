/*
 * Small concurrent AArch64 programs: data and instructions that are written, fetched and maintained. One value of this type is what both
 * the machine (as a litmus test) and the axioms (as it is) are asked about.
 */

/** Data, and functions of one instruction and a return. */
export const data = ["x", "y"] as const;
export const functions = ["m", "n"] as const;
export type Place = (typeof data)[number] | (typeof functions)[number];
export const isFunction = (place: Place): boolean => (functions as readonly string[]).includes(place);

/** Values are numbers: of data these, of a function its instruction. All are 0 at first. */
export const instructions = ["MOV W9,#0", "MOV W9,#1", "ISB"] as const;

export type Barrier = "DSB SY" | "DSB LD" | "DSB ST" | "DMB SY" | "DMB LD" | "DMB ST";

/** What a thread does. `address` and `data` name the load (by its place in the thread) on whose value these depend. */
export type Op =
  | { readonly do: "load"; readonly place: Place; readonly address?: number }
  | {
      readonly do: "store";
      readonly place: Place;
      readonly value: number;
      readonly address?: number;
      readonly data?: number;
    }
  | { readonly do: "clean" | "invalidate"; readonly place: Place; readonly address?: number }
  /** Calls a function. */
  | { readonly do: "call"; readonly place: Place }
  | { readonly do: "barrier"; readonly barrier: Barrier }
  | { readonly do: "synchronise" }
  /** A branch on what a load found: leaves out the next operation unless that is 0, or goes on with it either way. */
  | { readonly do: "branch"; readonly on: number; readonly skips: boolean };

export type Program = { readonly threads: readonly (readonly Op[])[] };

/** What the cache-type register tells. */
export type Cache = { readonly idc: boolean; readonly dic: boolean };

/** A final state: what every load found and every call ran, by thread and operation, and what data holds. */
export const stateText = (values: readonly (readonly (number | undefined)[])[], last: readonly number[]): string =>
  [
    ...values.flatMap((ops, t) => ops.flatMap((value, i) => (value === undefined ? [] : [`${t}:${i}=${value}`]))),
    ...data.map((place, i) => `${place}=${last[i]}`),
  ].join(" ");

/*
 * Registers: W0 to W7 what operation 0 to 7 found; W8 and W9 for passing use; X10 up the places; X14 up the instructions; X20 up the
 * numbers of data.
 */
const PLACES = 10;
const INSTRUCTIONS = 14;
const NUMBERS = 20;
const numberOf = (place: Place): number => PLACES + [...data, ...functions].indexOf(place as never);
/** What W9 holds before a call: what it holds after one of ISB. */
const UNTOUCHED = instructions.indexOf("ISB");

/** The litmus test of a program, its condition only a list of what is asked for. */
export const litmusOf = ({ threads }: Program, { idc, dic }: Cache): string => {
  const owner = threads.length - 1;
  const columns = threads.map((ops, t) => {
    const rows = ops.flatMap((op, i) => rowsOf(op, i, ops));
    const labelled = [...rows, `k${ops.length}:`, `k${ops.length + 1}:`];
    if (t !== owner) return labelled;
    return [...labelled, "B e", ...functions.flatMap((name) => [`${name}: ${instructions[0]}`, "RET"]), "e:"];
  });
  const rows = Array.from({ length: Math.max(...columns.map((column) => column.length)) }, (_, i) =>
    columns.map((column) => column[i] ?? "").join(" | "),
  );
  const initial = threads.flatMap((_, t) => [
    ...data.map((name) => `${t}:X${numberOf(name)}=${name};`),
    ...functions.map((name) => `${t}:X${numberOf(name)}=P${owner}:${name};`),
    ...instructions.map((text, i) => `${t}:X${INSTRUCTIONS + i}=instr:"${text}";`),
    ...[0, 1, 2].map((value) => `${t}:X${NUMBERS + value}=${value};`),
  ]);
  const asked = threads.flatMap((ops, t) =>
    ops.flatMap((op, i) => (op.do === "load" || op.do === "call" ? [`${t}:X${i}=0`] : [])),
  );
  const cache = [idc ? "IDC" : "", dic ? "DIC" : ""].join(" ").trim();
  return [
    "AArch64 program",
    ...(cache === "" ? [] : [`CacheType=${cache}`]),
    `{ ${initial.join(" ")} }`,
    `${threads.map((_, t) => `P${t}`).join(" | ")} ;`,
    ...rows.map((row) => `${row} ;`),
    `exists (${[...asked, ...data.map((name) => `${name}=0`)].join(" /\\ ")})`,
    "",
  ].join("\n");
};

/** Address and data depend on a load by adding nothing that comes from it. */
const dependent = (
  on: number | undefined,
  register: number,
  into = 8,
): { readonly rows: readonly string[]; readonly register: number } =>
  on === undefined
    ? { rows: [], register }
    : { rows: [`EOR X${into},X${on},X${on}`, `ADD X${into},X${into},X${register}`], register: into };

const rowsOf = (op: Op, i: number, ops: readonly Op[]): readonly string[] => {
  const before = ops[i - 2];
  const target = before?.do === "branch" && before.skips ? [`k${i}:`] : [];
  return [...target, ...bodyOf(op, i)];
};

const bodyOf = (op: Op, i: number): readonly string[] => {
  switch (op.do) {
    case "load": {
      const { rows, register } = dependent(op.address, numberOf(op.place));
      return [...rows, `LDR W${i},[X${register}]`];
    }
    case "store": {
      const source = (isFunction(op.place) ? INSTRUCTIONS : NUMBERS) + op.value;
      const at = dependent(op.address, numberOf(op.place));
      const from = dependent(op.data, source, 9);
      return [...at.rows, ...from.rows, `STR W${from.register},[X${at.register}]`];
    }
    case "clean":
    case "invalidate": {
      const { rows, register } = dependent(op.address, numberOf(op.place));
      return [...rows, `${op.do === "clean" ? "DC CVAU" : "IC IVAU"},X${register}`];
    }
    case "call":
      return [`MOV W9,#${UNTOUCHED}`, `BLR X${numberOf(op.place)}`, `MOV W${i},W9`];
    case "barrier":
      return [op.barrier];
    case "synchronise":
      return ["ISB"];
    case "branch":
      return op.skips ? [`CBNZ W${op.on},k${i + 2}`] : [`CBNZ W${op.on},j${i}`, `j${i}:`];
  }
};

/** The values of a litmus state (`0:X2=1; [x]=0;`) in the form of {@link stateText}. */
export const stateOf = (litmus: string): string =>
  litmus
    .split("; ")
    .map((each) =>
      each
        .replace(/;$/, "")
        .replace(/^(\d+):X/, "$1:")
        .replace(/^\[(.*)\]/, "$1"),
    )
    .map((each) => {
      const [cell = "", text = ""] = each.split(/=(.*)/s);
      const plain = text.replace(/#0x/i, "#");
      const found = instructions.findIndex((instruction) => plain === `instr:"${instruction}"`);
      return `${cell}=${found < 0 ? text : found}`;
    })
    .join(" ");
