import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { cmodx, fixture, folder, json, widest } from "./harness.js";

describe("check", () => {
  test("safe: exit 0, and what the verdict rests on", async () => {
    const { code, document } = await json("check --strategy int3 --cpus 2");
    expect(code).toBe(0);
    expect(document).toMatchObject({
      schema: "cmodx/check/1",
      verdict: "safe",
      property: null,
      why: null,
      broken: [],
      alsoBroken: [],
      notPromised: [],
      counterexample: null,
      saved: null,
    });
    expect(document.bounds).toMatchObject({
      architecture: "x86",
      fetch: { id: "intel" },
      memory: "sequential",
      cpus: 2,
      flips: 2,
      flipsWhy: null,
      irq: false,
      nmi: false,
      preempt: false,
      limits: { states: null, megabytes: null, seconds: null },
      reached: null,
    });
    expect(document.bounds.sites[0]).toMatchObject({ offset: 0, old: "nop5", oldBytes: "0f1f440000" });
    expect(document.bounds.properties).toContain("old-or-new");
    expect(document.states).toBeGreaterThan(1);
    expect(document.transitions).toBeGreaterThan(document.states);

    const { out } = await cmodx("check --strategy int3 --cpus 2");
    expect(out).toMatch(/^SAFE {2}int3 on x86, intel/);
    for (const said of ["Intel SDM", "2 CPUs", "2 flips", "no NMI", "offset 0", "Unused", "counted", "states"])
      expect(out).toContain(said);
    expect(widest(out)).toBeLessThanOrEqual(100);
  });

  test("unsafe: exit 1, a counterexample whose last step breaks what is reported", async () => {
    const { code, document } = await json("check --strategy plain-store");
    expect(code).toBe(1);
    expect(document.verdict).toBe("unsafe");
    expect(document.broken.map((each: { property: string }) => each.property)).toContain("old-or-new");
    expect(document.property).toBe(document.broken[0].property);
    expect(document.why).toBe(document.broken[0].why);
    const { steps, shortest } = document.counterexample;
    expect(shortest).toBe(true);
    expect(steps.map((step: { number: number }) => step.number)).toEqual(steps.map((_: unknown, i: number) => i + 1));
    expect(steps.at(-1).does).toContain("executes call");
    expect(steps[0].memory).toEqual(["0f1f440000"]);
    // Addresses are strings, so that every JSON reader keeps them exact.
    expect(steps.at(-1).observed[0].detail.at).toBe("0xffffffff81000000");
  });

  test("three CPUs by default, and IPI rounds and interrupts of one flip", async () => {
    const { document } = await json("check --strategy int3");
    expect(document.bounds.cpus).toBe(3);
    expect(document.ipiRoundsPerFlip).toBe(3);
    expect(document.interruptsPerFlip).toBe(6);
  });

  test("the environment's options reach the model", async () => {
    const { document } = await json(
      "check --strategy int3 --cpus 2 --flips 1 --irq --preempt --offset 62 --fetch amd --drop sync-2",
    );
    expect(document.bounds).toMatchObject({ flips: 1, irq: true, nmi: false, preempt: true, fetch: { id: "amd" } });
    expect(document.bounds.sites[0].offset).toBe(62);
    expect(document.bounds.patchers[0].drop).toEqual(["sync-2"]);
    const forever = await json("check --strategy int3 --cpus 2 --flips forever");
    expect(forever.document.bounds.flips).toBe("forever");
    expect(forever.document.ipiRoundsPerFlip).toBe(3);
  });

  test("one flip, and the reason, where there is no way back and nobody asked for it", async () => {
    const line = "check --strategy int3 --cpus 2 --site nop+nop+nop+nop+nop:call";
    const { document } = await json(line);
    expect(document.bounds.flips).toBe(1);
    expect(document.bounds.flipsWhy).toMatch(/no way back/);
    expect((await cmodx(line)).out).toContain("no way back");
    const asked = await cmodx(`${line} --flips 2`);
    expect(asked.code).toBe(2);
  });

  test("a step whose loss leaves the patch call waiting for ever costs nothing that can be told", async () => {
    const { code, document } = await json("check --strategy int3 --cpus 2 --drop drop-refs");
    expect(code).toBe(1);
    expect(document.property).toBe("progress");
    expect(document.interruptsPerFlip).toBeNull();
  });

  test("--property and --ignore", async () => {
    const only = await json("check --strategy plain-store --property done");
    expect(only.document.bounds.properties).toEqual(["done"]);
    const ignored = await json(
      "check --strategy plain-store --fetch amd --ignore old-or-new,mid-sequence,done,trap-owned,progress",
    );
    expect(ignored.document.bounds.properties).not.toContain("old-or-new");
    expect(ignored.document.notPromised).toContain("old-or-new");
  });

  test("properties under ids of their own, of a scenario module", async () => {
    const module = `export default ({ x86 }) => ({
      name: "nobody returns",
      sites: [{ address: 0xffffffff81000000n, old: "nop5", new: "jmp" }],
      patchers: [{ strategy: x86.int3(), sites: [0], flips: 1 }],
      cpus: 2,
      judges: [{
        id: "no-returns",
        breaksWhen: "anybody returns",
        judge: ({ what, detail }) => (what === "execute" && detail.text === "ret" ? "Somebody returned." : undefined),
      }],
    });`;
    const cwd = folder({ "judging.mjs": module });
    const asked = async (more: string) => (await json(`check --scenario judging.mjs${more}`, { cwd })).document;
    const broken = await asked("");
    expect(broken).toMatchObject({ verdict: "unsafe", property: "no-returns", why: "Somebody returned." });
    expect(broken.bounds.properties).toContain("no-returns");
    expect((await asked(" --property no-returns --no-repair")).property).toBe("no-returns");
    expect((await asked(" --ignore no-returns")).verdict).toBe("safe");
    const { code, err } = await cmodx("check --scenario judging.mjs --property no-return", { cwd });
    expect([code, err]).toEqual([2, expect.stringContaining("--property takes properties (no-returns)")]);
  });

  test("--width", async () => {
    const { document } = await json("check --strategy plain-store --width 8 --fetch amd");
    expect(document.verdict).toBe("safe");
  });

  test("bytes at an address", async () => {
    const { code, document } = await json(
      "check --strategy int3 --old-bytes 0f1f440000 --new-bytes e8fb0f0000 --at 0xffffffff81000005 --cpus 2",
    );
    expect(code).toBe(0);
    expect(document.bounds.sites[0]).toMatchObject({
      address: "0xffffffff81000005",
      offset: 5,
      old: "nop5",
      new: "call 0xffffffff81001005",
    });
  });
});

