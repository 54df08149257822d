import { type Barrier, data, functions, instructions, type Op, type Place, type Program } from "./program.js";

/** Numbers from 0 up to a limit, the same for the same seed. */
export type Random = (limit: number) => number;

/** A generator of random numbers (mulberry32). */
export const randomOf = (seed: number): Random => {
  let state = seed * 0x9e3779b9;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let word = Math.imul(state ^ (state >>> 15), 1 | state);
    word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
    return ((word ^ (word >>> 14)) >>> 0) % limit;
  };
};

const barriers: readonly Barrier[] = ["DSB SY", "DSB SY", "DMB SY", "DSB LD", "DSB ST", "DMB LD", "DMB ST"];

/** Loads and calls that a program has at the most: each doubles or trebles what may happen. */
const MOST_READS = 5;

/**
 * A random program of two or three threads. Most threads start from what patchers and their readers do, half of these with
 * operations left out and added; the others are anything.
 */
export const randomProgram = (seed: number): Program => {
  const random = randomOf(seed);
  const pick = <T>(of: readonly T[]): T => of[random(of.length)] as T;
  const protocol = pick(protocols);
  let reads = 0;
  const count = pick([2, 2, 2, 3]);
  const threads = Array.from({ length: count }, (_, t) => {
    const [first, second] = random(3) === 0 ? pick(protocols) : protocol;
    const shape = random(6) === 0 ? [] : (t === 0 ? first : second)(pick);
    const isVaried = shape.length === 0 || random(2) === 0;
    const ops: Op[] = [];
    const put = (op: Op): void => {
      const loads = ops.flatMap((each, i) => (each.do === "load" ? [i] : []));
      const on = isVaried && loads.length > 0 && random(4) === 0 ? { address: pick(loads) } : {};
      const from = isVaried && loads.length > 0 && random(4) === 0 ? { data: pick(loads) } : {};
      if (op.do === "load" || op.do === "call") {
        if (reads >= MOST_READS) return;
        reads++;
      }
      if (op.do === "branch") {
        if (loads.length > 0) ops.push({ ...op, on: pick(loads) });
      } else if (op.do === "store") ops.push({ ...on, ...from, ...op });
      else if (op.do === "load" || op.do === "clean" || op.do === "invalidate") ops.push({ ...on, ...op });
      else ops.push(op);
    };
    for (const op of shape) {
      if (isVaried && random(8) === 0) put(anything(pick));
      if (!isVaried || random(8) > 0) put(op);
    }
    const length = shape.length === 0 ? 2 + random(4) : 2;
    while (ops.length < length) put(reads < MOST_READS ? anything(pick) : { do: "barrier", barrier: pick(barriers) });
    return ops.slice(0, count === 2 ? 8 : 6);
  });
  return { threads };
};

type Pick = <T>(of: readonly T[]) => T;
type Shape = (pick: Pick) => readonly Op[];

const code = (pick: Pick): Place => pick(["m", "m", "m", "m", "m", "m", "n"] as const);
const written = (place: Place, pick: Pick): Op => ({
  do: "store",
  place,
  value: (functions as readonly Place[]).includes(place) ? pick([1, 1, 1, instructions.length - 1]) : pick([1, 1, 2]),
});
const flag = (pick: Pick): Place => pick(["x", "x", "x", "x", "x", "x", "y"] as const);
const waits = (pick: Pick): readonly Op[] =>
  pick<readonly Op[]>([
    [{ do: "branch", on: 0, skips: false }, { do: "synchronise" }],
    [{ do: "barrier", barrier: pick(["DSB SY", "DSB LD"]) }, { do: "synchronise" }],
    [{ do: "load", place: flag(pick), address: 0 }, { do: "synchronise" }],
    [{ do: "branch", on: 0, skips: pick([true, false]) }],
    pick<readonly Op[]>([[{ do: "barrier", barrier: pick(barriers) }], []]),
  ]);

/** Writes an instruction, maintains or half does so, and says so. */
const patcher = (pick: Pick): readonly Op[] => {
  const place = code(pick);
  const clean: readonly Op[] = [
    { do: "clean", place },
    { do: "barrier", barrier: pick(["DSB SY", "DSB SY", "DMB SY"]) },
  ];
  const invalidate: readonly Op[] = [
    { do: "invalidate", place },
    { do: "barrier", barrier: "DSB SY" },
  ];
  return [
    written(place, pick),
    ...pick([
      [...clean, ...invalidate],
      [{ do: "barrier", barrier: "DSB SY" } as const, ...invalidate],
      [...invalidate, ...clean],
      clean,
    ]),
    written(flag(pick), pick),
  ];
};

