import { int3Batch, optprobe } from "@cmodx/x86";

/*
 * How two patchers become one scenario:
 *
 * - Each entry of `patchers` is a task on a CPU of its own, here CPU 0 and CPU 1; `sites` says by index which sites it changes.
 *   CPU 2 is left for an executor, which comes in at the function's first instruction and so passes all three sites.
 * - Whatever the strategies name alike is the same thing: both take the lock `text_mutex`, and two that keep their entries in
 *   `text_poke_array` share that array. What they name differently they do not share.
 * - Trap handlers are chained in the order of `patchers`. A handler that does not reach `claim` leaves the trap to the next.
 */

/** The function: a jump label over a cache line, the probed instructions, a second label of the same key. */
const LABEL = 0xffffffff_8100003an;
const PROBED = LABEL + 5n;
const SECOND = PROBED + 5n;

/** Where the labels jump when they are on, and the probe's detour. */
const OUT_OF_LINE = 0xffffffff_81000080n;
const DETOUR = 0xffffffff_81000100n;

/** The probe's second instruction: its code is `mov rax, rdi` (3 bytes) and a no-operation of 2. */
export const INSIDE_THE_PROBE = PROBED + 3n;

/** @param {bigint} address */
const hex = (address) => `0x${address.toString(16)}`;

/**
 * A probe and a batch of two jump labels, set at the same time.
 *
 * @param {object} [change] What is different from Linux.
 * @param {import("@cmodx/core").PatchStrategy} [change.probe] How the probe is set.
 * @param {string} [change.probed] The probed code, five bytes.
 * @param {bigint} [change.target] Where the first label jumps.
 * @param {string[]} [change.drop] Steps that both patchers leave out.
 * @param {boolean} [change.probeFirst] The probe's trap handler is asked before the labels'.
 * @returns {import("@cmodx/core").Scenario}
 */
export const probeAndLabels = ({
  probe = optprobe(),
  probed = "mov rax, rdi+nop2",
  target = OUT_OF_LINE,
  drop = [],
  probeFirst = false,
} = {}) => {
  const setLabels = { strategy: int3Batch(), sites: [0, 2], flips: 1, drop };
  const setProbe = { strategy: probe, sites: [1], flips: 1, drop };
  return {
    name: "a kprobe beside two jump labels",
    sites: [
      { address: LABEL, old: "nop5", new: `jmp ${hex(target)}` },
      { address: PROBED, old: probed, new: `jmp ${hex(DETOUR)}` },
      { address: SECOND, old: "nop2", new: `jmp8 ${hex(OUT_OF_LINE)}` },
    ],
    blocks: [
      { address: OUT_OF_LINE, code: "nop+ret" },
      { address: DETOUR, code: `${probed}+jmp ${hex(SECOND)}` },
    ],
    patchers: probeFirst ? [setProbe, setLabels] : [setLabels, setProbe],
    executors: [{ entries: [LABEL] }],
    cpus: 3,
  };
};