describe("--outcomes", () => {
  test("lists what each CPU can execute, behind violations too, and the JSON says the same", async () => {
    const line = "check --strategy int3 --site nop5:call --drop sync-2 --offset 62 --fetch amd --cpus 3 --outcomes";
    const { code, document } = await json(line);
    expect(code).toBe(1);
    const { outcomes } = document;
    expect(outcomes).toMatchObject({ complete: true, reached: null });
    expect(outcomes.states).toBeGreaterThan(document.states);
    const torn = outcomes.list.filter(({ kind }: { kind: string }) => kind === "torn");
    expect(torn).toContainEqual(
      expect.objectContaining({
        cpus: [1, 2],
        site: 0,
        offset: 0,
        address: "0xffffffff8100003e",
        bytes: "e8fb440000",
        how: "executed",
        fresh: false,
        stale: true,
      }),
    );
    const { out } = await cmodx(line);
    expect(out).toContain("CPU 0\n  nothing");
    expect(out).toMatch(/CPUs 1 and 2\n {2}\+0 {2}0f 1f 44 00 00 {2}nop5/);
    expect(out).toMatch(/e8 fb 44 00 00 .*TORN/);
    expect(out).toMatch(/\(emulated\) .*call/);
    expect(widest(out)).toBeLessThanOrEqual(100);
  });

  test("of a safe protocol are the old, the new and the breakpoint, never late", async () => {
    const { code, document } = await json("check --strategy int3 --cpus 2 --offset 62 --outcomes");
    expect(code).toBe(0);
    const kinds = document.outcomes.list.map(({ how, kind }: { how: string; kind: string }) => `${how} ${kind}`);
    expect(kinds).toEqual(["executed old", "executed new", "executed breakpoint", "emulated old", "emulated new"]);
    expect(document.outcomes.list.some(({ late }: { late: boolean }) => late)).toBe(false);
  });

  test("cut short by a limit is never shown as whole: exit 3", async () => {
    // The check ends at the vacuous or safe end of fewer states than the listing needs.
    const line = "check --strategy plain-store --site nop5:call --property exclusive --outcomes --max-states 100";
    const { code, document } = await json(line);
    expect(code).toBe(3);
    expect(document.outcomes).toMatchObject({ complete: false, reached: "states" });
    const { out } = await cmodx(line);
    expect(out).toContain("CUT SHORT  The limit of 100 states was reached.");
  });

  test("is left out unless asked for", async () => {
    const { document } = await json("check --strategy int3 --cpus 2");
    expect(document.outcomes).toBeNull();
  });
});

