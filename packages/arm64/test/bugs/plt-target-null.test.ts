import { arm64, nosyncIpi } from "@cmodx/arm64";
import { createSimulation, lock, type PatchProgram, type PatchStrategy, storeData, unlock } from "@cmodx/core";
import { describe, expect, it } from "vitest";

/*
 * s390 6a5abf8cf182: a BPF program's call site is a branch to a PLT, which loads its target and goes there. To detach it, the target was
 * set to NULL before the branch became a no-operation, and who had taken the branch already went to 0.
 */

const AT = arm64().base;
const PLT = AT + 0x100n;
const TARGET = AT + 0x180n;
const FUNCTION = AT + 0x200n;

const littleEndian = (value: bigint): readonly number[] =>
  Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn));

/** `bpf_arch_text_poke` with `new_addr == NULL`. `clears`: the target of the PLT too. */
const detach = (clears: boolean): PatchStrategy => {
  const nosync = nosyncIpi();
  return {
    ...nosync,
    id: clears ? "detach-and-clear" : "detach",
    plan(flip, context) {
      const planned = nosync.plan(flip, context);
      if ("impossible" in planned) return planned;
      const main = [
        lock("poke-lock", "text_mutex"),
        ...(clears ? [storeData("clear-target", TARGET, littleEndian(0n))] : []),
        ...planned.main,
        unlock("poke-unlock", "text_mutex"),
      ];
      return { ...planned, main } satisfies PatchProgram;
    },
  };
};

const check = (clears: boolean, memory: "sequential" | "architectural") =>
  createSimulation({ architecture: arm64({ fetch: "idc" }) }).check({
    name: "a BPF program is detached",
    sites: [{ address: AT, old: `b 0x${PLT.toString(16)}`, new: "nop" }],
    patchers: [{ strategy: detach(clears), sites: [0], flips: 1 }],
    blocks: [
      { address: PLT, code: `ldr x16, 0x${TARGET.toString(16)}+br x16` },
      { address: FUNCTION, code: "ret" },
    ],
    data: [{ address: TARGET, bytes: littleEndian(FUNCTION) }],
    cpus: 2,
    memory,
  });

describe.each(["sequential", "architectural"] as const)("s390 6a5abf8cf182, %s memory", (memory) => {
  it("who stands in the PLT goes to 0", async () => {
    expect(await check(true, memory)).toMatchObject({ verdict: "unsafe", property: "fault" });
  });

  it("a target that is left alone harms nobody", async () => {
    expect((await check(false, memory)).verdict).toBe("safe");
  });
});
