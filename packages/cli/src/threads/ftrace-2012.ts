import { AUTHOR, asked, beyond, REVIEWER, safe, type Thread, unsafe, unsaid } from "./claim.js";

const ARMV7 = "check --arch armv7 --strategy";
const LIST = "`cmodx matrix --arch armv7 --pairs` goes through every pair of the list and its neighbours.";

/** ftrace on 32-bit ARM: which instructions may change under running CPUs. */
export const ftrace2012: Thread = {
  id: "2012",
  title: "[PATCH] ARM: ftrace: Ensure code modifications are synchronised across all cpus",
  source: "linux-arm-kernel",
  date: "10 December 2012",
  claims: [
    asked(
      "T12-1",
      REVIEWER,
      "In Thumb the 16-bit B, NOP, BKPT and SVC may replace one another while they run.",
      [
        safe(`${ARMV7} nosync --site nop:b --fetch t32`),
        unsafe(`${ARMV7} nosync --site nop.w:b.w --fetch t32`, "old-or-new"),
      ],
      LIST,
    ),
    asked(
      "T12-2",
      REVIEWER,
      "In ARM state B, BL, NOP, BKPT, SVC, HVC and SMC may.",
      [safe(`${ARMV7} nosync --site nop:b`), safe(`${ARMV7} nosync --site bl:nop`)],
      LIST,
    ),
    asked("T12-3", REVIEWER, "Kprobes replace arbitrary instructions and have to stop the system.", [
      unsafe(`${ARMV7} nosync --site 'mov r0, r1:b'`, "rule"),
      safe(`${ARMV7} stop-machine --site 'mov r0, r1:b'`),
    ]),
    asked(
      "T12-4",
      AUTHOR,
      "patch_text needs to stop the machine for a Thumb-2 instruction that straddles two words only.",
      [
        unsafe(`${ARMV7} patch-text-2012 --site nop.w:b.w --fetch t32`, "old-or-new"),
        unsafe(`${ARMV7} patch-text-2012 --site nop.w:b.w --fetch t32 --offset 2`, "old-or-new"),
      ],
      "Contradicts the author twice: within one word a CPU still fetches halfwords and may mix old and new; and where the machine is stopped, the other CPUs leave the stop without an ISB.",
    ),
    asked(
      "T12-5",
      REVIEWER,
      "Synchronise all, update, maintain caches on the writer, and execute an ISB on the others.",
      [
        safe(`${ARMV7} stop-machine --site nop.w:b.w --fetch t32 --offset 2`),
        unsafe(`${ARMV7} stop-machine-linux --site nop.w:b.w --fetch t32 --offset 2`, "old-or-new"),
      ],
      "The ISB is what Linux's own stop_machine lacks.",
    ),
    asked(
      "T12-6",
      REVIEWER,
      "Where a return from an exception leads back to the code, no ISB is needed.",
      [unsafe(`${ARMV7} probe-linux`, "rule")],
      "True, returns synchronise; but a task that slept comes back by a switch, which does not (docs/armv7.md).",
    ),
    asked("T12-7", REVIEWER, "Optimised kprobes will always need stop_machine.", [safe(`${ARMV7} optprobe --cpus 2`)]),
    asked(
      "T12-8",
      REVIEWER,
      "So do breakpoints in arbitrary places.",
      [unsafe(`${ARMV7} bkpt --site 'mov r0, r1:b'`, "rule")],
      "To put the BKPT there is such a change itself.",
    ),
    asked("T12-9", AUTHOR, "ftrace knows its places and can do without.", [safe(`${ARMV7} nosync --site bl:nop`)]),
    asked("T12-10", REVIEWER, "Tracepoints use 32-bit NOPs though 16 bits would do.", [
      safe(`${ARMV7} nosync --site nop:b --fetch t32`),
      unsafe(`${ARMV7} nosync --site nop.w:b.w --fetch t32`, "old-or-new"),
    ]),
    asked("T12-11", REVIEWER, "The NOP of jump labels is nop.w in Thumb and nop in ARM.", [
      unsafe(`${ARMV7} nosync --site nop.w:b.w --fetch t32`, "old-or-new"),
      safe(`${ARMV7} nosync --site nop:b`),
    ]),
    beyond(
      "T12-12",
      REVIEWER,
      "asm goto writes the site and its label into __jump_table.",
      "it is about how a compiler lays out a table; `cmodx scan FILE` reads that table, and `cmodx check --from FILE` takes a site from it.",
    ),
    unsaid(
      "T12-13",
      REVIEWER,
      "A static key has its unlikely code out of line, and one key many sites.",
      "a key is no object of a command line; several sites of one call are said in a scenario module (docs/scenarios.md).",
    ),
    unsaid(
      "T12-14",
      "a maintainer of tracing",
      "A tracepoint's body walks a list of probes that has a life of its own.",
      "there is no client for tracepoints: the list of probes and its RCU lifetime.",
    ),
    unsaid(
      "T12-15",
      "a maintainer of tracing",
      "Tracepoints stand anywhere in a function, without the limits of mcount.",
      "there is no client for tracepoints; a site may stand anywhere in a scenario module.",
    ),
  ],
};