describe("the synchronisation that repairs", () => {
  test.each([
    ["sync-1", "sync@write-int3"],
    ["sync-2", "sync@write-tail"],
    ["sync-3", "sync@write-first"],
  ])("int3 without %s is %s, and with it the check is safe", async (drop, add) => {
    const line = `check --strategy int3 --cpus 2 --offset 62 --drop ${drop}`;
    const { document } = await json(line);
    expect(document.repair).toMatchObject({ complete: true, found: [{ add, kind: "sync", patcher: 0, inside: null }] });
    expect((await cmodx(line)).out.replace(/\s+/g, " ")).toContain(`one added synchronisation repairs it: all CPUs`);
    const again = await json(`${line} --add ${add}`);
    expect(again.code).toBe(0);
    expect(again.document.bounds.patchers[0]).toMatchObject({ drop: [drop], add: [add] });
    expect(again.document.repair).toBeNull();
    expect((await cmodx(`${line} --add ${add}`)).out.replace(/\s+/g, " ")).toContain(`with ${add} added`);
  });

  test("may be a grace period, or stand in the secondaries of stop_machine", async () => {
    const optprobe = await json("check --strategy optprobe --drop wait-tasks --cpus 2");
    expect(optprobe.document.repair.found[0].add).toBe("rcu@sync-1");
    const preempted = "check --strategy optprobe --drop wait-tasks --flips 1 --cpus 2 --preempt --no-repair";
    expect((await json(`${preempted} --add rcu@sync-1`)).document.property).toBe("mid-sequence");
    expect((await json(`${preempted} --add rcu-tasks-rude@sync-1`)).document.property).toBe("mid-sequence");
    expect((await json(`${preempted} --add rcu-tasks@sync-1`)).code).toBe(0);
    const stopped = await json("check --strategy stop-machine-linux --cpus 2");
    expect(stopped.document.repair.found[0]).toMatchObject({ after: "stop", inside: "secondaries", kind: "sync-core" });
    expect((await json("check --strategy stop-machine-linux --cpus 2 --add sync-core@stop/secondaries")).code).toBe(0);
  });

  test("there may be none, and it may not be looked for", async () => {
    const { document } = await json("check --strategy plain-store");
    expect(document.repair).toMatchObject({ found: [], complete: true, tried: document.repair.candidates });
    expect((await cmodx("check --strategy plain-store")).out).toContain("no single added synchronisation repairs it");
    expect((await json("check --strategy plain-store --no-repair")).document.repair).toBeNull();
    expect((await cmodx("check --strategy plain-store --no-repair")).out).not.toContain("Repair ");
  });

  test("a limit leaves it undecided", async () => {
    const line = "check --strategy int3 --cpus 2 --offset 62 --drop sync-1 --max-states 60";
    const { document } = await json(line);
    expect(document.verdict).toBe("unsafe");
    expect(document.repair).toMatchObject({ found: [], complete: false });
    expect((await cmodx(line)).out).toMatch(/none found in \d+ states: \d+ of \d+ single added (.|\n)*not\s+decided/);
  });

  test("is looked for in so many states, not seconds, and first where a step was left out", async () => {
    const { document } = await json("check --strategy int3 --drop sync-2 --offset 62 --irq --cpus 3");
    expect(document.repair.found).toMatchObject([{ add: "sync@write-tail" }]);
    const large = await json("check --strategy int3 --nmi --drop sync-3 --cpus 3 --flips 4");
    expect(large.document.repair).toMatchObject({ complete: false });
    expect(large.document.repair.states).toBeGreaterThanOrEqual(400_000);
    expect(large.document.repair.states).toBeLessThan(410_000);
  });

  test("an addition goes with a saved counterexample", async () => {
    const cwd = folder();
    const line =
      "check --strategy int3 --cpus 2 --offset 62 --drop sync-1,sync-2 --add sync@write-int3 --save trace.json";
    expect((await cmodx(line, { cwd })).code).toBe(1);
    expect(JSON.parse(readFileSync(join(cwd, "trace.json"), "utf8")).request.add).toEqual(["sync@write-int3"]);
    expect((await cmodx("replay trace.json", { cwd })).code).toBe(0);
  });

  test.each([
    ["sync", /KIND@STEP/],
    ["sync@nowhere", /has no step nowhere/],
    ["mb@write-int3", /nothing to add for the barrier mb: memory is sequential/],
  ])("--add %s is refused in one sentence", async (add, message) => {
    const { code, document } = await json(`check --strategy int3 --cpus 2 --add ${add}`);
    expect(code).toBe(2);
    expect(document.message).toMatch(message);
  });
});

