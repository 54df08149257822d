import { arm64 } from "@cmodx/arm64";
import { createSimulation, keyOf, type Scenario } from "@cmodx/core";
import { gallery as everything, type GalleryEntry, judge, simulationOf } from "@cmodx/gallery";
import { describe, expect, it, test } from "vitest";
import { answer, type Key, seen, story } from "./story.js";

const gallery = everything.filter((each) => each.architecture().id === "arm64");

const entry = (id: string): GalleryEntry => {
  const found = gallery.find((each) => each.id === id);
  if (found === undefined) throw new Error(`There is no entry ${id}.`);
  return found;
};

/** What the machine says of a scenario of an entry with another fetch model. */
const under = async (fetch: string, { plugins = [] }: GalleryEntry, scenario: Scenario): Promise<string> =>
  answer(await createSimulation({ architecture: arm64({ fetch }), plugins }).check(scenario));

const all = new Map(await Promise.all(gallery.map(async (each) => [each.id, await judge(each)] as const)));

const counterexample = (id: string) => {
  const verdict = all.get(id)?.wrong;
  if (verdict?.verdict !== "unsafe") throw new Error(`Entry ${id} has no counterexample.`);
  return verdict;
};

const AT = arm64().base;
const target = `b 0x${(AT + 0x40n).toString(16)}`;

/** The interleavings as the sources tell them. */
const stories: { readonly [id: string]: readonly Key[] } = {
  "13": [
    [1, "count-in"],
    [1, "write"],
    [1, "count-done"],
    [0, "count-in"],
  ],
  "14": [
    [0, "count-in"],
    [0, "write"],
    [1, "on-the-way"],
    [1, "execute", seen("execute", { offset: 0 })],
  ],
  "15": [
    [0, "wait-users", seen("grace")],
    [0, "copy"],
    [0, "flush-dsb-invalidate"],
    [0, "publish"],
    [0, "returnCall"],
    [1, "execute", seen("execute", { text: target, stale: true })],
  ],
  "16": [
    [0, "write"],
    [0, "write-dsb-invalidate"],
    [0, "returnCall"],
    [1, "execute", seen("execute", { text: "nop", stale: true })],
  ],
  "17": [
    [0, "irq-off"],
    [0, "stop", seen("queue-stop")],
  ],
  "19": [
    [0, "write-target"],
    [0, "target-isb"],
    [0, "write-branch"],
    [1, "execute", seen("execute", { offset: 0, stale: false })],
    [1, "execute", seen("execute", { offset: 4, stale: true, text: "udf #0x0" })],
  ],
  "20": [
    [0, "wait-list", seen("grace")],
    [0, "execute", seen("load-site", { address: AT + 8n })],
    [0, "preempt"],
    [0, "set-op"],
    [0, "set-func"],
    [0, "resume"],
    [0, "execute", seen("load-site", { address: AT })],
    [0, "execute", seen("pair", { published: false })],
  ],
  "2019": [
    [0, "T1-event"],
    [0, "T2-write"],
    [1, "execute", seen("execute", { decoded: "open" })],
    [0, "T4-sync-wait"],
    [0, "T5-event"],
  ],
  "2019-brk": [
    [0, "write-brk"],
    [0, "write-brk-isb"],
    [0, "event"],
    [1, "execute", seen("execute", { text: "nop", stale: true, decoded: "wrong" })],
  ],
  "2019-addr": [
    [0, "write-brk.0"],
    [0, "set-addr.1"],
    [1, "handler-addr"],
    [1, "unclaimed", seen("trap-unclaimed", { patchers: true })],
  ],
};

/** All that the last step of each bug breaks. */
const breaks: { readonly [id: string]: readonly string[] } = {
  "13": ["progress"],
  "14": ["rule"],
  "15": ["done"],
  "16": ["done"],
  "17": ["progress"],
  "19": ["mid-sequence", "rule"],
  "20": ["pair"],
  "2019": ["trace"],
  "2019-brk": ["trace"],
  "2019-addr": ["trap-owned"],
};

/** Entries whose fix is a way of patching of its own, not a step more or less. */
const otherWay: ReadonlySet<string> = new Set(["17", "20", "2019", "2019-brk", "2019-addr"]);

