import { int3, int3Batch } from "@cmodx/x86";
import { describe, expect, it } from "vitest";
import { answers, CROSSING, environments, profiles } from "./check.js";

const safe = Object.fromEntries(profiles.map((profile) => [profile, "safe"]));

describe.each([
  ["int3", int3({ events: true })],
  ["int3-batch", int3Batch({ events: true })],
])("a trace decoder can always tell what %s made a CPU run", (_, strategy) => {
  it.each(environments)(
    "with %s",
    async (_, environment) => {
      for (const offset of [0, CROSSING])
        expect(await answers(strategy, { ...environment, offset }), `${offset}`).toEqual(safe);
    },
    60_000,
  );
});
