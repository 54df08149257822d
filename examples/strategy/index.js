import { store, syncCores } from "@cmodx/core";

/**
 * "Write the tail first and publish it with the first byte": the order that comes to mind before the breakpoint does.
 *
 * @returns {import("@cmodx/core").PatchStrategy}
 */
export const firstByteLast = () => ({
  id: "first-byte-last",
  summary: "the tail is written and synchronised before the first byte",
  source: "the order of LLVM XRay's sleds, whose tail nobody executes before the first bytes are there",
  architectures: ["x86"],
  defaultSite: "nop5:call",
  promises: ["old-or-new", "mid-sequence", "done", "progress", "rule"],
  plan: ({ sites }) =>
    sites.some((site) => site.next.length < 2)
      ? { impossible: "an instruction of one byte has no tail." }
      : {
          main: [
            ...sites.map((site, i) => store(`write-tail.${i}`, site.address + 1n, site.next.slice(1), { width: 4 })),
            syncCores("sync-1", "all CPUs now fetch the new tail"),
            ...sites.map((site, i) => store(`write-first.${i}`, site.address, site.next.slice(0, 1))),
            syncCores("sync-2", "all CPUs now fetch the new instruction"),
          ],
        },
});

/** What `cmodx --plugin` loads. */
export default { strategies: [firstByteLast()] };
