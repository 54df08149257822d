import { claim, emulate, local, lookup, ne, set, store, syncCores, toHex, when } from "@cmodx/core";

/** @typedef {import("@cmodx/core").PatchStrategy} PatchStrategy */

/** @param {readonly import("@cmodx/core").FlipSite[]} sites */
const noTail = (sites) => sites.some((site) => site.next.length < 2);

/**
 * "Write the tail first and publish it with the first byte": the order that comes to mind before the breakpoint does.
 *
 * @returns {PatchStrategy}
 */
export const firstByteLast = () => ({
  id: "first-byte-last",
  summary: "the tail is written and synchronised before the first byte",
  source: "the order of LLVM XRay's sleds, whose tail nobody executes before the first bytes are there",
  architectures: ["x86"],
  defaultSite: "nop5:call",
  promises: ["old-or-new", "mid-sequence", "done", "progress", "rule"],
  plan: ({ sites }) =>
    noTail(sites)
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

/**
 * The same behind a breakpoint, whose handler gives whoever traps the effect of the new instruction. The handler finds it in a shared
 * word, which the program declares and other programs can see.
 *
 * @returns {PatchStrategy}
 */
export const behindBreakpoint = () => ({
  id: "behind-breakpoint",
  summary: "the tail and then the first byte are written behind a breakpoint",
  source: "first-byte-last, and what was wrong with it",
  architectures: ["x86"],
  defaultSite: "nop5:call",
  promises: [...firstByteLast().promises, "emulation"],
  plan: ({ sites }) =>
    noTail(sites)
      ? { impossible: "an instruction of one byte has no tail." }
      : {
          main: [
            set(
              "know",
              "patched",
              sites.map(({ address, next }) => ({ address, bytes: toHex(next) })),
            ),
            ...sites.map((site, i) => store(`write-int3.${i}`, site.address, [0xcc])),
            syncCores("sync-1", "all CPUs now fetch the breakpoint"),
            ...sites.map((site, i) => store(`write-tail.${i}`, site.address + 1n, site.next.slice(1), { width: 4 })),
            syncCores("sync-2", "all CPUs now fetch the new tail"),
            ...sites.map((site, i) => store(`write-first.${i}`, site.address, site.next.slice(0, 1))),
            syncCores("sync-3", "all CPUs now fetch the new instruction, and their handlers have ended"),
            set("forget", "patched", []),
          ],
          traps: {
            int3: [
              lookup("find", "patched", "bytes", "the new instruction at the trap's address"),
              when("ours", ne(local("bytes"), null), [emulate("emulate", local("bytes")), claim()]),
            ],
          },
          words: { patched: [] },
        },
});

/** What `cmodx --plugin` loads. */
export default { strategies: [firstByteLast(), behindBreakpoint()] };
