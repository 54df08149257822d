import { AUTHOR, asked, beyond, REVIEWER, refused, safe, type Thread, unsafe, unsaid } from "./claim.js";

const MAINTAINER = "an arm64 maintainer";
const RISCV = "check --arch riscv --fetch ziccif --cpus 2 --strategy";
const ARM64 = "check --arch arm64 --cpus 2 --strategy";
const VICTIM =
  "cmodx times patching and not the code that is traced: an instruction of the running code has no cost of its own.";

/** CALL_OPS and direct calls on RISC-V. */
export const callOps2024: Thread = {
  id: "2024",
  title: "CALL_OPS and direct calls on RISC-V: a reply to the RFC on DYNAMIC_FTRACE_WITH_CALL_OPS",
  source: "LKML",
  date: "March 2024",
  claims: [
    asked("T24-1", MAINTAINER, "arm64 makes a direct call by patching one BL.", [
      safe(`${ARM64} direct-call --preempt`),
    ]),
    asked(
      "T24-2",
      MAINTAINER,
      "The pointer or the BL can be patched at any time while threads run.",
      [safe(`${ARM64} call-ops --irq --preempt`)],
      "Also with --nmi. In the kernel's order, the literal first; the other order is no option of the command line.",
    ),
    asked("T24-3", MAINTAINER, "A sequence of several instructions can be left in its middle by preemption.", [
      unsafe(`${RISCV} pair-stop-machine --preempt`, "mid-sequence"),
    ]),
    asked("T24-4", MAINTAINER, "RISC-V swaps AUIPC and JALR under stop_machine, which needs preemption off.", [
      safe(`${RISCV} pair-stop-machine`),
      unsafe(`${RISCV} pair-stop-machine --preempt`, "mid-sequence"),
    ]),
    asked(
      "T24-5",
      MAINTAINER,
      "A task preempted between AUIPC and JALR goes somewhere else.",
      [unsafe("gallery 21", "mid-sequence")],
      "To the offset alone, at 0x640.",
    ),
    asked("T24-6", MAINTAINER, "First way out: a breakpoint, and several passes with RCU-tasks between them.", [
      safe(`${RISCV} breakpoint-passes --preempt`),
      unsafe(`${RISCV} breakpoint-passes --preempt --option waitForTasks=false`, "mid-sequence"),
    ]),
    unsaid(
      "T24-7",
      MAINTAINER,
      "Where stop_machine is needed, several of them with RCU-tasks between.",
      "breakpoint-passes reaches the other harts by fences alone; it has no option to stop the machine for each pass.",
    ),
    unsaid(
      "T24-8",
      MAINTAINER,
      "x86 does the like with UD2.",
      "no strategy of x86 puts an undefined instruction there.",
    ),
    asked(
      "T24-9",
      MAINTAINER,
      "Second way out: look through the saved registers of every thread, and move whoever stands inside.",
      [safe(`${RISCV} fix-registers --preempt`), unsafe(`${RISCV} fix-registers --preempt --nmi`, "mid-sequence")],
      "An NMI that interrupted the pair has saved registers that nobody looks at.",
    ),
    asked(
      "T24-10",
      MAINTAINER,
      "Exceptions nest: there may be several saved frames of one thread.",
      [
        safe(`${RISCV} fix-registers --preempt --irq`),
        safe(`${RISCV} fix-registers --preempt --irq --option nested=false`),
        unsafe(`${RISCV} fix-registers --preempt --irq --option stops=ipi`, "progress"),
      ],
      "Contradicts the objection as it stands: stop_machine waits until tasks are switched away, and under it no two frames nest, so that to look at the last one alone (nested=false) is safe too. Frames nest where the stop comes by interrupt over a softirq (docs/riscv.md), which a scenario module says; of two CPUs with plain IRQs such a stop breaks `progress` alone.",
    ),
    beyond(
      "T24-11",
      MAINTAINER,
      "Both have an unpleasant overhead.",
      "no number is claimed; `cmodx patch --arch riscv` prints what they take in a cost model.",
    ),
    asked("T24-12", MAINTAINER, "With CALL_OPS: change the pointer, toggle the branch, and wait for threads once.", [
      safe(`${ARM64} call-ops --preempt --option frees`),
      unsafe(`${ARM64} call-ops --preempt --option frees --option waits=false`, "lifetime"),
    ]),
    asked("T24-13", MAINTAINER, "Generic dynamic ftrace has a latent bug: function and ops are loaded apart.", [
      unsafe(`${ARM64} func-op-pair`, "pair"),
      unsafe("gallery 20", "pair"),
    ]),
    asked("T24-14", MAINTAINER, "One jal reaches 1 MiB only.", [
      refused("check --arch riscv --strategy nosync --site 'nop:j .+0x200000'"),
    ]),
    asked("T24-15", MAINTAINER, "Write the AUIPC once, and patch the JALR alone.", [
      safe(`${RISCV} fixed-auipc --preempt`),
    ]),
    asked(
      "T24-16",
      MAINTAINER,
      "arm64 likewise writes its MOV X9, LR once.",
      [safe(`${ARM64} direct-call --preempt`)],
      "It stands before each site and is executed by every run.",
    ),
    asked("T24-17", MAINTAINER, "A trampoline within reach of BL is called directly.", [safe(`${ARM64} direct-call`)]),
    unsaid(
      "T24-18",
      MAINTAINER,
      "Out of reach, ftrace_caller reads the ops and jumps to their direct address.",
      "the distance of the trampoline is a bigint, which --option does not take; `directCall({ distance })` in a scenario module does.",
    ),
    asked(
      "T24-19",
      MAINTAINER,
      "With several ops the list function iterates, and the direct call goes through it.",
      [safe(`${ARM64} direct-call --option ops=2`)],
      "The list function is a stub that returns: that ops are gone through is not in the scenario.",
    ),
    unsaid(
      "T24-20",
      REVIEWER,
      "On RISC-V a trampoline is always in reach, so that the far case never arises.",
      "RISC-V's direct-call always goes through ftrace_caller; the one that is always in reach is no strategy.",
    ),
    beyond("T24-21", AUTHOR, "CALL_OPS makes each call faster.", VICTIM),
    beyond(
      "T24-22",
      AUTHOR,
      "The text grows by alignment and NOPs.",
      "it is about the size of an image, which no interleaving changes.",
    ),
    beyond("T24-23", REVIEWER, "Direct calls cost what they cost before.", VICTIM),
    asked("T24-24", MAINTAINER, "The patching would be as complicated as it is.", [
      safe(`${RISCV} call-ops --preempt`),
      safe(`${RISCV} direct-call --preempt`),
      unsafe(`${RISCV} direct-call --preempt --option waitForTasks=false`, "lifetime"),
    ]),
    asked("T24-25", REVIEWER, "PREEMPT_FULL is what breaks the pair.", [
      safe(`${RISCV} pair-stop-machine`),
      unsafe(`${RISCV} pair-stop-machine --preempt`, "mid-sequence"),
    ]),
    unsaid(
      "T24-26",
      REVIEWER,
      "CALL_OPS against dynamic trampolines.",
      "no strategy allocates and frees trampolines for each function.",
    ),
    asked(
      "T24-27",
      MAINTAINER,
      "To patch data and one instruction is better than immediates that are split over two.",
      [
        safe(`${RISCV} literal`),
        safe(`${RISCV} call-ops --preempt`),
        unsafe(`${RISCV} pair-stop-machine --preempt`, "mid-sequence"),
      ],
    ),
    beyond(
      "T24-28",
      MAINTAINER,
      "Longer instructions that hold an address of 48 bits would help.",
      "no such instruction exists; an architecture of one's own that has it can be brought by a plugin.",
    ),
  ],
};
