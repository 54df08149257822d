import { createSimulation, keyOf, type Scenario } from "@cmodx/core";
import { entriesOf, gallery as everything, type GalleryEntry, judge, simulationOf } from "@cmodx/gallery";
import { fetchModels, x86 } from "@cmodx/x86";
import { describe, expect, it, test } from "vitest";
import { answer, type Key, seen, story } from "./story.js";

const gallery = everything.filter((each) => each.architecture().id === "x86");

const entry = (id: string): GalleryEntry => {
  const found = gallery.find((each) => each.id === id);
  if (found === undefined) throw new Error(`There is no entry ${id}.`);
  return found;
};

/** What the machine says of a scenario of an entry with another fetch model. */
const under = async (fetch: string, { plugins = [] }: GalleryEntry, scenario: Scenario): Promise<string> =>
  answer(await createSimulation({ architecture: x86({ fetch }), plugins }).check(scenario));

const all = new Map(await Promise.all(gallery.map(async (each) => [each.id, await judge(each)] as const)));

const counterexample = (id: string) => {
  const verdict = all.get(id)?.wrong;
  if (verdict?.verdict !== "unsafe") throw new Error(`Entry ${id} has no counterexample.`);
  return verdict;
};

const AT = x86().base;
const foreign = seen("enter-trap", { at: AT + 0x100n });

/** The interleavings as the sources tell them. */
const stories: { readonly [id: string]: readonly Key[] } = {
  "1": [
    [0, "boot"],
    [0, "write-int3"],
    [0, "irq"],
    [0, "execute", seen("execute", { text: "int3" })],
    [0, "enter-trap", seen("trap-unclaimed", { patchers: true })],
  ],
  "2": [
    [0, "write-first"],
    [0, "sync-3"],
    [1, "enter-trap", foreign],
    [1, "handler-nr"],
    [0, "clear-nr"],
    [0, "clear-vec"],
    [1, "handler-search", seen("load-freed", { word: "vec" })],
  ],
  "3": [
    [0, "write-first"],
    [0, "sync-3"],
    [1, "enter-trap", foreign],
    [1, "handler-desc"],
    [0, "clear-desc"],
    [0, "put-refs"],
    [0, "wait-refs"],
    [0, "return"],
    [1, "handler-get", seen("load-freed", { word: "desc.refs" })],
  ],
  "5": [
    [0, "write-int3"],
    [0, "wait-tasks", seen("grace")],
    [1, "execute", seen("execute", { text: "mov rax, rdi", stale: true })],
    [0, "poke-sync", seen("wait-ipi")],
    [0, "write-tail"],
    [1, "execute", seen("execute", { offset: 3 })],
  ],
  "5-disarm": [
    [0, "disarm"],
    [0, "wait-handlers", seen("grace")],
    [0, "free"],
    [1, "execute", seen("execute", { text: "int3", stale: true })],
    [1, "handler-find", seen("load-freed", { word: "kprobe" })],
  ],
  "6": [
    [1, "execute", seen("execute", { text: "int3" })],
    [1, "take-ipi"],
    [0, "write-first"],
    [1, "take-ipi"],
    [1, "enter-trap"],
    [0, "sync-3", seen("wait-ipi")],
    [0, "drop-refs"],
    [1, "handler-get", seen("try-get", { got: false })],
    [1, "unclaimed", seen("trap-unclaimed", { patchers: true })],
  ],
  "7": [
    [0, "write-int3"],
    [0, "clear-optimized"],
    [1, "handler-run", seen("emulate", { text: "mov rax, rdi" })],
    [1, "return-from-trap", seen("return-from-trap", { resumes: AT + 3n })],
    [1, "execute", seen("execute", { offset: 3 })],
  ],
  "9": [
    [0, "write-int3"],
    [1, "handler-emulate", seen("emulate", { text: "nop5" })],
    [1, "return-from-trap", seen("return-from-trap", { resumes: AT + 5n })],
  ],
  "10": [
    [0, "execute", seen("execute", { text: "xor eax, eax" })],
    [0, "preempt", seen("preempt", { at: AT + 2n })],
    [0, "write-tail"],
    [0, "resume", seen("resume", { at: AT + 2n })],
    [0, "execute", seen("execute", { offset: 2 })],
  ],
  "12": [
    [1, "execute", seen("execute", { text: "mov qword ptr [rsp-0x8], rax" })],
    [0, "write-first"],
    [1, "execute", seen("execute", { site: 0, text: `call 0x${(AT + 0x1000n).toString(16)}` })],
    [1, "execute", seen("execute", { text: "cmp qword ptr [rsp-0x8], rax" })],
    [1, "execute", seen("execute", { text: "ud2" })],
  ],
  "12-removal": [
    [0, "execute", seen("execute", { text: "lea rsp, [rsp-0x80]" })],
    [0, "preempt", seen("preempt", { at: AT + 5n })],
    [0, "write-tail"],
    [0, "resume", seen("resume", { at: AT + 5n })],
    [0, "execute", seen("execute", { offset: 5 })],
  ],
  "35": [
    [0, "stop", seen("queue-stop")],
    [0, "write"],
    [0, "nmi"],
    [0, "execute", ({ before, cpu }) => before.cpus[cpu]?.stack.some(({ level }) => level === "stopper") ?? false],
  ],
  "2023": [
    [0, "write-oop"],
    [0, "disarm"],
    [1, "execute", seen("execute", { site: 0, stale: true })],
    [1, "execute", seen("execute", { at: AT + 0x100n })],
    [1, "execute", seen("execute", { site: 1, stale: true })],
    [1, "execute", seen("pair", { published: false })],
  ],
  "2023-early": [
    [1, "execute", seen("execute", { site: 0, stale: false })],
    [1, "execute", seen("execute", { text: "cpuid" })],
    [0, "write-oop"],
    [0, "disarm"],
    [1, "execute", seen("execute", { at: AT + 0x102n })],
    [1, "execute", seen("execute", { site: 1, stale: true })],
    [1, "execute", seen("pair", { published: false })],
  ],
};

