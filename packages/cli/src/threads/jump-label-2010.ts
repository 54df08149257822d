import { AUTHOR, asked, REVIEWER, refused, safe, type Thread, unsafe, unsaid } from "./claim.js";

const FIXUP = "check --strategy int3-2010 --cpus 2";
const NINE = "check --strategy int3-2010-nine --cpus 2";

/** Jump labels without stop_machine: the fix-up of 2010. */
export const jumpLabel2010: Thread = {
  id: "2010",
  title: "[RFC PATCH 2/8] jump label v4 - x86: Introduce generic jump patching without stop_machine",
  source: "LKML",
  date: "January 2010",
  claims: [
    asked("T10-1", AUTHOR, "text_poke_fixup in five steps is safe: INT3, synchronise, tail, synchronise, first byte.", [
      safe(FIXUP),
    ]),
    asked(
      "T10-2",
      "who reports from Intel",
      "Intel's Open Source Technology Center says that the synchronisation after the tail is not needed.",
      [unsafe(`${FIXUP} --drop sync-2 --fetch intel`, "old-or-new"), safe(`${FIXUP} --drop sync-2 --fetch intel-otc`)],
      "Not by the manual; by what was said in the thread, which is the fetch model intel-otc, yes.",
    ),
    asked(
      "T10-3",
      REVIEWER,
      "Are pairs of wmb and rmb needed? The rmb has no function.",
      [
        safe(`${NINE} --memory architectural --fetch intel-otc`),
        safe(`${NINE} --memory architectural --fetch intel-otc --drop wmb-int3,wmb-tail`),
      ],
      "Under x86's order (--memory architectural) neither wmb does anything, and with it no rmb could: loads and stores stay in order each, and an exception synchronises. An rmb cannot be added to the handler, since x86 has no step for it that would change anything.",
    ),
    asked("T10-4", AUTHOR, "To synchronise means an IPI to every CPU that has returned by IRET.", [
      safe(FIXUP),
      unsafe(`${FIXUP} --drop sync-3`, "trap-owned"),
    ]),
    asked(
      "T10-5",
      REVIEWER,
      "The handler of that IPI acknowledges before its IRET; is a barrier enough?",
      [safe(`${FIXUP} --option ackBeforeIret`), unsafe(`${FIXUP} --option ackBeforeIret --nmi`, "old-or-new")],
      "Enough for tasks: what synchronises is the IRET, before the task goes on. An NMI between acknowledgement and IRET runs the site unsynchronised.",
    ),
    asked(
      "T10-6",
      AUTHOR,
      "If the handler stays, nobody needs to wait for those that run.",
      [safe(`${FIXUP} --option keepHandler`)],
      "True for one site.",
    ),
    asked("T10-7", REVIEWER, "NMIs come into this window too.", [
      safe(`${FIXUP} --drop sync-2 --fetch intel-otc --nmi`),
    ]),
    asked(
      "T10-8",
      REVIEWER,
      "Breakpoints inside NMI handlers need changes of the entry code: IRET unblocks NMIs.",
      [
        safe("check --strategy int3 --cpus 2 --nmi --flips 1"),
        unsafe("check --strategy int3 --cpus 2 --nmi --nested-iret unguarded --flips 1", "fault"),
      ],
      "With the entry code of today (guarded) it is safe. Without, the next NMI overwrites the first one's frame.",
    ),
    asked(
      "T10-9",
      AUTHOR,
      "The IPIs at the end of step 4 also end all handlers.",
      [unsafe(`${FIXUP} --drop sync-3`, "trap-owned")],
      "They are needed for that: without them a trap finds no owner.",
    ),
    asked(
      "T10-10",
      REVIEWER,
      "Let the handler stay, and one IPI for each poke is enough.",
      [
        safe(`${FIXUP} --drop sync-2,sync-3,clear-fixup --fetch intel-otc`),
        safe(`${FIXUP} --drop sync-2,sync-3,clear-fixup --fetch amd`),
        unsafe(`${FIXUP} --drop sync-2,sync-3,clear-fixup --fetch intel`, "old-or-new"),
      ],
      "One against three: enough on machines that order the tail behind a synchronised INT3 (intel-otc), and with amd's whole quadwords; not by Intel's manual.",
    ),
    unsaid(
      "T10-11",
      REVIEWER,
      "It costs two compares in every #BP.",
      "handlers have a cost as a whole, not for each compare (docs/cost.md).",
    ),
    asked(
      "T10-12",
      REVIEWER,
      "How is the handler used again for the next site?",
      [safe(FIXUP), safe(`${FIXUP} --option sharedSlot=false`)],
      "With one site both are safe. That a shared pair of addresses which stays (keepHandler) loses a trap at the site before is seen with two sites, in a scenario module.",
    ),
    asked("T10-13", AUTHOR, "The fix-up has to be cleared, and only when all handlers have ended.", [
      unsafe(`${FIXUP} --option clearEarly`, "trap-owned"),
    ]),
    asked(
      "T10-14",
      "the maintainer of kprobes",
      "The nine steps: is this correct?",
      [
        unsafe(`${NINE} --fetch intel`, "old-or-new"),
        safe(`${NINE} --fetch intel-otc`),
        safe(`${NINE} --fetch coherent`),
      ],
      "Not by the manual: between tail and first byte nothing synchronises, and a CPU may run the new first byte with an old tail. Correct with what Intel said since, and on measured machines.",
    ),
    asked("T10-15", AUTHOR, "The handler only jumps, so that jumps alone can be patched.", [
      refused(`${FIXUP} --site nop5:call`),
    ]),
    asked(
      "T10-16",
      AUTHOR,
      "text_mutex is held.",
      [unsafe("gallery 26", "exclusive")],
      "What happens when it is not is shown by RISC-V's history.",
    ),
  ],
};
