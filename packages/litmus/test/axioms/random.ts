import { type Random, randomOf } from "../axiomatic/random.js";
import {
  type AtomicKind,
  type Barrier,
  isAsked,
  type Op,
  type Place,
  type Program,
  type Size,
  type Span,
} from "./program.js";

const armBarriers: readonly Barrier[] = ["DMB SY", "DMB LD", "DMB ST", "DSB SY", "DSB LD", "DSB ST"];
const riscvBarriers: readonly Barrier[] = [
  "fence rw,rw",
  "fence r,rw",
  "fence w,w",
  "fence r,r",
  "fence rw,w",
  "fence tso",
];
const kinds: readonly AtomicKind[] = ["swp", "swp", "add", "set", "clr", "eor", "cas"];

/** Reads and writes that a program has at the most: each multiplies what may happen. */
const MOST = { events: 8, writes: 4 };

/** From this seed on atomic accesses are exclusive loads and stores half the time. */
export const PAIRS = 10_000;

/** A random program of two threads, sometimes three: most of accesses of one size, some of several. */
export const randomProgram = (seed: number, architecture: "AArch64" | "RISCV"): Program => {
  const random: Random = randomOf(seed);
  const pick = <T>(of: readonly T[]): T => of[random(of.length)] as T;
  const isMixed = random(3) === 0;
  const size: Size = pick([4, 4, 8, 1, 2]);
  const isArm = architecture === "AArch64";
  const left = { ...MOST };
  const spanOf = (place: Place, isAtomic: boolean, isBare: boolean): Span => {
    if (!isMixed) return { place, offset: 0, size: isAtomic && !isArm && size < 4 ? 4 : size };
    const chosen: Size = isAtomic && !isArm ? pick([4, 8]) : pick([1, 2, 4, 8]);
    return { place, offset: isBare ? 0 : random(Math.min(8 / chosen, 3)) * chosen, size: chosen };
  };
  const threadOf = (length: number, first: Place): readonly Op[] => {
    const ops: Op[] = [];
    while (ops.length < length) {
      const found = ops.flatMap((op, i) => (isAsked(op) ? [i] : []));
      const on = <T extends string>(key: T): { readonly [key in T]?: number } =>
        found.length > 0 && random(4) === 0 ? ({ [key]: pick(found) } as { readonly [key in T]?: number }) : {};
      const place = ops.length === 0 ? first : pick<Place>(["x", "y"]);
      const what = random(10);
      if (what < 3 && left.events > 0) {
        left.events--;
        const acquire = isArm ? pick([undefined, undefined, undefined, "acquire", "acquire-pc"] as const) : undefined;
        ops.push({
          do: "load",
          ...spanOf(place, false, acquire !== undefined),
          ...(acquire ? { acquire } : {}),
          ...on("address"),
        });
      } else if (what < 5 && left.events > 0 && left.writes > 0) {
        left.events--;
        left.writes--;
        const release = isArm && random(4) === 0;
        const value = 1 + random(3);
        ops.push({
          do: "store",
          value,
          ...spanOf(place, false, release),
          ...(release ? { release } : {}),
          ...on("address"),
          ...on("data"),
        });
      } else if (what < 8 && left.events > 1 && left.writes > 0) {
        left.events -= 2;
        left.writes--;
        const isPair = seed >= PAIRS && random(2) === 0;
        const kind = isPair ? "pair" : isArm ? pick(kinds) : pick(kinds.slice(0, 6));
        const order = pick(["", "", "a", "l", "al"]);
        ops.push({
          do: "atomic",
          kind,
          value: 1 + random(3),
          ...spanOf(place, true, true),
          ...(kind === "cas" ? { compare: pick([0, 0, 1, 2]), ...on("compared") } : {}),
          ...(order.includes("a") ? { acquire: true as const } : {}),
          ...(order.includes("l") ? { release: true as const } : {}),
          ...(kind !== "cas" && kind !== "pair" && random(4) === 0 ? { silent: true as const } : {}),
          ...on("address"),
          ...on("data"),
        });
      } else if (what === 8 && found.length > 0) {
        ops.push({ do: "branch", on: pick(found) });
        if (isArm && random(2) === 0) ops.push({ do: "synchronise" });
      } else if (what === 9) ops.push({ do: "barrier", barrier: pick(isArm ? armBarriers : riscvBarriers) });
      else if (left.events === 0) break;
    }
    return ops;
  };
  const count = random(4) === 0 ? 3 : 2;
  const threads = Array.from({ length: count }, (_, t) =>
    threadOf(count === 3 ? 2 : pick([2, 3, 3, 4]), t % 2 === 0 ? "x" : "y"),
  );
  return {
    threads: threads.map((ops): readonly Op[] =>
      ops.length > 0 ? ops : [{ do: "load", place: "x", offset: 0, size: 4 }],
    ),
  };
};