/** All that the last step of each bug breaks. */
const breaks: { readonly [id: string]: readonly string[] } = {
  "1": ["trap-owned"],
  "2": ["lifetime"],
  "3": ["lifetime"],
  "5": ["mid-sequence", "old-or-new"],
  "5-disarm": ["lifetime"],
  "6": ["trap-owned"],
  "7": ["mid-sequence", "old-or-new"],
  "9": ["emulation"],
  "10": ["mid-sequence", "old-or-new"],
  "12": ["emulation", "fault"],
  "12-removal": ["mid-sequence", "old-or-new"],
  "35": ["old-or-new", "rule"],
  "2023": ["pair"],
  "2023-early": ["pair"],
};

/** The steps that the fix takes away, and those that it brings. */
const fixes: { readonly [id: string]: readonly [readonly string[], readonly string[]] } = {
  "1": [["boot", "register"], []],
  "2": [[], ["sync-4", "sync-4"]],
  "3": [["set-desc", "clear-desc", "return", "handler-desc"], []],
  "5": [[], ["sync-1", "sync-1"]],
  "5-disarm": [[], ["sync-disarm", "sync-disarm"]],
  "6": [[], ["handler-look", "handler-rewind"]],
  "7": [[], []],
  "9": [["handler-emulate"], ["handler-emulate"]],
  "35": [[], ["stop-nmi", "restart-nmi"]],
};

/** Those whose fix is in the code that runs what is patched. */
const inVictim: readonly string[] = ["2023", "2023-early"];

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
    expect(story(trace, keys)).toEqual(keys.map(([cpu, name]) => `${cpu} ${name}`));
    expect(broken.map((each) => each.property)).toEqual(breaks[id]);
  });

  it("has a fix all of whose steps are taken", () => {
    // Where no other INT3 is about, nobody's entry is looked for in vain.
    const noStranger = ["1", "6", "10"].includes(id) ? ["handler-put-other"] : [];
    expect(judged().fixed.unused).toEqual(noStranger);
  });

  it("differs from its fix in the fix alone", () => {
    const environment = ({ name: _, sites, patchers, blocks, ...rest }: Scenario) => rest;
    expect(environment(wrong)).toEqual(environment(fixed));
    const steps = (scenario: Scenario): readonly string[] =>
      [...simulationOf(each).machine(scenario).layout.programs].flatMap(([name, program]) =>
        // All synchronisations share one handler, which is named after the first of them.
        (name.includes(" ipi ") ? [] : program.code).flatMap((line) =>
          line.kind === "op" ? [`${line.step} ${line.op} ${keyOf(line.args)}`] : [],
        ),
      );
    const names = (lines: readonly string[]) => lines.map((line) => line.split(" ")[0]);
    const less = (a: readonly string[], b: readonly string[]) => names(a.filter((line) => !b.includes(line)));
    const [before, after] = [steps(wrong), steps(fixed)];
    if (inVictim.includes(id)) {
      expect(wrong.sites).toEqual(fixed.sites);
      expect(wrong.patchers).toEqual(fixed.patchers);
      expect(wrong.blocks).not.toEqual(fixed.blocks);
    } else if (fixes[id] === undefined) {
      // The code that is patched is the fix; the way of patching it stays.
      expect(wrong.sites).not.toEqual(fixed.sites);
      expect(wrong.patchers).toEqual(fixed.patchers);
    } else {
      expect(wrong.sites).toEqual(fixed.sites);
      expect(wrong.blocks).toEqual(fixed.blocks);
      expect([less(before, after), less(after, before)]).toEqual(fixes[id]);
    }
  });

  it("is told in short", () => {
    expect(each.title.length).toBeLessThanOrEqual(60);
    for (const text of [each.bug, each.fix]) expect(text).toMatch(/^[A-Z].*\.$/);
  });
});

