import { describe, expect, test } from "vitest";
import { cmodx, widest } from "./harness.js";

const timeline = async (line: string, color = false): Promise<string> => (await cmodx(`check ${line}`, { color })).out;

describe("timeline", () => {
  test("a torn instruction is decoded, and said to have never been in memory", async () => {
    const out = await timeline("--strategy int3 --drop sync-2 --offset 62 --fetch amd --cpus 2");
    expect(out).toContain("executes call 0xffffffff8100453e ~stale");
    expect(out.replace(/\s+/g, " ")).toContain("[e8fb440000] an instruction that never existed in memory");
    expect(out).toContain("~ marks what was overwritten in memory");
  });

  test("what a CPU may fetch is told when it changes, with stale code marked", async () => {
    const out = await timeline("--strategy int3 --drop sync-2 --offset 62 --fetch amd --cpus 2");
    expect(out).toContain("may fetch: int3, ~nop5");
    expect(out).toContain("fetches int3 alone");
    expect(out).toContain("memory at +0: cc 1f 44 00 00  int3");
  });

  test("one that memory held between two stores", async () => {
    const out = await timeline("--strategy plain-store --fetch coherent");
    expect(out.replace(/\s+/g, " ")).toContain("as memory held it between two stores");
  });

  test("the words of the field", async () => {
    const out = await timeline("--strategy int3 --drop sync-3 --cpus 2");
    for (const said of ["IPI to all CPUs", "stores cc at +0", "takes text_mutex"])
      expect(out.replace(/\s+/g, " ")).toContain(said);
    const trap = await timeline("--strategy int3 --drop handler-claim --cpus 2");
    expect(trap).toContain("executes int3: traps");
    expect(trap).toContain("enters the int3 handler");
    const nmi = await timeline("--strategy stop-machine --nmi");
    expect(nmi.replace(/\s+/g, " ")).toContain("takes an NMI");
    expect(nmi).toContain("PREPARE");
  });

  test("steps keep their numbers when quiet ones share a line, and none is lost", async () => {
    const out = await timeline("--strategy int3 --drop sync-1 --offset 62");
    const numbers = [...out.matchAll(/^ *(\d+)(?:-(\d+))? {2}/gm)].flatMap(([, first, last]) => {
      const from = Number(first);
      return Array.from({ length: Number(last ?? first) - from + 1 }, (_, i) => from + i);
    });
    expect(numbers).toEqual(numbers.map((_, i) => i + 1));
    expect(out).toMatch(/^ +2-4 /m);
  });

  test.each([2, 3, 5, 9])("at most 100 columns with %i CPUs", async (cpus) => {
    expect(
      widest(await timeline(`--strategy stop-machine-linux --nmi --cpus ${cpus} --max-states 400000`)),
    ).toBeLessThanOrEqual(100);
  });

  test("colours only when they are wanted", async () => {
    expect(await timeline("--strategy plain-store")).not.toContain("\x1b[");
    const coloured = await timeline("--strategy plain-store", true);
    expect(coloured).toContain("\x1b[");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape that begins a colour
    expect(widest(coloured.replace(/\x1b\[\d+m/g, ""))).toBeLessThanOrEqual(100);
  });
});
