import { type GalleryEntry, gallery, judge } from "@cmodx/gallery";
import { describe, expect, it } from "vitest";

const [first] = gallery as readonly [GalleryEntry];
const other = gallery.find(({ id }) => id === "9") as GalleryEntry;

describe("judge asks the machine, and says what is not as expected", () => {
  it("when the bug is not found", async () => {
    const judged = await judge({ ...first, wrong: first.fixed });
    expect(judged).toMatchObject({ status: "not as expected", wrong: { verdict: "safe" } });
    expect(judged.complaints).toEqual(["The bug was not found: its scenario is safe, not unsafe with trap-owned."]);
  });

  it("when another bug is found", async () => {
    const judged = await judge({ ...first, property: "done" });
    expect(judged.status).toBe("not as expected");
    expect(judged.complaints).toEqual(["What breaks is trap-owned, not done, so it is another bug that was found."]);
  });

  it("when the fix does not hold", async () => {
    const judged = await judge({ ...first, fixed: first.wrong });
    expect(judged.status).toBe("not as expected");
    expect(judged.complaints).toEqual([
      expect.stringMatching(/^The fix does not hold: it breaks trap-owned. The int3/),
    ]);
  });

  it("when the fix is vacuous", async () => {
    const { interrupts: _, ...nobody } = first.fixed;
    const judged = await judge({ ...first, fixed: nobody });
    expect(judged.status).toBe("not as expected");
    expect(judged.complaints).toEqual(["The fix is vacuous, not safe. Nobody executed a site during a flip."]);
  });

  it("when it cannot tell", async () => {
    const judged = await judge(other, { bounds: { states: 5 } });
    expect(judged).toMatchObject({ status: "undecided", wrong: { verdict: "inconclusive" } });
    expect(judged.complaints).toHaveLength(2);
  });

  it("but what is decided against an entry stays so, whatever else is not", async () => {
    // The bug of 9 is found within so many states; its fix has more.
    const bounds = { states: 45 };
    expect(await judge(other, { bounds })).toMatchObject({ status: "undecided", wrong: { verdict: "unsafe" } });
    expect(await judge({ ...other, property: "done" }, { bounds })).toMatchObject({ status: "not as expected" });
  });
});
