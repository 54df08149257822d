import { AUTHOR, asked, type Claim, figures, REVIEWER, refused, safe, unsafe, unsaid, vacuous } from "./claim.js";

const BYPASS = "check --strategy bypass-2008 --cpus 2";
const SYNCED = "--option syncAfterValue --option syncAfterFirst";
const VALUE =
  "check --strategy plain-store --cpus 2 --width 8 --fetch amd --site 'mov eax, 0x11111111:mov eax, 0x22222222'";
const INTEL = "who reports from Intel";
const TRACER = "the maintainer of the function tracer";

/** What the thread of 2008 says of the breakpoint bypass of immediate values, and of what processors promise. */
export const bypass: readonly Claim[] = [
  asked(
    "T08-15",
    AUTHOR,
    "A breakpoint and a bypass need no stop_machine and are NMI safe.",
    [
      unsafe(`${BYPASS} --fetch intel`, "old-or-new"),
      unsafe(`${BYPASS} --fetch amd`, "trap-owned"),
      safe(`${BYPASS} --fetch coherent --nmi --flips 1`),
      safe(`${BYPASS} ${SYNCED}`),
      safe(`${BYPASS} ${SYNCED} --nmi --flips 1`),
    ],
    "Contradicts the author, though not because of NMIs: as posted nothing synchronises the other CPUs after the new value, so that by the manual a task runs the first byte with an old value; and nothing does after the first byte, so that a trap comes when its handler is gone. With both synchronisations, as later versions have, it is safe, NMIs included; and on measured machines it is safe as posted.",
  ),
  asked("T08-16", AUTHOR, "Opcode and value may have any size, and a REX prefix.", [
    safe(`${BYPASS} ${SYNCED} --site 'mov al, 0x11:mov al, 0x22'`),
    safe(`${BYPASS} ${SYNCED} --site 'mov rax, 0x11111111:mov rax, 0x22222222'`),
  ]),
  asked(
    "T08-17",
    AUTHOR,
    "The operand is aligned, so that its store is atomic.",
    [safe(`${VALUE} --offset 3`), unsafe(`${VALUE} --offset 6`, "old-or-new")],
    "Enough where quadwords are fetched whole (amd), and only where the store is one access within a quadword. bypass-2008 itself stores byte by byte behind its INT3.",
  ),
  asked("T08-18", AUTHOR, "At early boot it is enough to write.", [
    safe("check --strategy alternatives --cpus 1 --irq"),
  ]),
  unsaid(
    "T08-19",
    AUTHOR,
    "Read-only text is written by clearing cr0.WP or through an alias of one page.",
    "the strategies of x86 write through no window; those of riscv and armv7 do.",
  ),
  unsaid(
    "T08-20",
    AUTHOR,
    "The bypass is a copy between NOPs, with a second int3 behind it, and runs with preemption off.",
    "the copy is one step of the handler (`emulate`); its own text and the second int3 are not executed.",
  ),
  unsaid(
    "T08-21",
    AUTHOR,
    "Its notifier has the highest priority: it is asked first.",
    "one strategy has one handler; who is asked first is the order of patchers in a scenario module (examples/composed).",
  ),
  unsaid(
    "T08-22",
    REVIEWER,
    "Where a kprobe's int3 stands already, it returns -EBUSY.",
    "no strategy looks at what stands there.",
  ),
  asked(
    "T08-23",
    AUTHOR,
    "Where the value is the same there is nothing to do.",
    [vacuous(`${BYPASS} --site 'mov eax, 0x11111111:mov eax, 0x11111111'`)],
    "The strategy writes nothing then; the answer says that there was nothing to judge.",
  ),
  asked(
    "T08-24",
    AUTHOR,
    "Instructions that are too long for the bypass are refused.",
    [refused(`${BYPASS} --site nop5:call`)],
    "Refused is whatever changes more than its value; the bypass has no length here.",
  ),
  asked(
    "T08-25",
    AUTHOR,
    "synchronize_sched waits for the handlers, since the gate masks interrupts.",
    [
      safe(`${BYPASS} ${SYNCED}`),
      unsafe(`${BYPASS} ${SYNCED} --drop synchronize-sched --fetch intel+late-trap`, "trap-owned"),
    ],
    "A trap that is delivered late is what it waits for in vain, or not at all.",
  ),
  asked("T08-26", "the maintainer of kprobes", "INT3 goes through an interrupt gate: kprobes want interrupts off.", [
    safe("check --strategy int3 --cpus 2 --irq --flips 1"),
  ]),
  asked(
    "T08-27",
    REVIEWER,
    "What holds of NMIs holds of SMI and MCE as well.",
    [
      unsafe("check --strategy stop-machine --cpus 2 --nmi", "old-or-new"),
      safe("check --strategy int3 --cpus 2 --nmi --flips 1"),
    ],
    "A machine check (MCE) comes over everything as an NMI does, and is asked as one. An SMI runs code of its own that no kernel patches, and returns by RSM; it is not modelled.",
  ),
  asked(
    "T08-28",
    INTEL,
    "Errata 49 and 54 of the Pentium III and AH33 of the Core 2 forbid unsynchronised cross-modifying code (XMC).",
    [unsafe("check --strategy plain-store --cpus 2 --property rule --fetch intel", "rule")],
    "The fetch model intel is that definition, and the property `rule` says whether a program keeps to it.",
  ),
  asked(
    "T08-29",
    INTEL,
    "The effect may be a #GP out of the trace cache.",
    [unsafe("check --strategy plain-store --cpus 2 --property rule --fetch intel", "rule")],
    "Anything may happen where `rule` breaks; that fault itself is no outcome of its own.",
  ),
  asked("T08-30", INTEL, "An INT3 over the first byte is exempt.", [
    safe("check --strategy int3 --cpus 2 --fetch intel"),
  ]),
  asked(
    "T08-31",
    REVIEWER,
    "A cmpxchg of the whole instruction is atomic; is it reliable?",
    [
      unsafe("check --strategy aligned-store --cpus 2 --fetch intel", "old-or-new"),
      safe("check --strategy aligned-store --cpus 2 --fetch amd"),
    ],
    "A cmpxchg8b is here the aligned store of eight bytes. By Intel's manual atomicity is not enough: who fetches has to synchronise. By AMD's it is.",
  ),
  unsaid(
    "T08-32",
    INTEL,
    "Intel's own algorithm: everybody waits with interrupts off until the writer has written, and serialises.",
    "it is no strategy of ours; stop-machine is the nearest.",
  ),
  asked("T08-33", AUTHOR, "sync_core serialises by CPUID.", [
    safe("check --strategy int3 --cpus 2 --fetch intel"),
    unsafe("check --strategy int3 --cpus 2 --fetch intel --drop sync-1", "old-or-new"),
  ]),
  unsaid(
    "T08-34",
    TRACER,
    "It has to exist for all architectures and functions, or to fall back step by step.",
    "no strategy chooses between two ways by what the machine offers.",
  ),
  asked(
    "T08-35",
    TRACER,
    "How good is it with 20,000 call sites?",
    [figures("patch --sites 20000 --strategy int3-batch --cpus 64")],
    "It prints batches, interrupts, traps and pauses, in simulated nanoseconds of a cost model (docs/cost.md).",
  ),
  asked("T08-43", AUTHOR, "A synchronising instruction that is forced on the others makes it synchronised XMC.", [
    safe("check --strategy int3 --cpus 2 --fetch intel"),
    unsafe("check --strategy int3 --cpus 2 --fetch intel --drop sync-2", "old-or-new"),
  ]),
  asked(
    "T08-44",
    TRACER,
    "For a five-byte call and NOP it is fast: the handler adds 4 to the instruction pointer.",
    [safe("check --strategy int3 --cpus 2 --site nop5:call"), unsafe("gallery 9", "emulation")],
    "Right between a NOP and a call; wrong where a call becomes another call.",
  ),
  asked(
    "T08-45",
    AUTHOR,
    "A hash table has the addresses that are being modified, and stays until the running handlers have ended.",
    [
      safe("check --strategy int3-batch --cpus 2"),
      unsafe("check --strategy int3-batch --cpus 2 --fetch intel+late-trap", "trap-owned"),
    ],
    "An array takes the table's place. A trap that is delivered late comes when all known handlers have ended.",
  ),
];
