import { describe, expect, test } from "vitest";
import { cmodx, folder, json } from "./harness.js";

/** A module's PLT entry is filled, cleaned and invalidated before the first branch to it is stored. */
const PLT = `export default ({ arm64 }) => ({
  name: "a module PLT",
  sites: [
    { address: 0xffff800008010100n, old: "udf 0", new: "b 0xffff800008010200" },
    { address: 0xffff800008010000n, old: "nop", new: "bl 0xffff800008010100" },
  ],
  blocks: [{ address: 0xffff800008010200n, code: "ret" }],
  patchers: [{ strategy: arm64.nosync(), sites: [0, 1], flips: 1 }],
  executors: [{ entries: [0xffff800008010000n] }],
  cpus: 2,
});
`;

describe("the memory order that decides", () => {
  const cwd = folder({ "plt.mjs": PLT });
  const line = "check --scenario plt.mjs --arch arm64";

  test("is the architectural one where the sequential one is an over-approximation, and the answer says both", async () => {
    const { code, document } = await json(line, { cwd });
    expect(code).toBe(0);
    expect(document).toMatchObject({ verdict: "safe", otherOrder: { memory: "sequential", property: "rule" } });
    expect(document.bounds.memory).toBe("architectural");
    const { out } = await cmodx(line, { cwd });
    expect(out).toMatch(/^SAFE/);
    expect(out).toContain("architectural memory");
    expect(out.replace(/\s+/g, " ")).toContain("Memory the architectural order decides. The sequential one");
  });

  test("is that which was asked for", async () => {
    const { code, document } = await json(`${line} --memory sequential --no-repair`, { cwd });
    expect(code).toBe(1);
    expect(document).toMatchObject({ verdict: "unsafe", property: "rule", otherOrder: null });
  });

  test("is told of what is unsafe in both, and a saved counterexample replays", async () => {
    const unsafe = "check --arch arm64 --strategy nosync --site nop:ret --cpus 2 --no-repair";
    const { code, document } = await json(`${unsafe} --save trace.json`, { cwd });
    expect(code).toBe(1);
    expect(document).toMatchObject({ otherOrder: { memory: "architectural", verdict: "unsafe", property: "rule" } });
    expect(document.bounds.memory).toBe("sequential");
    expect((await cmodx(unsafe)).out).toContain("Memory      the architectural order breaks rule too");
    expect((await cmodx("replay trace.json", { cwd })).code).toBe(0);
  });

  test("is the only one on x86", async () => {
    expect((await json("check --strategy plain-store --no-repair")).document.otherOrder).toBeNull();
  });
});
