import { createSimulation, type Scenario } from "@cmodx/core";
import { describe, expect, it } from "vitest";
import { int3, x86 } from "../../src/index.js";

describe("R49: the IRET of an INT3 inside the handler of an NMI lets the next NMI in", () => {
  const patching = (interrupts: Scenario["interrupts"]): Scenario => ({
    name: "int3 with NMIs",
    sites: [{ address: 0xffff_ffff_8100_0000n, old: "nop5", new: "call" }],
    patchers: [{ strategy: int3(), sites: [0], flips: 1 }],
    cpus: 2,
    ...(interrupts === undefined ? {} : { interrupts }),
  });
  const answer = async (of: Scenario): Promise<string> => {
    const verdict = await createSimulation({ architecture: x86() }).check(of);
    return verdict.verdict === "unsafe" ? `${verdict.property}: ${verdict.why}` : verdict.verdict;
  };

  it("which Linux notes, so that int3 is safe; unguarded it overwrites the first one's frame", async () => {
    expect(await answer(patching({ nmi: true }))).toBe("safe");
    expect(await answer(patching({ nmi: true, nestedIret: "guarded" }))).toBe("safe");
    expect(await answer(patching({ nmi: true, nestedIret: "unguarded" }))).toMatch(
      /^fault: The CPU stood at 0xffffffff8100\w+: an NMI comes inside the handler of another, after an inner IRET, and overwrites its frame\.$/,
    );
  });

  it("and no INT3, no IRET: a handler that calls nothing that is patched needs no guard", async () => {
    expect(await answer(patching({ nmi: { notrace: true }, nestedIret: "unguarded" }))).toBe("safe");
  });
});
