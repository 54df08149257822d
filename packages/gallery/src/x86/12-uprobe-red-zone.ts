import {
  type Bytes,
  claim,
  emulate,
  type FlipSite,
  type InstructionSet,
  type Line,
  local,
  lock,
  lookup,
  ne,
  type PatchStrategy,
  type Plugin,
  PROPERTIES,
  type Scenario,
  set,
  toHex,
  unlock,
  when,
} from "@cmodx/core";
import { type X86Instruction, x86InstructionSet } from "@cmodx/x86";
import type { GalleryEntry } from "../entry.js";
import { AT, likeInt3, oneFlip, only, threeSteps, weakest } from "./common.js";

const SOURCE = "Linux 554ba38456da; arch/x86/kernel/uprobes.c, 7.3; the motive is inferred";

/** Where a probed thread goes when it finds that it has been disturbed. */
const NOTICED = AT + 0x80n;

/** The trampoline: where a `call` without a target leads. */
const TRAMPOLINE = AT + 0x1000n;

/** The version of the site that is the probed instruction: the one that is a NOP. */
const probedOf = ({ old, next }: FlipSite, isa: InstructionSet): Bytes => {
  const insn = isa.decode(next, "");
  const isNop = typeof insn !== "string" && insn.length === next.length && (insn as X86Instruction).op === "nop";
  return isNop ? next : old;
};

/** Traps are uprobe hits as ever: the handlers are told, and the probed NOP is stepped over. */
const handler: readonly Line[] = [
  lookup("handler-find", "uprobe", "probed", "find_active_uprobe"),
  when("handler-ours", ne(local("probed"), null), [
    emulate("handler-skip", local("probed"), "the probed NOP"),
    claim("handler-claim"),
  ]),
];

/** A uprobe on a NOP: its breakpoint is optimised to a call, or the call is taken back. */
const uprobe: PatchStrategy = likeInt3({
  id: "uprobe",
  summary: "a uprobe's NOP becomes a call of a trampoline by the three steps, or the call a NOP",
  source: "arch_uprobe_optimize and its way back, arch/x86/kernel/uprobes.c, 7.3",
  // Whoever stands behind the first of two instructions when the call is taken back still does the second.
  promises: ["mid-sequence", "old-or-new", "trap-owned", "emulation", "lifetime", "exclusive", "progress", "rule"],
  plan: ({ sites }, { instructionSet }) => {
    const site = only(sites);
    const probed = { address: site.address, bytes: toHex(probedOf(site, instructionSet)) };
    return {
      main: [
        lock("lock", "mm"),
        set("hit", "uprobe", [probed], "a trap here is a hit of the uprobe"),
        ...threeSteps(site),
        unlock("unlock", "mm"),
      ],
      traps: { int3: handler },
      words: { uprobe: [] },
    };
  },
});

/** A thread that keeps a value in its red zone over the probed NOP, and jumps to {@link NOTICED} if it is not there afterwards. */
const keepsRedZone = (trampoline: string): Pick<Scenario, "blocks" | "executors"> => ({
  blocks: [
    { address: AT - 10n, code: "mov eax, 1+mov [rsp - 8], rax" },
    { address: NOTICED, code: "ud2" },
    { address: TRAMPOLINE, code: trampoline },
  ],
  executors: [{ entries: [AT - 10n] }],
});

/** A probe may not be noticed: for the thread the site is a NOP, whatever stands there. */
const unnoticed: Plugin = {
  id: "a uprobe is not noticed",
  install: (binder) =>
    binder.add(PROPERTIES, {
      id: "emulation",
      breaksWhen: "a probed thread finds that what it does has another effect than without the probe",
      judge: ({ what, detail }) =>
        what === "execute" && detail.at === NOTICED
          ? "The thread's value in the red zone was overwritten: for it the probed code did not act as the NOP that it stands for."
          : undefined,
    }),
};

const redZoneScenario = (name: string, old: string, next: string, trampoline: string): Scenario => {
  const scenario = oneFlip(name, uprobe, { old, new: next }, keepsRedZone(trampoline));
  const after = `cmp [rsp - 8], rax+jne 0x${NOTICED.toString(16)}+ret`;
  return { ...scenario, sites: scenario.sites.map((site) => ({ ...site, after })) };
};

/** Item 12. */
export const uprobeRedZone: GalleryEntry = {
  id: "12",
  title: "A uprobe's call pushes into the thread's red zone",
  source: SOURCE,
  bug: "A uprobe on a five-byte NOP is optimised to a call of a trampoline. User code may keep data in the 128 bytes below its stack pointer; the call writes its return address over them.",
  fix: "The NOP has ten bytes, and becomes two instructions: the stack pointer steps over the red zone, then the call; the trampoline's return takes it back.",
  architecture: weakest,
  plugins: [unnoticed],
  wrong: redZoneScenario("five bytes become a call", "nop5", "call", "ret"),
  property: "emulation",
  fixed: redZoneScenario(
    "ten bytes step over the red zone and call",
    "nop10",
    "lea rsp, [rsp - 0x80]+call",
    "ret 0x80",
  ),
};

/** The call as it stands behind the step over the red zone. */
const call = x86InstructionSet.assemble(`call 0x${TRAMPOLINE.toString(16)}`, AT + 5n);
const nop10 = x86InstructionSet.assemble("nop10", AT);

const removal = (name: string, nop: Bytes): Scenario =>
  oneFlip(
    name,
    uprobe,
    { old: "lea rsp, [rsp - 0x80]+call", new: nop },
    { blocks: [{ address: TRAMPOLINE, code: "ret 0x80" }], cpus: 1, preempt: true, executors: [{ count: 1 }] },
  );

/** Item 12, on removal. */
export const uprobeRemoval: GalleryEntry = {
  id: "12-removal",
  title: "A thread stands before a uprobe's call that is taken back",
  source: SOURCE,
  bug: "When the uprobe is taken away a thread can stand between its two instructions, preempted after the step over the red zone. With all ten bytes of the NOP put back it goes on in their middle.",
  fix: "The call's five bytes stay, as operand bytes of a NOP of the same length: whoever stands before them still calls.",
  architecture: weakest,
  wrong: removal("all ten bytes of the NOP are put back", nop10),
  property: "mid-sequence",
  fixed: removal("the bytes of the call stay", [...nop10.slice(0, 5), ...call]),
};
