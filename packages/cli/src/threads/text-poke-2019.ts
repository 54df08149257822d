import { AUTHOR, asked, figures, REVIEWER, refused, safe, type Thread, unsafe, unsaid, vacuous } from "./claim.js";

const MAINTAINER = "an arm64 maintainer";
const ARM64 = "check --arch arm64 --strategy";

/** Text-poke events: what a decoder of a trace knows of code that changes. */
export const textPoke2019: Thread = {
  id: "2019",
  title: "[PATCH RFC 1/6] perf/x86: Add perf text poke event",
  source: "LKML",
  date: "replies of 31 October and 1 November 2019",
  claims: [
    asked(
      "T19-1",
      MAINTAINER,
      "ftrace and jump labels patch arm64 by a single store, without synchronising the others.",
      [safe(`${ARM64} nosync`), safe(`${ARM64} nosync-ipi`)],
    ),
    asked(
      "T19-2",
      MAINTAINER,
      "Kprobes patch under stop_machine.",
      [safe(`${ARM64} stop-machine`)],
      "What writes is asked; arm64's probe itself, with its BRK and its slot, is not a strategy yet.",
    ),
    asked(
      "T19-3",
      MAINTAINER,
      "Under stop_machine an event says without doubt what ran before and after it.",
      [safe(`${ARM64} event-switch --property trace`), unsafe(`${ARM64} event-switch --nmi --cpus 2`, "trace")],
      "True of tasks and IRQs. stop_machine does not stop NMIs (here: pseudo-NMIs): one that runs the site between store and event is decoded wrongly, which the thread does not consider.",
    ),
    asked("T19-4", REVIEWER, "32-bit ARM always stops the machine, though a single store would do there too.", [
      safe("check --arch armv7 --strategy nosync --site nop:b"),
    ]),
    asked(
      "T19-5",
      REVIEWER,
      "An event comes first, another CPU runs the NOP, then comes the write: the trace is wrong.",
      [unsafe("gallery 2019", "trace"), vacuous(`${ARM64} nosync --property trace`)],
      "The gallery's entry publishes events around the store. The strategy alone publishes none, so that its trace cannot be asked for: vacuous, never safe.",
    ),
    asked(
      "T19-6",
      AUTHOR,
      "x86 has no such problem: while INT3 stands there the decoder sees that the instruction is neither.",
      [
        safe("check --strategy int3 --option events --property trace --cpus 2"),
        vacuous("check --strategy int3 --property trace --cpus 2"),
      ],
      "Without --option events nothing is published, and there is nothing to judge.",
    ),
    unsaid(
      "T19-7",
      MAINTAINER,
      "ftrace's own stores are racy for a decoder too.",
      "call-ops and direct-call publish no events.",
    ),
    asked("T19-8", MAINTAINER, "An event before and one after leave a time in which either instruction may run.", [
      unsafe("gallery 2019", "trace"),
    ]),
    asked(
      "T19-9",
      REVIEWER,
      "Unless the decoder tries both and sees which of them the rest of the trace fits.",
      [unsafe("gallery 2019", "trace")],
      "`trace` grants that: what is open is owed until the end of the change, and a branch pays. A NOP that becomes a branch to the next instruction leaves nothing to see.",
    ),
    asked("T19-10", MAINTAINER, "First way out: stop_machine for jump labels.", [safe(`${ARM64} stop-machine`)]),
    asked(
      "T19-11",
      REVIEWER,
      "That costs too much where keys flip often.",
      [figures("patch --arch arm64 --sites 100 --strategy stop-machine,nosync-ipi --cpus 128")],
      "It prints the time of the call, what the other CPUs lose and the longest pause, in simulated nanoseconds of a cost model (docs/cost.md). Whether that is too much is no verdict.",
    ),
    asked(
      "T19-12",
      MAINTAINER,
      "Stop the machine only while somebody listens to events, and store as before otherwise.",
      [safe(`${ARM64} event-switch`), safe(`${ARM64} event-switch --option events=false`)],
      "Each branch for itself; that somebody begins to listen in the middle of a change is not modelled.",
    ),
    asked(
      "T19-13",
      REVIEWER,
      "Second way out: BRK, and a handler that emulates.",
      [unsafe(`${ARM64} brk-emulate --cpus 2`, "trace"), safe(`${ARM64} brk-emulate-synced`)],
      "As sketched it does not help: a CPU that has not synchronised fetches the old instruction after the BRK was stored. It needs a round of synchronisations after the BRK, as INT3 has on x86.",
    ),
    asked(
      "T19-14",
      REVIEWER,
      "With 100 CPUs and more the breakpoint is the faster way.",
      [
        figures("patch --arch arm64 --sites 100 --strategy stop-machine,brk-emulate-synced --cpus 128"),
        safe(`${ARM64} brk-emulate-synced --cpus any`),
      ],
      "In the built-in cost model one stop for all sites takes less time than two rounds and the traps between, but the other CPUs lose far more of theirs, and each pauses for the whole of it. So it is faster for those who run the code, not for who patches it.",
    ),
    asked(
      "T19-15",
      MAINTAINER,
      "The address for the handler has to be stored with release before the BRK.",
      [
        unsafe(`${ARM64} brk-emulate-synced --drop write-brk-map --memory architectural`, "trap-owned"),
        safe(`${ARM64} brk-emulate-synced --memory architectural`),
      ],
      "What keeps the address before the BRK is, in the whole program, also the barrier with which the text is mapped: leave that out and a trap finds no owner.",
    ),
    asked("T19-16", MAINTAINER, "An address that is not aligned to a word is refused.", [
      refused(`${ARM64} nosync --offset 2`),
    ]),
    asked(
      "T19-17",
      MAINTAINER,
      "The handler loads the address with acquire and compares; another address is not ours.",
      [unsafe("gallery 2019-addr", "trap-owned")],
      "With one address for several sites a late trap belongs to nobody.",
    ),
    asked("T19-18", MAINTAINER, "A bare store is allowed among a few instructions only.", [
      unsafe(`${ARM64} nosync --site nop:ret`, "rule"),
    ]),
    asked("T19-19", MAINTAINER, "Only the instructions that are really used need to be emulated.", [
      refused(`${ARM64} brk-emulate-synced --site nop:ret`),
    ]),
  ],
};
