import { createSimulation, type Scenario } from "@cmodx/core";
import { describe, expect, it } from "vitest";
import { type Int3MembarrierOptions, int3Membarrier, x86 } from "../../src/index.js";

/** Two threads of a process and the one that patches, on two CPUs: one of them sleeps in a system call, or has not begun. */
const process = (options: Int3MembarrierOptions, more: Partial<Scenario> = {}): Scenario => ({
  name: "membarrier",
  sites: [{ address: 0x401000n, old: "nop5", new: "call" }],
  patchers: [{ strategy: int3Membarrier(options), sites: [0], flips: 1 }],
  executors: [{ count: 2 }],
  cpus: 2,
  preempt: true,
  ...more,
});

const answer = async (of: Scenario): Promise<string> => {
  const verdict = await createSimulation({ architecture: x86() }).check(of);
  return verdict.verdict === "unsafe"
    ? `unsafe: ${[verdict.property, ...verdict.alsoBroken].sort().join(", ")}`
    : verdict.verdict;
};

describe("R45: a thread that was not interrupted does not go on by an IRET", () => {
  it("the membarrier of today synchronises every core that such a thread may come to", async () => {
    expect(await answer(process({}))).toBe("safe");
  });

  it("until 758c9373d841 the others' cores relied on the IRET of its interrupt, before which the scheduler may go elsewhere", async () => {
    const of = process({ syncsRemote: false });
    expect(await answer(of)).toMatch(/^unsafe: .*old-or-new/);
    expect(await answer({ ...of, preempt: false, executors: [{}] })).toBe("safe");
  });

  it("until e45cdc71d1fa another thread could come to the caller's core", async () => {
    const of = process({ syncsCaller: false });
    expect(await answer(of)).toMatch(/^unsafe: .*old-or-new/);
    expect(await answer({ ...of, preempt: false, executors: [{}] })).toBe("safe");
  });

  it("strategies for user space run there unless the scenario says otherwise", () => {
    const { machine } = createSimulation({ architecture: x86() });
    expect(machine(process({})).user).toBe(true);
    expect(machine(process({}, { user: false })).user).toBe(false);
  });
});
