import { claim, type Line, local, ne, step, when } from "@cmodx/core";
import { int3, x86 } from "@cmodx/x86";
import type { GalleryEntry } from "../entry.js";
import { INT3, likeInt3, oneFlip, replanned } from "./common.js";
import { loadCodeByte, loadCodeByteRule } from "./operations.js";

/** The last resort of the INT3 handler: an INT3 that is no longer there belongs to nobody, and the code is tried again. */
const rewind: readonly Line[] = [
  loadCodeByte("handler-look", "byte", "is the INT3 still there?"),
  when("handler-vanished", ne(local("byte"), INT3), [
    step("handler-rewind", "restart", {}, "back to what is there now"),
    claim("handler-rewound"),
  ]),
];

const rewinding = likeInt3({
  id: "int3-rewind",
  summary: "as int3, and a trap that nobody owns goes back when its INT3 is no longer there",
  source: "kprobe_int3_handler, arch/x86/kernel/kprobes/core.c, 6.1",
  rules: [loadCodeByteRule],
  plan: replanned(int3(), (program) => ({
    ...program,
    traps: { ...program.traps, int3: [...(program.traps?.int3 ?? []), ...rewind] },
  })),
});

const site = { old: "nop5", new: "jmp" };

/** Item 6. */
export const lateTrap: GalleryEntry = {
  id: "6",
  title: "A trap that is delivered late finds no owner",
  source:
    "Linux 8e791f7eba4c, which drops the rewind; MPTCP issue 471 (2024), cause never fully attributed; QEMU b6a48d2a4b93, f025692c992c",
  bug: "A CPU fetches the INT3, and before the trap is delivered it takes the interrupt of the last synchronisation. The patcher believes that no handler is left and drops its reference; the handler comes after that and finds no patching under way. Earlier a last resort had looked whether the INT3 was still there, and gone back when it was not; it had been dropped as impossible. Crashes that fit were seen under an emulator.",
  fix: "The last resort is back: where no INT3 stands any more, the handler goes back to the instruction.",
  architecture: () => x86({ fetch: "intel", lateTrap: true }),
  wrong: oneFlip("a trap that nobody owns is fatal", int3(), site),
  property: "trap-owned",
  fixed: oneFlip("a trap whose INT3 is gone goes back", rewinding, site),
};