/** Leaves the invalidation, and sometimes the clean, to those who hear of it. */
const cleaner = (pick: Pick): readonly Op[] => {
  const place = code(pick);
  return [
    written(place, pick),
    ...pick<readonly Op[]>([[{ do: "clean", place }], [{ do: "clean", place }], []]),
    { do: "barrier", barrier: pick(["DSB SY", "DMB SY", "DMB SY", "DMB ST"]) },
    written(flag(pick), pick),
  ];
};

/** Hears of something and runs the code. */
const reader = (pick: Pick): readonly Op[] => [
  { do: "load", place: flag(pick) },
  ...waits(pick),
  { do: "call", place: code(pick) },
  ...pick<readonly Op[]>([[], [], [{ do: "call", place: code(pick) }], [{ do: "load", place: flag(pick) }]]),
];

/** Hears of something, and does a part of what the patcher leaves to do. */
const hurried = (pick: Pick): readonly Op[] => {
  const place = code(pick);
  return [
    { do: "load", place: pick([place, flag(pick), flag(pick)]) },
    ...waits(pick),
    ...pick<readonly Op[]>([
      [
        { do: "clean", place },
        { do: "barrier", barrier: pick(["DSB SY", "DMB SY"]) },
      ],
      [],
    ]),
    { do: "invalidate", place },
    { do: "barrier", barrier: "DSB SY" },
    pick<Op>([{ do: "synchronise" }, { do: "synchronise" }, written(flag(pick), pick)]),
    { do: "call", place },
  ];
};

/** Runs what it wrote itself, sometimes with half the maintenance, and looks at data. */
const selfModifier = (pick: Pick): readonly Op[] => {
  const place = code(pick);
  return [
    written(place, pick),
    ...pick<readonly Op[]>([[], [{ do: "barrier", barrier: pick(barriers) }], [{ do: "synchronise" }]]),
    { do: "call", place },
    pick<Op>([{ do: "load", place: flag(pick) }, written(flag(pick), pick)]),
  ];
};

/** Writes data and looks at code as data, or the other way round. */
const onlooker = (pick: Pick): readonly Op[] => {
  const place = code(pick);
  const barrier: Op = { do: "barrier", barrier: "DMB SY" };
  return pick<readonly Op[]>([
    [written(flag(pick), pick), barrier, { do: "load", place }],
    [{ do: "load", place: flag(pick) }, barrier, written(place, pick)],
  ]);
};

/** Publishes data. */
const messenger = (pick: Pick): readonly Op[] => [
  written("y", pick),
  { do: "barrier", barrier: pick(["DMB SY", "DMB ST", "DSB SY"]) },
  written("x", pick),
];

/** Hears of data, and does something that may have to come after that. */
const answer = (pick: Pick): readonly Op[] => [
  { do: "load", place: "x" },
  ...pick<readonly Op[]>([
    [{ do: "branch", on: 0, skips: pick([true, false]) }],
    [{ do: "load", place: "x", address: 0 }],
    [{ do: "barrier", barrier: pick(barriers) }],
    [],
  ]),
  pick<Op>([
    { do: "load", place: "y" },
    { do: "load", place: "y", address: 0 },
    written("y", pick),
    { ...written("y", pick), data: 0 } as Op,
  ]),
];

const anything = (pick: Pick): Op => {
  const place = pick<Place>([...data, "m", "m", "n"]);
  return pick<() => Op>([
    () => written(place, pick),
    () => written(place, pick),
    () => ({ do: "load", place: pick([...data, place]) }),
    () => ({ do: "call", place: code(pick) }),
    () => ({ do: "clean", place }),
    () => ({ do: "invalidate", place }),
    () => ({ do: "barrier", barrier: pick(barriers) }),
    () => ({ do: "barrier", barrier: pick(barriers) }),
    () => ({ do: "synchronise" }),
    () => ({ do: "branch", on: 0, skips: pick([true, false]) }),
  ])();
};

/** What two threads do that go together. */
const protocols: readonly (readonly [Shape, Shape])[] = [
  [patcher, reader],
  [cleaner, hurried],
  [selfModifier, onlooker],
  [messenger, answer],
];
