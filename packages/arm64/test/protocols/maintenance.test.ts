import { nosync, nosyncIpi } from "@cmodx/arm64";
import { type PatchStrategy, storePromises } from "@cmodx/core";
import { describe, expect, it } from "vitest";
import { answer, cacheTypes, check, profiles } from "./check.js";

/** A strategy that cleans and invalidates whatever the cache-type register says. */
const maintaining = (strategy: PatchStrategy): PatchStrategy => ({
  ...strategy,
  plan: (flip, context) => strategy.plan(flip, { ...context, reports: {} }),
});

describe("maintenance that the cache type does not need", () => {
  it.each(profiles)("changes no verdict under %s", async (profile) => {
    const eager = { ...nosync(), promises: storePromises };
    for (const strategy of [nosyncIpi(), eager])
      expect(answer(await check(profile, maintaining(strategy)))).toBe(answer(await check(profile, strategy)));
  });

  it.each(cacheTypes)("changes no verdict under %s in the architectural order", async (type) => {
    expect(answer(await check(type, maintaining(nosyncIpi()), { memory: "architectural" }))).toBe("safe");
  });
});

describe("the barriers around the maintenance, in the architectural order", () => {
  const without = async (type: string, ...drop: readonly string[]): Promise<string> =>
    answer(await check(type, nosyncIpi(), { memory: "architectural", patcher: { flips: 1, drop } }));

  it("hold a clean before the invalidation that is to find what it cleaned", async () => {
    expect(await without("none", "write-dsb-clean")).toBe("unsafe: done");
    expect(await without("none", "write-clean")).toBe("unsafe: done");
    // A clean comes behind the store of its line anyway.
    expect(await without("none", "write-unmap")).toBe("safe");
  });

  it("hold a store before the invalidation where nothing is cleaned: one of two is enough", async () => {
    expect(await without("idc", "write-unmap")).toBe("safe");
    expect(await without("idc", "write-dsb-store")).toBe("safe");
    expect(await without("idc", "write-unmap", "write-dsb-store")).toBe("unsafe: done");
  });

  it("complete the invalidation before the interrupt, which the DMB of its sender does not", async () => {
    for (const type of ["none", "idc"]) {
      expect(await without(type, "write-dsb-invalidate"), type).toBe("unsafe: done");
      expect(await without(type, "kick-mb"), type).toBe("safe");
    }
  });

  it("show a store before the interrupt where nothing is maintained: one of three is enough", async () => {
    const barriers = ["write-unmap", "write-dsb-store", "kick-mb"];
    expect(await without("idc+dic", ...barriers)).toBe("unsafe: done");
    for (const kept of barriers)
      expect(await without("idc+dic", ...barriers.filter((id) => id !== kept)), kept).toBe("safe");
  });
});
