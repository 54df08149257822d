import {
  claim,
  createSimulation,
  emulate,
  type Line,
  local,
  lookup,
  ne,
  type PatchStrategy,
  set,
  stopMachine,
  store,
  syncCore,
  toHex,
  when,
} from "@cmodx/core";
import { riscv } from "@cmodx/riscv";
import { describe, expect, it } from "vitest";

/*
 * LoongArch e3ef9a28f558: a kprobe is armed by a breakpoint, and only the CPU that wrote it executes an IBAR. Others go on with what they
 * fetched ahead, so that the probe does not fire. RISC-V's FENCE.I is like it; the caches of both are coherent.
 */

const handler: readonly Line[] = [
  lookup("handler-find", "kprobe_table", "entry", "by address"),
  when("handler-ours", ne(local("entry"), null), [emulate("handler-run", local("entry")), claim("handler-claim")]),
];

const armKprobe = (everywhere: boolean): PatchStrategy => ({
  id: everywhere ? "kprobe-stopped" : "kprobe-local",
  summary: "arms a kprobe by a breakpoint",
  source: "arch_arm_kprobe, arch/loongarch/kernel/kprobes.c, before and since e3ef9a28f558",
  architectures: ["riscv"],
  defaultSite: "nop:ebreak",
  promises: ["done"],
  plan({ sites: [site] }) {
    if (site === undefined) return { impossible: "there is no site." };
    const write = store("write", site.address, site.next, { width: 4 });
    const barrier = syncCore("barrier", "sees the breakpoint");
    return {
      main: [
        set("probe", "kprobe_table", [{ address: site.address, bytes: toHex(site.old) }]),
        ...(everywhere
          ? [stopMachine("stop", { run: [write, barrier], secondaries: [syncCore("barrier-there")] })]
          : [write, barrier]),
      ],
      traps: { ebreak: handler },
      words: { kprobe_table: [] },
    };
  },
});

const check = (everywhere: boolean) => {
  const architecture = riscv({ fetch: "ziccif" });
  return createSimulation({ architecture }).check({
    name: "a kprobe is armed",
    sites: [{ address: architecture.base, old: "nop", new: "ebreak" }],
    patchers: [{ strategy: armKprobe(everywhere), sites: [0], flips: 1 }],
    cpus: 2,
  });
};

describe("LoongArch e3ef9a28f558", () => {
  it("a barrier on one's own CPU lets another go on without the probe", async () => {
    expect(await check(false)).toMatchObject({ verdict: "unsafe", property: "done" });
  });

  it("stop_machine with a barrier everywhere does not", async () => {
    expect((await check(true)).verdict).toBe("safe");
  });
});