test("the fix of 7 puts one step in another place, and that is all", () => {
  const order = (scenario: Scenario) =>
    [...(simulationOf(entry("7")).machine(scenario).layout.programs.get("patcher 0")?.code ?? [])].flatMap((line) =>
      line.kind === "op" ? [line.step] : [],
    );
  const without = (steps: readonly string[]) => steps.filter((step) => step !== "clear-optimized");
  const [before, after] = [order(entry("7").wrong), order(entry("7").fixed)];
  expect(before).not.toEqual(after);
  expect(without(before)).toEqual(without(after));
});

describe("which bugs are bugs of fetching", () => {
  const models = fetchModels.map(({ id }) => id);

  it.each(gallery.filter(({ id }) => id !== "6" && !inVictim.includes(id)))("$id", async (each) => {
    const needsStale = ["5", "5-disarm"].includes(each.id);
    for (const fetch of models) {
      const expected = needsStale && fetch === "coherent" ? "safe" : each.property;
      expect(await under(fetch, each, each.wrong), fetch).toBe(expected);
      expect(await under(fetch, each, each.fixed), fetch).toBe("safe");
    }
  });

  it.each(inVictim)("%s rests on fetches that are in order, and late", async (id) => {
    const { wrong, fixed } = entry(id);
    for (const memory of ["sequential", "architectural"] as const) {
      const answers = async (of: Scenario) =>
        Promise.all(["amd", "amd-ordered", "coherent"].map((fetch) => under(fetch, entry(id), { ...of, memory })));
      expect(await answers(wrong), memory).toEqual(["pair", "pair", "safe"]);
      // Out of order who fetches the disarmed compare may go on with the old oop.
      expect(await answers(fixed), memory).toEqual(["pair", "safe", "safe"]);
    }
  });

  it("6 is none, but one of trap delivery", async () => {
    for (const fetch of models) {
      expect(await under(fetch, entry("6"), entry("6").wrong), fetch).toBe("safe");
      expect(await under(`${fetch}+late-trap`, entry("6"), entry("6").wrong), fetch).toBe("trap-owned");
      expect(await under(`${fetch}+late-trap`, entry("6"), entry("6").fixed), fetch).toBe("safe");
    }
  });
});

describe("traps that are delivered late", () => {
  it("no synchronisation waits for them, nor RCU where tasks are preemptible: a kprobe is freed under its own handler", async () => {
    const { fixed } = entry("5-disarm");
    const preemptible = { ...fixed, preempt: true };
    for (const { id } of fetchModels) {
      expect(await under(id, entry("5-disarm"), preemptible), id).toBe("safe");
      expect(await under(`${id}+late-trap`, entry("5-disarm"), preemptible), id).toBe("lifetime");
      // Else it waits for the task, which switches behind its trap.
      expect(await under(`${id}+late-trap`, entry("5-disarm"), fixed), id).toBe("safe");
    }
  });

  it("the way back cures one patching; a second one may have put the INT3 there again", async () => {
    const { fixed } = entry("6");
    const twice = { ...fixed, patchers: fixed.patchers.map((patcher) => ({ ...patcher, flips: 2 })) };
    const verdict = await simulationOf(entry("6")).check(twice);
    expect(answer(verdict)).toBe("trap-owned");
    if (verdict.verdict !== "unsafe") return;
    const keys: readonly Key[] = [
      [0, "drop-refs"],
      [1, "handler-get", seen("try-get", { got: false })],
      [0, "write-int3"],
      [1, "handler-look"],
      [1, "unclaimed"],
    ];
    expect(story(verdict.trace, keys)).toHaveLength(keys.length);
  });
});

test("the red zone of 12 is looked at: without the step over it ten bytes are no better than five", async () => {
  const { fixed } = entry("12");
  const noStep: Scenario = {
    ...fixed,
    sites: fixed.sites.map((site) => ({ ...site, new: "nop5+call" })),
    blocks: (fixed.blocks ?? []).map((block) => (block.code === "ret 0x80" ? { ...block, code: "ret" } : block)),
  };
  expect(answer(await simulationOf(entry("12")).check(noStep))).toBe("emulation");
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

test("an entry is found by its number, with its other sides", () => {
  expect(entriesOf("12").map(({ id }) => id)).toEqual(["12", "12-removal"]);
  expect(entriesOf("12-removal").map(({ id }) => id)).toEqual(["12-removal"]);
  expect(entriesOf("1").map(({ id }) => id)).toEqual(["1"]);
  expect(entriesOf("4")).toEqual([]);
});
