import { AUTHOR, asked, beyond, type Claim, REVIEWER, safe, unsafe, unsaid } from "./claim.js";

const BUFFER =
  "it is about the locks of a data structure, the ring buffer; this machine judges code that changes, and only `@cmodx/ring-buffer` knows the pages, as files.";
const GRAPH =
  "it is about what a kernel's NMI handlers come to call, which is read off its sources; --nmi supposes that they come to a site.";
const REDO = "check --strategy nmi-redo-2008 --nmi --cpus 2";
const TRACER = "the maintainer of the function tracer";

/** What the thread of 2008 says of the ring buffer, of NMIs, and of the redo buffer that NMIs run. */
export const nmis: readonly Claim[] = [
  beyond("T08-1", AUTHOR, "The ring buffer needs less locking.", BUFFER),
  beyond("T08-2", AUTHOR, "A lock is taken only where the tail moves to the next page.", BUFFER),
  beyond("T08-3", AUTHOR, "Interrupts stay on while an event is written; only preemption is off.", BUFFER),
  unsaid(
    "T08-4",
    AUTHOR,
    "The function tracer is not reentrant and has to guard against recursion.",
    "there is no client for ftrace with a recursion guard: tracers are a call and a return.",
  ),
  beyond("T08-5", AUTHOR, "Buffers are freed when the tracer changes.", BUFFER),
  beyond("T08-6", REVIEWER, "Was the buffer safe in NMIs before, and is it without the locks?", BUFFER),
  asked(
    "T08-7",
    TRACER,
    "What NMIs call is notrace, so that it is not patched.",
    [
      safe("check --strategy stop-machine --cpus 2"),
      unsafe("check --strategy stop-machine --cpus 2 --nmi", "old-or-new"),
    ],
    "notrace on all that NMIs reach is the question without --nmi; one function that was forgotten is the question with it. It is no property of a single handler.",
  ),
  asked(
    "T08-8",
    TRACER,
    "The NMI watchdog is switched off while there is tracing.",
    [unsafe("gallery 35", "old-or-new"), safe(`${REDO} --option disableNmi`)],
    "The gallery's fix keeps NMIs off while the machine is stopped.",
  ),
  asked("T08-9", REVIEWER, "It is enough to disable the notifier of NMIs around kstop_machine.", [
    safe(`${REDO} --option disableNmi`),
  ]),
  beyond(
    "T08-10",
    REVIEWER,
    "It is not: nmi_watchdog=2, the local APIC and paravirtual kernels have code of their own.",
    GRAPH,
  ),
  beyond("T08-11", TRACER, "To mark sched_clock and in_nmi as notrace was manageable.", GRAPH),
  asked(
    "T08-12",
    REVIEWER,
    "An INT3 or a page fault inside an NMI ends with an IRET, which lets the next NMI in.",
    [
      safe("check --strategy int3 --cpus 2 --nmi --flips 1"),
      unsafe("check --strategy int3 --cpus 2 --nmi --nested-iret unguarded --flips 1", "fault"),
    ],
    "Right for kernels of 2008 (unguarded): the first NMI's frame is overwritten. Entry code that guards against it came later, and is the default.",
  ),
  asked("T08-13", TRACER, "Code must not run on another CPU while it is modified.", [
    unsafe("check --strategy plain-store --cpus 2", "old-or-new"),
  ]),
  asked("T08-14", TRACER, "kstop_machine is fine except for NMIs.", [
    safe("check --strategy stop-machine --cpus 2"),
    unsafe("check --strategy stop-machine --cpus 2 --nmi", "old-or-new"),
  ]),
  asked(
    "T08-36",
    TRACER,
    "An NMI that comes meanwhile runs the redo buffer: it writes the same bytes itself, so it never runs what is half written.",
    [unsafe(REDO, "old-or-new")],
    "Contradicts the author: the bytes are whole in memory, but the CPU of the NMI may have fetched some of them before.",
  ),
  asked(
    "T08-37",
    REVIEWER,
    "To be atomic is not to be synchronised: sync_core is needed there.",
    [unsafe(`${REDO} --option syncInNmi`, "old-or-new")],
    "Needed, and not enough: see T08-38.",
  ),
  asked("T08-38", REVIEWER, "NMIs on other CPUs race with the flag.", [
    unsafe(`${REDO} --option syncInNmi`, "old-or-new"),
  ]),
  asked(
    "T08-39",
    TRACER,
    "Set the flag first, and then wait for the NMI handlers that began before.",
    [
      unsafe(`${REDO} --option syncInNmi --option waitForNmis=after-flag`, "old-or-new"),
      safe(`${REDO} --option syncInNmi --option waitForNmis=with-flag --ignore progress`),
      unsafe(`${REDO} --option syncInNmi --option waitForNmis=with-flag`, "progress"),
    ],
    "Contradicts the author: an NMI that sees the flag redoes the write while one that began before still runs. To set the flag in a moment without NMIs is safe, but may wait for ever.",
  ),
  asked("T08-40", REVIEWER, "modify_code_redo has to synchronise cores.", [
    unsafe(`${REDO} --option waitForNmis=with-flag`, "old-or-new"),
    safe(`${REDO} --option syncInNmi --option waitForNmis=with-flag --ignore progress`),
  ]),
  beyond("T08-41", TRACER, "Then only do_nmi itself has to be notrace.", GRAPH),
  asked(
    "T08-42",
    REVIEWER,
    "CPU A writes, an NMI on CPU B looks at the flag too early and runs what is half written.",
    [unsafe(REDO, "old-or-new")],
    "`cmodx check` draws that race.",
  ),
];