describe("the environment", () => {
  test("NMIs after an IRET inside the handler of another are guarded unless that is asked for", async () => {
    const line = "check --strategy int3 --cpus 2 --flips 1 --nmi --no-repair";
    expect(await json(line)).toMatchObject({ code: 0, document: { bounds: { nmi: true, nestedIret: "guarded" } } });
    expect(await json(`${line} --nested-iret unguarded`)).toMatchObject({
      code: 1,
      document: { property: "fault", bounds: { nestedIret: "unguarded" } },
    });
    expect((await cmodx(`${line} --nested-iret unguarded`)).out.replace(/\s+/g, " ")).toContain(
      "takes an NMI; FAULTS: it overwrites the frame of the one that is being handled",
    );
    expect((await cmodx("check --strategy int3 --nmi --nested-iret never")).err).toContain(
      "--nested-iret takes guarded or unguarded, not never.",
    );
  });

  test("strategies for user space run in user mode unless it is said that they do not", async () => {
    const user = async (options: string) => (await json(`check --cpus 2 --flips 1 ${options}`)).document.bounds.user;
    expect(await user("--strategy int3-membarrier")).toBe(true);
    expect(await user("--strategy int3-membarrier --no-user")).toBe(false);
    expect(await user("--strategy int3")).toBe(false);
    expect(await user("--strategy int3 --user")).toBe(true);
  });
});

describe("limits", () => {
  test.each([
    ["--max-states 10", "states", "states"],
    ["--max-memory 0.001", "bytes", "megabytes"],
    ["--timeout 0.001 --cpus 4 --nmi", "milliseconds", "seconds"],
  ])("%s makes the verdict inconclusive, exit 3", async (limit, reached, unit) => {
    const { code, document } = await json(`check --strategy int3 ${limit}`);
    expect(code).toBe(3);
    expect(document).toMatchObject({ verdict: "inconclusive", property: null, counterexample: null });
    expect(document.bounds.reached).toBe(reached);
    expect(document.bounds.limits[unit]).toBeGreaterThan(0);
    expect(document.why).toMatch(/limit/);
    const { out, code: same } = await cmodx(`check --strategy int3 ${limit}`);
    expect(same).toBe(3);
    expect(out).toMatch(/^INCONCLUSIVE/);
    expect(out).not.toMatch(/SAFE/);
  });

  test("a run that is interrupted is inconclusive and its output whole", async () => {
    const surroundings = { signal: AbortSignal.timeout(300) };
    const { code, document } = await json("check --strategy int3 --cpus 4 --nmi --irq", surroundings);
    expect(code).toBe(3);
    expect(document.bounds.reached).toBe("interrupted");
  });

  test("a scenario in which nobody executes the site is vacuous, exit 3", async () => {
    const { code, document } = await json("check --strategy int3 --cpus 1");
    expect(code).toBe(3);
    const why = "Nobody executed a site during a flip.";
    expect(document).toMatchObject({ verdict: "vacuous", property: null, why });
    expect((await cmodx("check --strategy int3 --cpus 1")).out).toMatch(/^VACUOUS .*Nobody executed a site/);
  });

  test("old code that equals the new is vacuous where nothing else is stored, and unsafe where that breaks", async () => {
    const line = "check --cpus 2 --site nop5:nop5";
    expect(await json(`${line} --strategy plain-store`)).toMatchObject({ code: 3, document: { verdict: "vacuous" } });
    expect(await json(`${line} --strategy int3`)).toMatchObject({ code: 0, document: { verdict: "safe" } });
    expect(await json(`${line} --strategy int3 --drop sync-3 --no-repair`)).toMatchObject({
      code: 1,
      document: { verdict: "unsafe" },
    });
  });

  test("a property that nothing can break is vacuous alone, and named beside others", async () => {
    const line = "check --strategy int3 --cpus 2 --property";
    const alone = await json(`${line} trace`);
    expect(alone).toMatchObject({ code: 3, document: { verdict: "vacuous" } });
    const why = "no program publishes text-poke events";
    expect(alone.document.notJudged).toEqual([{ property: "trace", why }]);
    expect((await json(`${line} trace,done`)).document).toMatchObject({ verdict: "safe", notJudged: [{ why }] });
    const { code, out } = await cmodx(`${line} trace,done`);
    expect(code).toBe(0);
    expect(out).toContain(`Not judged  trace, because ${why}`);
  });

  test("a site that nobody executes is named", async () => {
    const module = `const at = 0xffffffff81000000n;
    export default ({ x86 }) => ({
      name: "two, of which one is executed",
      sites: [at, at + 128n].map((address) => ({ address, old: "nop5", new: "jmp" })),
      patchers: [{ strategy: x86.int3Batch(), sites: [0, 1], flips: 1 }],
      executors: [{ entries: [at] }],
      cpus: 2,
    });`;
    const where = { cwd: folder({ "two.mjs": module }) };
    const line = "check --scenario two.mjs";
    expect((await json(line, where)).document).toMatchObject({ verdict: "safe", notExecuted: [1] });
    expect((await cmodx(line, where)).out).toContain("Not executed  site 1 (0xffffffff81000080): nobody executed it");
  });

  test("one CPU with preemption has a victim", async () => {
    expect((await json("check --strategy int3 --cpus 1 --preempt")).document.verdict).toBe("safe");
    expect((await json("check --strategy plain-store --cpus 1 --preempt --no-repair")).code).toBe(1);
  });

  test("what else broke is named only where it counts", async () => {
    const line = "check --strategy self-jump --offset 60 --cpus 2 --flips 1 --no-repair";
    const { document } = await json(line);
    expect(document).toMatchObject({ verdict: "unsafe", notPromised: ["done"] });
    expect(document.alsoBroken).not.toContain("done");
    for (const id of document.alsoBroken) expect(document.bounds.properties).toContain(id);
  });

  test("progress is shown on a terminal alone, and wiped", async () => {
    const { err } = await cmodx("check --strategy int3 --cpus 3 --nmi --max-states 200000", { terminal: true });
    expect(err).toMatch(/states, frontier .* states\/s/);
    expect(err.endsWith("\r\x1b[K")).toBe(true);
    const piped = await cmodx("check --strategy int3 --cpus 3 --nmi --max-states 200000");
    expect(piped.err).toBe("");
  });
});

