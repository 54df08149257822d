import { createSimulation } from "@cmodx/core";
import { fetchModels, int3, x86 } from "@cmodx/x86";
import { describe, expect, test } from "vitest";

describe("int3 with IRQs, NMIs and preemption together", () => {
  test.each(fetchModels.map(({ id }) => id))(
    "is safe at a line-crossing site under %s",
    { timeout: 300_000 },
    async (fetch) => {
      const verdict = await createSimulation({ architecture: x86({ fetch }) }).check({
        name: "int3, everything on",
        sites: [{ address: 0xffffffff8100003en, old: "nop5", new: "call" }],
        patchers: [{ strategy: int3(), sites: [0], flips: 2 }],
        cpus: 2,
        interrupts: { irq: true, nmi: true },
        preempt: true,
      });
      expect(verdict).toMatchObject({ verdict: "safe" });
    },
  );
});
