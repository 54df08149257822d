import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { isImpossible, type PatchStrategy, syncCores } from "@cmodx/core";
import { int3, int3Batch } from "@cmodx/x86";
import { describe, expect, it } from "vitest";
import { conform, readLog } from "../src/index.js";
import { context, HEAD, judged, type Line, made, poke, textOf } from "./conform-log.js";

/** The index of the n-th line that says something. */
const nth = (text: string, n = 1): number => {
  const found = made.flatMap(({ what }, i) => (what.includes(text) ? [i] : []))[n - 1];
  if (found === undefined) throw new Error(`There are fewer than ${n} lines with ${text}.`);
  return found;
};
const without = (at: number, count = 1): readonly Line[] => made.filter((_, i) => i < at || i >= at + count);
const put = (lines: readonly Line[], at: number, ...more: readonly Line[]): readonly Line[] => [
  ...lines.slice(0, at),
  ...more,
  ...lines.slice(at),
];
/** The line at `from` moved before the one at `to`. */
const moved = (from: number, to: number): readonly Line[] => {
  const line = made[from] as Line;
  return from < to ? put(without(from), to - 1, line) : put(without(from), to, line);
};

const rounds = (n: number): number => nth("each_cpu:", n);
const [int3A, tailA, eventA, firstA, tailB] = [1, 8, 9, 19, 10] as const;

describe("a log of two calls of four sites", () => {
  it("conforms, every change, write and gap of it", () => {
    const found = judged(textOf(made));
    expect(found).toMatchObject({
      answer: "conforms",
      changes: 8,
      writes: 24,
      calls: 2,
      gaps: { judged: 4, notCovered: 0 },
      contradictions: [],
      notCovered: [],
      foreign: [],
      more: [],
    });
    expect(found.silent).toContain("wait-refs");
    const log = readLog(new TextEncoder().encode(textOf(made)), "log");
    expect(conform(log, int3Batch({ events: true }), context)).toMatchObject({ answer: "conforms", writes: 24 });
  });

  it("has each step where the mutations below say that it is", () => {
    expect([int3A, tailA, eventA, firstA, tailB].map((i) => made[i]?.what)).toEqual([
      expect.stringContaining("addr=0xffffffff81000010 len=1 b0=0xcc"),
      expect.stringContaining("addr=0xffffffff81000011 len=4"),
      expect.stringContaining("text_poke: (perf_event_text_poke+0x0/0x90) addr=0xffffffff81000010"),
      expect.stringContaining("addr=0xffffffff81000010 len=1 b0=0xe8"),
      expect.stringContaining("addr=0xffffffff81000016 len=1 b0=0x20"),
    ]);
  });

  it.each<[what: string, lines: readonly Line[], at: number, step: string | null, cpus: readonly number[]]>([
    ["CPU 1 does not synchronise", without(rounds(1) + 2), tailA - 1, "sync-1", [1]],
    ["CPU 0 does not synchronise", without(rounds(2) + 1), firstA - 1, "sync-2", [0]],
    ["no first round", without(rounds(1), 3), tailA - 3, "sync-1", [0, 1]],
    ["no second round", without(rounds(2), 3), firstA - 3, "sync-2", [0, 1]],
    ["no third round", without(rounds(3), 3), nth("key_enabled") - 3, "sync-3", [0, 1]],
    ["the first byte before the tail", moved(firstA, tailA), tailA, "write-tail", []],
    ["the tail before the first round", moved(tailA, rounds(1)), rounds(1), "sync-1", [0, 1]],
    ["an event before the INT3", moved(eventA, int3A), int3A, null, []],
    ["an event before the tail", moved(eventA, tailA), tailA, "write-tail", []],
    ["an event behind the first byte", moved(eventA, firstA + 1), firstA - 1, "event", []],
    ["an event behind the second round", moved(eventA, firstA), firstA, "sync-2", [0, 1]],
    ["no event", without(eventA), firstA - 1, "event", []],
    ["an INT3 lost", without(int3A), tailA - 1, null, []],
    ["a tail lost", without(tailA), tailA, "write-tail", []],
    ["a first byte lost", without(firstA), nth("key_enabled") - 1, "write-first", []],
    [
      "a write of another length",
      put(without(tailA), tailA, poke(0xffffffff81000011n, "fbefff")),
      tailA,
      "write-tail",
      [],
    ],
    ["a foreign address in a batch", put(made, tailB, poke(0xffffffff81999999n, "90")), tailB, null, []],
    ["a foreign INT3 in a batch", put(made, 3, poke(0xffffffff81999999n, "cc")), nth("key_enabled") + 1, "event", []],
  ])("contradicts where %s", (_, lines, at, step, cpus) => {
    const found = judged(textOf(lines));
    expect(found.answer).toBe("contradicts");
    expect(found.contradictions[0]).toMatchObject({ line: HEAD + at + 1, step, cpus });
  });

  it("says nothing of what is behind lost events, up to the next call", () => {
    const lines = put(without(tailA, 4), tailA, { head: "", what: "CPU:1 [LOST 7 EVENTS]" });
    const found = judged(textOf(lines));
    expect(found).toMatchObject({ answer: "conforms", changes: 4, calls: 1, contradictions: [] });
    expect(found.notCovered.at(-1)).toEqual({
      from: HEAD + tailA + 1,
      to: HEAD + nth("key_enabled") - 2,
      why: "lines were lost",
    });
  });

  it("does not take a log that is cut at either end for a contradiction, wherever it is cut", () => {
    for (let cut = 1; cut < made.length; cut++) {
      for (const lines of [made.slice(cut), made.slice(0, -cut)]) {
        const found = judged(textOf(lines));
        expect({ cut, contradictions: found.contradictions }).toEqual({ cut, contradictions: [] });
        expect(found.answer).toBe(found.changes > 0 ? "conforms" : "not-covered");
      }
    }
    expect(judged(textOf(made.slice(tailA))).notCovered).toContainEqual({
      from: HEAD + 1,
      to: HEAD + nth("key_enabled") - tailA + 1,
      why: "the log begins inside a call",
    });
  });

  it("covers nothing where a probe never fired", () => {
    for (const [probe, why] of [
      ["do_sync_core", /^no synchronisation was ever logged/],
      ["__text_poke", /^no write of code was ever logged/],
      ["perf_event", /^no text-poke event was ever logged/],
    ] as const) {
      const found = judged(textOf(made.filter(({ what }) => !what.includes(probe))));
      expect(found).toMatchObject({ answer: "not-covered", contradictions: [] });
      expect(found.notCovered.map((each) => each.why)).toContainEqual(expect.stringMatching(why));
    }
  });

  it("lists a foreign address outside of calls, and synchronisations too many", () => {
    const between = nth("key_enabled") + 1;
    const lines = put(made, between, poke(0xffffffff81999999n, "90"), made[rounds(1) + 1] as Line);
    expect(judged(textOf(lines))).toMatchObject({
      answer: "conforms",
      foreign: [{ line: HEAD + between + 1, address: 0xffffffff81999999n }],
      more: [HEAD + between + 2],
    });
    const twice = put(made, rounds(2), ...made.slice(rounds(1), rounds(1) + 3));
    expect(judged(textOf(twice))).toMatchObject({
      answer: "conforms",
      more: [HEAD + rounds(2) + 5, HEAD + rounds(2) + 6],
    });
  });

  it("asks for as many rounds as the program has", () => {
    const twice: PatchStrategy = {
      ...int3({ events: true }),
      plan(flip, planned) {
        const program = int3({ events: true }).plan(flip, planned);
        if (isImpossible(program)) return program;
        const main = program.main.flatMap((line) => (line.id === "sync-2" ? [line, syncCores("again")] : [line]));
        return { ...program, main };
      },
    };
    const of = (lines: readonly Line[]) =>
      conform(readLog(new TextEncoder().encode(textOf(lines)), "log"), twice, context).contradictions[0];
    expect(of(made)).toMatchObject({ line: HEAD + firstA + 1, step: "again", cpus: [0, 1] });
    // With two rounds in the first call it is the second that lacks one.
    const half = made.length / 2;
    expect(of(put(made, rounds(2), ...made.slice(rounds(1), rounds(1) + 3)))).toMatchObject({
      line: HEAD + 3 + half + firstA + 1,
      step: "again",
    });
  });

  it("asks for no event where the strategy publishes none", () => {
    expect(judged(textOf(made), false)).toMatchObject({ answer: "conforms", changes: 8 });
    expect(judged(textOf(made.filter(({ what }) => !what.includes("perf_event"))), false)).toMatchObject({
      answer: "conforms",
      changes: 8,
    });
    // An INT3 that nothing follows is no change to an INT3.
    const foreign = put(made, 3, poke(0xffffffff81999999n, "cc"));
    expect(judged(textOf(foreign), false).contradictions[0]).toMatchObject({
      line: HEAD + nth("key_enabled") + 2,
      step: "write-first",
    });
  });
});

