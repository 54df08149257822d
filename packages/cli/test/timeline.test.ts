import { renderTimeline } from "@cmodx/view";
import { describe, expect, test } from "vitest";
import { loadCatalogue } from "../src/catalogue.js";
import { subjectOf } from "../src/subject.js";
import { cmodx, folder, json, widest } from "./harness.js";

const site = { address: "0xffffffff8100003e", old: "nop5", new: "call" };

const timeline = async (line: string, color = false): Promise<string> => (await cmodx(`check ${line}`, { color })).out;

describe("timeline", () => {
  test("a torn instruction is decoded, and said to have never been in memory", async () => {
    const out = await timeline("--strategy int3 --site nop5:call --drop sync-2 --offset 62 --fetch amd --cpus 2");
    expect(out).toContain("executes call 0xffffffff8100453e ~stale");
    expect(out.replace(/\s+/g, " ")).toContain("[e8fb440000] an instruction that never existed in memory");
    expect(out).toContain("~ marks what was overwritten in memory");
  });

  test("what a CPU may fetch is told when it changes, with stale code marked", async () => {
    const out = await timeline("--strategy int3 --site nop5:call --drop sync-2 --offset 62 --fetch amd --cpus 2");
    expect(out).toContain("may fetch: int3, ~nop5");
    expect(out).toContain("fetches int3 alone");
    expect(out).toContain("memory at +0: cc 1f 44 00 00  int3");
  });

  test("one that memory held between two stores", async () => {
    const out = await timeline("--strategy plain-store --fetch coherent");
    expect(out.replace(/\s+/g, " ")).toContain("as memory held it between two stores");
  });

  test("the words of the field", async () => {
    const out = await timeline("--strategy int3 --site nop5:call --drop sync-3 --cpus 2");
    for (const said of ["IPI to all CPUs", "stores cc at +0", "takes text_mutex"])
      expect(out.replace(/\s+/g, " ")).toContain(said);
    const trap = await timeline("--strategy int3 --site nop5:call --drop handler-claim --cpus 2");
    expect(trap).toContain("executes int3: traps");
    expect(trap).toContain("enters the int3 handler");
    const nmi = await timeline("--strategy stop-machine --nmi");
    expect(nmi.replace(/\s+/g, " ")).toContain("takes an NMI");
    expect(nmi).toContain("PREPARE");
  });

  test("faults, ways out of the code, and who takes an exception", async () => {
    const said = async (site: string, more = ""): Promise<string> =>
      (await timeline(`--strategy stop-machine --site ${site} --flips 1 --cpus 2 ${more}`)).replace(/\s+/g, " ");
    expect(await said("nop2:ud2")).toContain("executes ud2: traps (ud); FAULTS: nothing handles the ud");
    const ignored = await said("nop2:ud2", "--ignore fault --no-repair");
    expect(ignored).toContain("SAFE stop-machine");
    expect(ignored).toContain(
      "Leaves / Faults The CPU executed ud2 at 0xffffffff81000000: it raises ud, which nothing handles.",
    );
    // What a torn instruction comes to.
    const torn = (
      await timeline("--strategy plain-store --site nop5:jmp --cpus 2 --fetch amd --offset 62 --no-repair")
    ).replace(/\s+/g, " ");
    expect(torn).toMatch(/LEAVES the modelled code for 0x[\da-f]+/);
    expect(torn).toMatch(/breaks [a-z-]+ .*Leaves \/ Faults The CPU executed/);
    const dir = folder({
      "caught.mjs": `export default ({ x86 }) => ({
        name: "caught", sites: [{ address: 0xffffffff81000000n, old: "nop5", new: "jmp", after: "ud2" }],
        patchers: [{ strategy: x86.int3({}), sites: [0], flips: 1 }], cpus: 2,
        blocks: [{ address: 0xffffffff81000800n, code: "jmp rbx" }], executors: [{ faults: 0xffffffff81000800n }],
      });`,
    });
    const { out } = await cmodx("check --scenario caught.mjs", { cwd: dir });
    expect(out).toContain("goes on at 0xffffffff81000800, where its ud is handled");
    expect(out).toContain("executes jmp rbx at 0xffffffff81000800; LEAVES the modelled code for 0x0");
  });

  test("the values of the broken property: expected, found, and where they come from", async () => {
    const said = async (line: string): Promise<string> => (await timeline(line)).replace(/\s+/g, " ");
    const torn = await said("--strategy int3 --site nop5:call --drop sync-2 --offset 62 --fetch amd --cpus 2");
    expect(torn).toMatch(
      /executed e8 fb 44 00 00 call 0xffffffff8100453e, at \+0 by CPU 1 old 0f 1f 44 00 00 nop5 new e8/,
    );
    expect(torn).toMatch(/memory held e8 fb 0f 00 00 there/);
    const [, since] = /CPU 1 has not synchronised since step (\d+), CPU 0: write-tail/.exec(torn) ?? [];
    expect(torn).toContain(`${since} write-tail: stores fb at +1`);

    const passage = await said("--strategy optprobe --drop wait-tasks --cpus 2");
    expect(passage).toMatch(/passage mov rax, rdi at \+0, old: step \d+, CPU 1 then .* at \+3, neither version/);
    const rule = await said("--strategy plain-store --cpus 2");
    expect(rule).toContain("fetchable e8|0f 1f 44 00 00 (each byte, what memory holds first)");
    const trap = await said("--strategy int3 --site nop5:call --drop sync-3 --offset 62 --cpus 2");
    expect(trap).toMatch(/stored step \d+, CPU 0: write-int3 fetched step \d+, CPU 1 memory holds e8 there by now/);
    expect(trap).toMatch(/handler handler-get: gets no reference, text_poke_array_refs is 0 \(step \d+\)/);
    const late = await said(
      "--strategy int3 --site nop5:call --drop sync-1,sync-2,sync-3 --fetch amd --property done --cpus 2",
    );
    expect(late).toMatch(/returned step \d+, CPU 0: returnCall expected e8 fb 0f 00 00 call/);
    const stuck = await said("--strategy int3 --site nop5:call --drop drop-refs --cpus 2");
    expect(stuck).toMatch(
      /waits CPU 0, patcher 0 at wait-refs: until text_poke_array_refs is 0 on every CPU; it is 1, 1/,
    );
  });

  test("the data of a site is in memory as code is", async () => {
    const literals = ".quad 0x1111111122222222:.quad 0x3333333344444444";
    const line = [
      "check",
      "--arch",
      "riscv",
      "--strategy",
      "literal",
      "--site",
      literals,
      "--offset",
      "4",
      "--no-repair",
      "--max-states",
      "2000",
    ];
    const { document } = await json(line);
    const { steps } = document.counterexample;
    expect(steps[0].memory).toEqual(["2222222211111111"]);
    expect(steps.at(-1).memory).toEqual(["4422222211111111"]);
    expect((await cmodx(line)).out).toContain("memory at +0: 44 22 22 22 11 11 11 11 …");
  });

  test("what is torn in memory is not for want of maintenance", async () => {
    const torn = await timeline("--arch arm64 --strategy plain-store --cpus 2 --memory architectural");
    expect(torn).toContain("as memory held it between two");
    expect(torn).not.toContain("no synchronisation is enough");
  });

  test("a synchronisation is missed only where one was missing: not where the line was never cleaned or invalidated", async () => {
    const said = async (more: string): Promise<string> =>
      (await timeline(`--arch arm64 --strategy nosync-ipi --cpus 2 ${more}`)).replace(/\s+/g, " ");
    for (const memory of ["", "--memory architectural"]) {
      const invalidated = await said(`--drop write-invalidate ${memory}`);
      expect(invalidated).toMatch(/the line of \+0 was not invalidated since step \d+.*; no synchronisation is enough/);
      expect(invalidated).not.toContain("has not synchronised since");
    }
    const cleaned = await said("--drop write-clean");
    expect(cleaned).toMatch(
      /the line of \+0 was not cleaned since step \d+, CPU 0: write; no synchronisation is enough/,
    );
    expect(cleaned).not.toContain("has not synchronised since");
    // From the invalidation on one would have been enough.
    const kicked = await said("--drop kick-send,kick-wait");
    expect(kicked).toMatch(/CPU 1 has not synchronised since step \d+, CPU 0: write-invalidate/);
  });

  test("what was fetched in two parts", async () => {
    const out = await timeline("--strategy int3 --site nop5:call --drop sync-1 --offset 62 --fetch coherent --cpus 2");
    expect(out.replace(/\s+/g, " ")).toMatch(/fetched 0f 1f in step \d+, the rest in step \d+/);
  });

  test("operations that a strategy brings speak for themselves", async () => {
    const out = await timeline("--strategy int3-2010 --drop sync-3 --cpus 2");
    expect(out).not.toContain("savedIp");
    expect(out.replace(/\s+/g, " ")).toContain("handler-ip: reads the saved instruction pointer, +1");
  });

  test("steps that repeat for ever are headed so, and never share a line with those before", async () => {
    const catalogue = await loadCatalogue([], folder());
    const request = { plugins: [], strategy: "int3", site, cpus: 2, flips: 1, irq: false, nmi: false, preempt: false };
    const { machine, simulation, scenario } = await subjectOf(
      { ...request, memory: "sequential", drop: ["sync-1"] },
      catalogue,
      folder(),
    );
    const verdict = await simulation.check(scenario);
    if (verdict.verdict !== "unsafe") throw new Error("Without its first synchronisation int3 is unsafe.");
    const shown = renderTimeline(machine, verdict.trace, { loop: 2 });
    expect(shown).toMatch(new RegExp(`^ {7}Steps 3 to ${verdict.trace.length} repeat for ever:\\n +3-4 `, "m"));
    expect(renderTimeline(machine, verdict.trace)).not.toContain("repeat");
    expect(renderTimeline(machine, verdict.trace, { loop: 2, width: 30 })).toContain("repeat for ever");
  });

  test("steps keep their numbers when quiet ones share a line, and none is lost", async () => {
    const out = await timeline("--strategy int3 --site nop5:call --drop sync-1 --offset 62");
    const numbers = [...out.matchAll(/^ *(\d+)(?:-(\d+))? {2}/gm)].flatMap(([, first, last]) => {
      const from = Number(first);
      return Array.from({ length: Number(last ?? first) - from + 1 }, (_, i) => from + i);
    });
    expect(numbers).toEqual(numbers.map((_, i) => i + 1));
    expect(out).toMatch(/^ +2-4 /m);
  });

  test.each([2, 3, 5, 9])("at most 100 columns with %i CPUs", async (cpus) => {
    const shown = await timeline(`--strategy stop-machine-linux --nmi --cpus ${cpus} --no-repair`);
    expect(shown).toMatch(/^UNSAFE/);
    expect(widest(shown)).toBeLessThanOrEqual(100);
  });

  test("colours only when they are wanted", async () => {
    expect(await timeline("--strategy plain-store")).not.toContain("\x1b[");
    const coloured = await timeline("--strategy plain-store", true);
    expect(coloured).toContain("\x1b[");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape that begins a colour
    expect(widest(coloured.replace(/\x1b\[\d+m/g, ""))).toBeLessThanOrEqual(100);
  });
});