describe("check --from", () => {
  const linked = fixture("patchsites.x86_64.elf");
  const relocatable = fixture("patchsites.x86_64.o");
  const site = async (selector: string) => {
    const { document } = await json(["check", "--strategy", "int3", "--cpus", "2", "--flips", "1", "--from", selector]);
    return document.bounds?.sites[0] ?? document;
  };

  test("a jump label's no-operation is replaced by a jump of its length to the label's target, at the real address", async () => {
    expect(await site(`${linked}:long_nops+0xdd`)).toEqual({
      address: "0x4002bd",
      offset: 61,
      old: "nop5",
      new: "jmp 0x4002c8",
      oldBytes: "0f1f440000",
      newBytes: "e906000000",
      origin: "patchsites.x86_64.elf:long_nops+0xdd",
    });
    expect(await site(`${linked}:#2`)).toMatchObject({ old: "nop2", new: "jmp8 0x4001d0" });
    expect(await site(`${linked}:#9`)).toMatchObject({ old: "jmp8 0x400360", new: "nop2" });
    expect(await site(`${linked}:#10`)).toMatchObject({ old: "jmp 0x400360", new: "nop5" });
  });

  test("ftrace, static calls and nops at a function's entry", async () => {
    expect(await site(`${linked}#1`)).toMatchObject({ old: "call 0x4005cf", new: "nop5" });
    const call = await site(`${linked}:#15`);
    expect(call).toMatchObject({ old: "call 0x4005d0", offset: 62 });
    expect(call.new).toMatch(/^call 0x/);
    expect(call.new).not.toBe(call.old);
    expect(await site(`${linked}:five_nops`)).toMatchObject({ old: "nop+nop+nop+nop+nop", newBytes: "e8fb0f0000" });
    // Padding before the entry is not executed.
    expect(await site(`${linked}:#19`)).toMatchObject({ address: "0x4004d0", old: "nop+nop+nop+nop+nop" });
    expect(await site(`${linked}:#18`)).toMatchObject({
      schema: "cmodx/error/1",
      message: expect.stringMatching(/padding/),
    });
  });

  test("without a selector it is the first site", async () => {
    expect((await site(linked)).origin).toContain("short_nops+0x0");
  });

  test("a branch that only the loader can finish goes to the default place", async () => {
    expect(await site(`${relocatable}:#1`)).toMatchObject({ old: "call 0xffffffff81001000", new: "nop5" });
  });

  test("where the file fixes the place modulo its alignment alone, every place is checked and the worst is reported", async () => {
    const line = [
      "check",
      "--strategy",
      "int3",
      "--cpus",
      "2",
      "--drop",
      "sync-1",
      "--fetch",
      "coherent",
      "--from",
      `${relocatable}:#21`,
    ];
    const { document } = await json(line);
    const offsets = document.offsets as { offset: number; verdict: string }[];
    expect(offsets.map(({ offset }) => offset)).toEqual([13, 29, 45, 61]);
    expect(new Set(offsets.map(({ verdict }) => verdict)).has(document.verdict)).toBe(true);
    const worst = offsets.find(({ offset }) => offset === document.bounds.sites[0].offset);
    expect(worst?.verdict).toBe(document.verdict);
    if (offsets.some(({ verdict }) => verdict === "unsafe")) expect(document.verdict).toBe("unsafe");
    expect((await cmodx(line)).out).toContain("the worst of");
  });

  test("a place that the strategy refuses is one of the answers, not an error", async () => {
    const { code, document } = await json([
      "check",
      "--strategy",
      "aligned-store",
      "--fetch",
      "amd",
      "--cpus",
      "2",
      "--from",
      `${relocatable}:#20`,
    ]);
    expect(document.offsets.length).toBe(4);
    expect(code).toBe(0);
  });
});

