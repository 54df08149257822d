import { store } from "@cmodx/core";

/**
 * How our JIT sends a call elsewhere while other threads run it: one 4-byte store over the displacement, nothing else. Callers may see
 * the old target for a while.
 *
 * @returns {import("@cmodx/core").PatchStrategy}
 */
export const retarget = () => ({
  id: "retarget",
  summary: "one store over the displacement of a call",
  source: "CodePatcher::retarget of our JIT",
  architectures: ["x86"],
  defaultSite: "call:call .+0x2000000",
  // Not `done`: nobody waits until all threads call the new target.
  promises: ["old-or-new", "mid-sequence", "progress"],
  plan: ({ sites }) => ({
    main: sites.map((site, i) => store(`write.${i}`, site.address + 1n, site.next.slice(1), { width: 4 })),
  }),
});
