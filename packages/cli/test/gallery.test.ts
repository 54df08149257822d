import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gallery } from "@cmodx/gallery";
import { describe, expect, test } from "vitest";
import { cmodx, json, root, widest } from "./harness.js";

const ids = gallery.map(({ id }) => id);

describe("cmodx gallery", () => {
  test("lists every entry with what it breaks, how long that takes, and its fix", async () => {
    const { code, out, err } = await cmodx("gallery");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    // A title that is too long goes on in lines without an id.
    const lines = out
      .slice(0, out.indexOf("\n\n"))
      .split("\n")
      .filter((line) => !line.startsWith(" "));
    expect(lines[0]).toMatch(/^id +breaks +steps +fix +what was wrong$/);
    expect(lines.slice(1).map((line) => line.split(" ")[0])).toEqual(ids);
    expect(lines[2]).toMatch(/^2 +lifetime +34 +safe {2}The vector is cleared while a handler is about to search it$/);
    expect(out).toContain(`${ids.length} of ${ids.length} entries are as expected`);
    expect(widest(out)).toBeLessThanOrEqual(100);
  });

  test("--json gives one document, without the counterexamples", async () => {
    const { code, document } = await json("gallery");
    expect(code).toBe(0);
    expect(document.schema).toBe("cmodx/gallery/1");
    expect(document.entries.map(({ id }: { readonly id: string }) => id)).toEqual(ids);
    for (const [i, entry] of document.entries.entries()) {
      const { title, property, source, architecture } = gallery[i] as (typeof gallery)[number];
      expect(entry).toMatchObject({ title, source, property, expected: property, wrong: "unsafe", fixed: "safe" });
      expect(entry).toMatchObject({ status: "as expected", complaints: [], counterexample: null });
      expect(entry.architecture).toBe(architecture().id);
      expect(entry.length).toBeGreaterThan(3);
    }
    expect(document.entries.find(({ id }: { readonly id: string }) => id === "6").fetch).toBe("intel+late-trap");
  });

  test("tells the story of one: the bug, the timeline, the verdict on the fix", async () => {
    const { code, out, err } = await cmodx("gallery 2");
    expect({ code, err }).toEqual({ code: 0, err: "" });
    for (const part of [
      /^2 {2}The vector is cleared while a handler is about to search it\n/,
      /\nBug {9}Every INT3 asks/,
      /\nFix {9}Another round of interrupts/,
      /\nSource {6}Linux 285a54efe386, fixes c0213b0ac03c\n/,
      /\nMachine {5}x86, intel; 2 CPUs, 1 flip\n/,
      /\nUNSAFE {2}the bug, the vector is cleared at once: breaks lifetime\n/,
      /handler-nr: loads nr_entries = 1\n[\s\S]*clear-vec: frees vec\n[\s\S]*handler-search: loads vec, which was freed\n/,
      /\nlifetime {6}The word vec was loaded after it had been freed\.\n/,
      /\nSAFE {2}the fix, the vector is cleared when the handlers have ended: no interleaving/,
    ])
      expect(out).toMatch(part);
    expect(widest(out)).toBeLessThanOrEqual(100);
  });

  test("all stories fit the width", async () => {
    const { code, out } = await cmodx(["gallery", ...ids]);
    expect(code).toBe(0);
    expect(widest(out)).toBeLessThanOrEqual(100);
  });

  test("a number stands for all sides of its entry, and each is told once", async () => {
    const { document } = await json("gallery 12 12-removal 1");
    expect(document.entries.map(({ id }: { readonly id: string }) => id)).toEqual(["12", "12-removal", "1"]);
    for (const { counterexample, length } of document.entries) {
      expect(counterexample.steps).toHaveLength(length);
      expect(counterexample.shortest).toBe(true);
    }
  });

  test("colours are for terminals", async () => {
    const code = String.fromCharCode(27);
    expect((await cmodx("gallery 9", { color: true })).out).toContain(`${code}[`);
    expect((await cmodx("gallery 9")).out).not.toContain(code);
  });

  test("an entry that is not there is refused in one sentence", async () => {
    const { code, out, err } = await cmodx("gallery 2 4");
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toBe(`cmodx: The gallery has no entry 4; it has ${ids.slice(0, -1).join(", ")} and ${ids.at(-1)}.\n`);
    const refused = await json("gallery 4");
    expect(refused).toMatchObject({ code: 2, document: { schema: "cmodx/error/1", place: "ids" } });
  });

  test("what a limit or the user ends is undecided", async () => {
    const limited = await json("gallery 2 --max-states 10");
    expect(limited).toMatchObject({ code: 3, document: { entries: [{ status: "undecided", wrong: "inconclusive" }] } });
    const told = await cmodx("gallery 2 --max-states 10");
    expect(told.out).toContain("INCONCLUSIVE  the bug, the vector is cleared at once: The limit of 10 states was");
    expect(told.out).toContain("Unexpected  The bug was not found");
    const interrupted = await cmodx("gallery", { signal: AbortSignal.abort() });
    expect(interrupted.code).toBe(3);
    expect(interrupted.out).toContain(`0 of ${ids.length} entries`);
    expect(interrupted.out).toMatch(/\ninterrupted: not all entries were judged\n$/);
    expect((await json("gallery", { signal: AbortSignal.abort() })).document).toMatchObject({
      entries: [],
      interrupted: true,
    });
  });
});

test("docs/gallery.md says of each entry what the machine says", async () => {
  const page = readFileSync(join(root, "docs/gallery.md"), "utf8");
  const flat = page.replace(/\s+/g, " ");
  const { document } = await json("gallery");
  for (const { id, title, property, length, source } of document.entries) {
    expect(page).toContain(`\n| ${id} | ${title} | ${property} | ${length} | ${source} |\n`);
    expect(page).toContain(`\n### ${id}: ${title}\n`);
  }
  for (const { bug, fix } of gallery) expect(flat).toContain(`${bug} **Fix.** ${fix} **Scenario.** `);
});

test("check and list know late traps", async () => {
  const late = await json("check --strategy int3 --site nop5:jmp --cpus 2 --flips 1 --fetch intel+late-trap");
  expect(late).toMatchObject({
    code: 1,
    document: { property: "trap-owned", bounds: { fetch: { id: "intel+late-trap" } } },
  });
  expect((await cmodx("list")).out).toMatch(/\n {2}…\+late-trap +the delivery of a trap may lag/);
  const unknown = await cmodx("check --strategy int3 --fetch zen");
  expect(unknown.err).toBe(
    "cmodx: x86 has no fetch model zen; it has intel, intel-otc, amd, amd-ordered, coherent, and each of them with +late-trap behind it.\n",
  );
});
