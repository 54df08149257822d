import { describe, expect, test } from "vitest";
import { cmodx, fixture, json } from "./harness.js";

type Pair = { group: string; old: string; new: string; needs: string | null; ways: { way: string; verdict: string }[] };

describe("matrix --pairs", () => {
  test("what it is not for", async () => {
    expect((await cmodx("matrix --arch x86 --pairs")).err).toBe(
      "cmodx: armv7 alone has a table of instruction pairs.\n",
    );
    expect((await cmodx("matrix --pairs --strategy nosync")).err).toContain("--strategy does not go with --pairs");
    expect((await cmodx("matrix --pairs --fetch a64")).err).toContain("armv7 has no fetch model a64");
    expect((await cmodx("matrix --pairs --fetch a32 --max-states 5")).code).toBe(3);
    const interrupted = await json("matrix --pairs --fetch a32", { signal: AbortSignal.abort() });
    expect(interrupted.code).toBe(3);
    expect(interrupted.document.pairs.every((pair: Pair) => pair.needs === null)).toBe(true);
  });
});

describe("check --from", () => {
  const check = (strategy: string, from: string) =>
    json(["check", "--arch", "armv7", "--strategy", strategy, "--from", fixture(from), "--cpus", "2", "--no-repair"]);

  test("an A32 file has the fetch model of A32, a Thumb file that of Thumb", async () => {
    expect((await check("nosync", "patchsites.armv7-a32.elf")).document).toMatchObject({ verdict: "safe" });
    const thumb = (await check("nosync", "patchsites.armv7-t32.elf")).document;
    expect(thumb).toMatchObject({ verdict: "unsafe", property: "old-or-new" });
    expect((await check("stop-machine", "patchsites.armv7-t32.elf")).document).toMatchObject({ verdict: "safe" });
    expect((await check("stop-machine-linux", "patchsites.armv7-t32.elf")).document).toMatchObject({
      verdict: "unsafe",
    });
  });

  test("of a relocatable file every congruent place is checked", async () => {
    expect((await check("stop-machine", "patchsites.armv7-t32.o")).document).toMatchObject({ verdict: "safe" });
    expect((await check("nosync", "patchsites.armv7-a32.o")).document).toMatchObject({ verdict: "safe" });
  });

  test("a call of the tracer, in both states", async () => {
    expect((await check("ftrace", "patchsites.armv7-t32.elf:traced_2")).document).toMatchObject({ verdict: "safe" });
    expect((await check("ftrace", "patchsites.armv7-a32.elf:traced_0")).document).toMatchObject({ verdict: "safe" });
  });

  test("another fetch model than the code's is refused with a sentence", async () => {
    const line = ["check", "--arch", "armv7", "--strategy", "nosync", "--fetch", "a32"];
    const { code, err } = await cmodx([...line, "--from", fixture("patchsites.armv7-t32.elf")]);
    expect(code).toBe(2);
    expect(err).toContain("use the fetch model t32");
  });
});

test("scan reports what straddles words", async () => {
  const { document } = await json(["scan", fixture("patchsites.armv7-t32.elf"), fixture("patchsites.armv7-a32.elf")]);
  const hazards = document.files.map((file: { hazards: { [kind: string]: number } }) => file.hazards.misaligned ?? 0);
  expect(hazards[0]).toBeGreaterThan(0);
  expect(hazards[1]).toBe(0);
});

test("a strategy's site can differ by fetch model", async () => {
  const site = async (fetch: string): Promise<string> =>
    (await cmodx(`check --arch armv7 --strategy ftrace --cpus 2 --fetch ${fetch}`)).out;
  expect(await site("a32")).toContain("[04d08de2]");
  expect(await site("t32")).toContain("[0df1040d]");
});
