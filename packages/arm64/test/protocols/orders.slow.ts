import {
  brkEmulate,
  brkEmulateSynced,
  directCall,
  eventSwitch,
  nosync,
  nosyncIpi,
  patchNosync,
  plainStore,
  stopMachine,
} from "@cmodx/arm64";
import type { PatchStrategy } from "@cmodx/core";
import { describe, expect, it } from "vitest";
import { AT, answer, cacheTypes, check, environments, type Options } from "./check.js";

/** The strategies whose words of data nobody loads while they are stored: all but those that patch literals. */
const withoutRaces = [
  plainStore(),
  plainStore({ width: 4 }),
  stopMachine(),
  nosync(),
  nosyncIpi(),
  brkEmulateSynced(),
  eventSwitch(),
  directCall(),
];

/** Code that loads before it comes to the site, so that a window holds the site's instruction while the load takes its time. */
const SLOW = AT + 0x200n;
const slow: Options = {
  blocks: [{ address: SLOW, code: `ldr x3, [x4]+b 0x${AT.toString(16)}` }],
  executors: [{ entries: [SLOW] }],
};

/** The verdicts in the sequential order and in the architectural one. */
const inBoth = async (fetch: string, strategy: PatchStrategy, options: Options): Promise<readonly [string, string]> => [
  answer(await check(fetch, strategy, { ...options, memory: "sequential" })),
  answer(await check(fetch, strategy, { ...options, memory: "architectural" })),
];

describe("the sequential and the architectural memory order agree", () => {
  it.each(withoutRaces.map((strategy) => [strategy.summary, strategy] as const))(
    "on: %s",
    async (_, strategy) => {
      for (const fetch of cacheTypes) {
        for (const [name, environment] of environments) {
          const [sequential, architectural] = await inBoth(fetch, strategy, environment);
          expect(architectural, `${fetch}, ${name}`).toBe(sequential);
        }
      }
    },
    120_000,
  );

  it("with code before the site that lets a CPU fetch ahead", async () => {
    for (const strategy of [nosync(), nosyncIpi(), brkEmulate(), brkEmulateSynced()]) {
      for (const fetch of cacheTypes) {
        const [sequential, architectural] = await inBoth(fetch, strategy, slow);
        expect(architectural, `${strategy.id}, ${fetch}`).toBe(sequential);
      }
    }
  }, 120_000);

  it("with a step of the synchronisation left out", async () => {
    const dropped: readonly (readonly [PatchStrategy, readonly string[]])[] = [
      [nosyncIpi(), ["kick-send", "kick-wait"]],
      [nosyncIpi(), ["write-clean"]],
      [nosyncIpi(), ["write-invalidate"]],
      [brkEmulateSynced(), ["kick-brk-send", "kick-brk-wait"]],
    ];
    for (const [strategy, drop] of dropped) {
      for (const fetch of cacheTypes) {
        // Where the cache type needs no maintenance there is no such step.
        if (fetch !== "none" && drop[0]?.startsWith("write")) continue;
        const [sequential, architectural] = await inBoth(fetch, strategy, { patcher: { drop } });
        expect(sequential, `${strategy.id} without ${drop}, ${fetch}`).not.toBe("safe");
        expect(architectural, `${strategy.id} without ${drop}, ${fetch}`).toBe(sequential);
      }
    }
  }, 120_000);

  it("but of two stores with an invalidation between them the sequential one knows no order where caches are maintained", async () => {
    const targetFirst: PatchStrategy = {
      ...nosync(),
      id: "target-first",
      plan: ({ sites: [site] }, context) => {
        if (site === undefined) return { impossible: "there is no site." };
        return {
          main: [
            ...patchNosync("target", site.address + 4n, site.next.slice(4), context),
            ...patchNosync("branch", site.address, site.next.slice(0, 4), context),
          ],
        };
      },
    };
    const asked: Options = { site: "b .+8+udf #0:b .+4+nop", patcher: { flips: 1 } };
    for (const fetch of ["none", "idc"])
      expect(await inBoth(fetch, targetFirst, asked), fetch).toEqual(["unsafe: mid-sequence", "safe"]);
    expect(await inBoth("idc+dic", targetFirst, asked)).toEqual(["safe", "safe"]);
  });
});