describe("endless interrupts", () => {
  const BUSY = `export default ({ until, set, x86 }) => ({
  name: "a wait for a moment without interrupts",
  sites: [{ address: 0xffffffff81000000n, old: "nop5", new: "nop5" }],
  patchers: [{ sites: [0], flips: 1, strategy: { ...x86.plainStore(), id: "patient", plan: () => ({
    main: [until("wait", "busy", 0)],
    words: { busy: 0 },
    traps: { irq: [set("in", "busy", 1), set("out", "busy", 0)] },
  }) } }],
  interrupts: { irq: true },
  properties: ["old-or-new", "fault", "progress"],
  cpus: 2,
});
`;

  test("that alone keep a call from its end are said to, with the verdict on all else beside", async () => {
    const cwd = folder({ "busy.mjs": BUSY });
    const line = "check --scenario busy.mjs --no-repair";
    const { code, document } = await json(line, { cwd });
    expect(code).toBe(1);
    expect(document).toMatchObject({ property: "progress", otherwise: "safe" });
    expect(document.why).toContain("interrupts from outside that never stop coming");
    const { out } = await cmodx(line, { cwd });
    expect(out).toMatch(/^UNSAFE .*breaks progress, by endless interrupts alone; safe otherwise/);
    expect(out).toContain("Otherwise   safe: only interrupts that come for ever");
  });
});

describe("plugins", () => {
  test("whose parts an answer rests on are named, with what they replace", async () => {
    const cwd = folder({
      "part.mjs": `export default { parts: [{ id: "my-order", replaces: [], install() {} }] };\n`,
    });
    const line = "check --strategy int3 --cpus 2 --plugin ./part.mjs";
    const { document } = await json(line, { cwd });
    expect(document.bounds.plugins).toEqual([{ id: "my-order", replaces: [] }]);
    expect((await cmodx(line, { cwd })).out).toContain("Plugins     my-order");
    expect((await json("check --strategy int3 --cpus 2")).document.bounds.plugins).toEqual([]);
  });
});

describe("--save", () => {
  test("a counterexample is written whole; a verdict without one leaves no file", async () => {
    const cwd = folder();
    const unsafe = await json("check --strategy plain-store --save torn.json", { cwd });
    expect(unsafe.document.saved).toBe("torn.json");
    const saved = JSON.parse(readFileSync(join(cwd, "torn.json"), "utf8"));
    expect(saved.schema).toBe("cmodx/trace/1");
    expect(saved.steps.length).toBe(unsafe.document.counterexample.steps.length);
    const safe = await json("check --strategy int3 --cpus 2 --save safe.json", { cwd });
    expect(safe.document.saved).toBeNull();
    expect(existsSync(join(cwd, "safe.json"))).toBe(false);
    expect(readdirSync(cwd)).toEqual(["torn.json"]);
  });
});