const data = process.env.CMODX_DATA;
const golden = join(data ?? "", "golden/linux-6.1");
const read = (...path: readonly string[]) =>
  readLog(new Uint8Array(readFileSync(join(...path))), path.at(-1) as string);

describe.skipIf(data === undefined || !existsSync(golden))("logs of real kernels", () => {
  it("one of 6.1 conforms, as text and as trace.dat", () => {
    for (const file of ["sys_kernel_tracing_trace", "real.dat"])
      expect(conform(read(golden, file), int3({ events: true }), context), file).toMatchObject({
        answer: "conforms",
        changes: 152,
        writes: 456,
        calls: 2,
        gaps: { judged: 4, notCovered: 0 },
        contradictions: [],
        notCovered: [],
        foreign: [],
        more: [],
      });
  });

  it("an older one conforms as far as it goes: two writes before it, one of 42 gaps logged", () => {
    const log = read(data as string, "groundtruth/linux-6.1.176-cloud-amd64-sched_schedstats.log");
    expect(conform(log, int3(), context)).toMatchObject({
      answer: "conforms",
      changes: 97,
      writes: 291,
      calls: 0,
      before: 2,
      gaps: { judged: 1, notCovered: 41 },
      contradictions: [],
    });
  });

  it("perf's ring alone shows no write, and covers nothing", () => {
    expect(conform(read(golden, "real.data"), int3({ events: true }), context)).toMatchObject({
      answer: "not-covered",
    });
  });
});
