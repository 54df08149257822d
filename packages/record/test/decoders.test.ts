import { createSimulation, type Decoder, type Scenario } from "@cmodx/core";
import { x86 } from "@cmodx/x86";
import { describe, expect, it } from "vitest";
import { type EventPlace, places, withEventAfter } from "./events.js";

/** The verdict of `trace` on int3 with its event behind a step. */
const verdictOf = async (step: EventPlace, decoder: Decoder, fetch: string) => {
  const architecture = x86({ fetch });
  const scenario: Scenario = {
    name: "event",
    sites: [{ address: architecture.base, old: "nop5", new: "call" }],
    patchers: [{ strategy: withEventAfter(step), sites: [0], flips: 2 }],
    cpus: 2,
    decoder,
    properties: ["trace"],
  };
  const verdict = await createSimulation({ architecture }).check(scenario);
  expect(verdict.decoder).toBe(decoder);
  return verdict;
};

const verdicts = async (decoder: Decoder, fetch: string, steps: readonly EventPlace[] = places) =>
  Object.fromEntries(
    await Promise.all(steps.map(async (step) => [step, (await verdictOf(step, decoder, fetch)).verdict] as const)),
  );

describe("where the event stands in int3", () => {
  it("a decoder of packets follows only from the first store to the synchronisation before the last", async () => {
    // tools.record.ts compares each of these with what perf makes of runs.
    expect(await verdicts("packets", "coherent")).toEqual({
      null: "unsafe",
      "write-int3": "safe",
      "sync-1": "safe",
      "write-tail": "safe",
      "sync-2": "unsafe",
      "write-first": "unsafe",
      "sync-3": "unsafe",
    });
  });

  it("one of instants differs there alone where no packet comes between the event and the new code", async () => {
    expect(await verdicts("instants", "coherent", ["write-tail", "sync-2", "write-first"])).toEqual({
      "write-tail": "safe",
      "sync-2": "safe",
      "write-first": "unsafe",
    });
  });

  it("where fetches may be stale both need the first synchronisation before it", async () => {
    for (const decoder of ["packets", "instants"] as const)
      expect(await verdicts(decoder, "intel", ["write-int3", "sync-1"])).toEqual({
        "write-int3": "unsafe",
        "sync-1": "safe",
      });
  });

  it("the counterexample says that the decoder lags behind its CPU's packets", async () => {
    const verdict = await verdictOf("sync-2", "packets", "coherent");
    expect(verdict).toMatchObject({
      verdict: "unsafe",
      why: expect.stringContaining(
        "by the events published before this CPU's last packet a decoder takes it for another",
      ),
    });
  });
});
