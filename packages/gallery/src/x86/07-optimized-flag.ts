import { optprobe } from "@cmodx/x86";
import type { GalleryEntry } from "../entry.js";
import { oneFlip, PADDED, weakest } from "./common.js";

const site = { old: "jmp", new: "mov rax, rdi+nop2", after: PADDED };

/** Item 7. */
export const optimizedFlag: GalleryEntry = {
  id: "7",
  title: "The optimised flag is cleared before the text is restored",
  source: "Linux f66c0447cca1; a state bug that followed: e4add247789e",
  bug: "While the jump of an optimised kprobe is taken back, an INT3 stands over its first byte. A trap there takes the detour as long as the kprobe counts as optimised; after that it runs the copy of the first instruction and goes on behind it. The flag was cleared first: whoever trapped then went on in the middle of the jump's operand, which was still there.",
  fix: "The flag is cleared when the instructions are all back.",
  architecture: weakest,
  wrong: oneFlip("the flag is cleared before the instructions are back", optprobe({ clearEarly: true }), site),
  property: "mid-sequence",
  fixed: oneFlip("the flag is cleared when the instructions are back", optprobe(), site),
};