/** The steps that the fix takes away, and those that it brings. */
const fixes: { readonly [id: string]: readonly [readonly string[], readonly string[]] } = {
  "13": [
    ["count-done", "wait-done", "count-done", "wait-done"],
    ["count-done", "wait-done", "count-done", "wait-done"],
  ],
  "14": [[], []],
  "15": [[], ["kick-all-mb", "kick-all-send", "kick-all-wait"]],
  "16": [
    ["lock", "unlock"],
    ["lock", "kick-mb", "kick-send", "kick-wait", "unlock"],
  ],
  "19": [[], ["target-invalidate", "branch-invalidate"]],
};

describe.each(gallery)("$id: $title", (each) => {
  const { id, wrong, fixed, property } = each;
  const judged = () => all.get(id) as NonNullable<ReturnType<typeof all.get>>;

  it("is as expected", () => {
    expect(judged()).toMatchObject({ status: "as expected", complaints: [] });
    expect(judged().wrong).toMatchObject({ verdict: "unsafe", property, shortest: true });
    expect(judged().fixed).toMatchObject({ verdict: "safe" });
  });

  it("is found by its own mechanism, and breaks nothing else", () => {
    const { trace, broken } = counterexample(id);
    const keys = stories[id] ?? [];
    expect(keys.length).toBeGreaterThan(0);
    expect(story(trace, keys)).toEqual(keys.map(([cpu, name]) => `${cpu} ${name}`));
    expect(broken.map((each) => each.property)).toEqual(breaks[id]);
  });

  it("has a fix all of whose steps are taken", () => {
    expect(judged().fixed.unused).toEqual([]);
  });

  it("differs from its fix in the fix alone", () => {
    const environment = ({ name: _, sites, patchers, blocks, ...rest }: Scenario) => rest;
    expect(environment(wrong)).toEqual(environment(fixed));
    if (id !== "20") expect(wrong.sites).toEqual(fixed.sites);
    if (otherWay.has(id)) return;
    const steps = (scenario: Scenario): readonly string[] =>
      [...simulationOf(each).machine(scenario).layout.programs].flatMap(([name, program]) =>
        name.includes(" ipi ")
          ? []
          : program.code.flatMap((line) => (line.kind === "op" ? [`${line.step} ${line.op} ${keyOf(line.args)}`] : [])),
      );
    const names = (lines: readonly string[]) => lines.map((line) => line.split(" ")[0]);
    const less = (a: readonly string[], b: readonly string[]) => names(a.filter((line) => !b.includes(line)));
    const [before, after] = [steps(wrong), steps(fixed)];
    expect([less(before, after), less(after, before)]).toEqual(fixes[id]);
  });

  it("is told in short", () => {
    expect(each.title.length).toBeLessThanOrEqual(60);
    for (const text of [each.bug, each.fix]) expect(text).toMatch(/^[A-Z].*\.$/);
  });
});

describe("which bugs are bugs of fetching", () => {
  it("19 is one of this CPU alone", async () => {
    const each = entry("19");
    expect(await under("neoverse-n1", each, each.wrong)).toBe("mid-sequence");
    expect(await under("idc+dic", each, each.wrong)).toBe("safe");
    expect(await under("idc+dic", each, each.fixed)).toBe("safe");
  });

  it.each(gallery.filter(({ id }) => id !== "19"))("$id is there under every cache type", async (each) => {
    for (const fetch of ["none", "idc", "idc+dic", "neoverse-n1"]) {
      expect(await under(fetch, each, each.wrong), fetch).toBe(each.property);
      expect(await under(fetch, each, each.fixed), fetch).toBe("safe");
    }
  });
});

test.each(gallery)(
  "$id: its rules keep to what they declare, and without reductions the answers are the same",
  async (each) => {
    const simulation = createSimulation({
      architecture: each.architecture(),
      plugins: each.plugins ?? [],
      development: true,
    });
    for (const scenario of [each.wrong, each.fixed])
      expect(answer(await simulation.check(scenario, { reduce: false }))).toBe(
        scenario === each.wrong ? each.property : "safe",
      );
  },
);

test("17: what breaks is the wait that sleeps, not the interrupts to all CPUs", async () => {
  const verdict = counterexample("17");
  expect(verdict.trace.some(({ rule }) => rule === "sendIpi")).toBe(false);
  expect(simulationOf(entry("17")).simulate(entry("17").fixed)).toMatchObject({ ipiRounds: 1, stops: 0 });
});

test("20 needs no preemption where the interrupt of ftrace_sync_ipi comes between the two loads", async () => {
  const { wrong } = entry("20");
  const { preempt: _, executors: __, ...rest } = wrong;
  expect(answer(await createSimulation({ architecture: arm64() }).check({ ...rest, cpus: 2 }))).toBe("pair");
});
