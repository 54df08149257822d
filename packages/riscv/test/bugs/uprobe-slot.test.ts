import {
  claim,
  createSimulation,
  emulate,
  eq,
  freeCode,
  type Line,
  load,
  local,
  mapCode,
  type PatchStrategy,
  set,
  store,
  syncCore,
  syncCores,
  toHex,
  when,
} from "@cmodx/core";
import { riscv } from "@cmodx/riscv";
import { describe, expect, it } from "vitest";

/*
 * riscv 7d1d19a11cfb: a uprobe runs the instruction that its breakpoint replaced in a slot of its own, which the handler fills on the hart
 * that then goes there. Without a FENCE.I that hart may run what an earlier probe left in the slot.
 */

const AT = riscv().base;
const SLOT = AT + 0x400n;
const back = `j 0x${(AT + 4n).toString(16)}`;
const toSlot = riscv().instructionSet.assemble(`j 0x${SLOT.toString(16)}`, AT);

const handler = (fence: boolean): readonly Line[] => [
  load("handler-look", "slot", "slot"),
  when("handler-first", eq(local("slot"), "empty"), [
    mapCode("handler-copy", SLOT, `nop+${back}`),
    set("handler-full", "slot", "full"),
  ]),
  ...(fence ? [syncCore("handler-fence", "arch_uprobe_copy_ixol, flush_icache_range")] : []),
  emulate("handler-to-slot", toHex(toSlot)),
  claim("handler-claim"),
];

const uprobe = (fence: boolean): PatchStrategy => ({
  id: fence ? "uprobe" : "uprobe-without-fence",
  summary: "a uprobe whose instruction runs in a slot",
  source: "arch_uprobe_copy_ixol, arch/riscv/kernel/probes/uprobes.c, before and since 7d1d19a11cfb",
  architectures: ["riscv"],
  defaultSite: "nop:ebreak",
  promises: [],
  plan: ({ sites }) => ({
    main: [
      freeCode("unregister", SLOT, 8, "the slot of an earlier probe"),
      ...sites.map((site) => store("write-ebreak", site.address, site.next, { width: 4 })),
      syncCores("sync", "all harts now fetch the breakpoint"),
    ],
    traps: { ebreak: handler(fence) },
    words: { slot: "empty" },
  }),
});

const check = (fence: boolean, memory: "sequential" | "architectural") =>
  createSimulation({ architecture: riscv({ fetch: "ziccif" }) }).check({
    name: "a uprobe",
    sites: [{ address: AT, old: "nop", new: "ebreak" }],
    patchers: [{ strategy: uprobe(fence), sites: [0], flips: 1 }],
    blocks: [{ address: SLOT, code: `addi a0, a0, 1+${back}` }],
    // Only the handler says that the slot is there: nobody goes to it before.
    executors: [{ entries: [AT] }],
    cpus: 2,
    memory,
    properties: ["old-or-new", "trap-owned", "lifetime", "fault", "progress"],
  });

describe.each(["sequential", "architectural"] as const)("riscv 7d1d19a11cfb, %s memory", (memory) => {
  it("the hart runs what an earlier probe left in the slot", async () => {
    expect(await check(false, memory)).toMatchObject({ verdict: "unsafe", property: "lifetime" });
  });

  it("a FENCE.I behind the copy mends it", async () => {
    const verdict = await check(true, memory);
    expect(verdict.verdict === "unsafe" ? verdict.why : verdict.verdict).toBe("safe");
  });
});
