import { int3 } from "@cmodx/x86";
import type { GalleryEntry } from "../entry.js";
import { oneFlip, weakest } from "./common.js";

const strategy = int3();
const more = { cpus: 1, preempt: true, executors: [{ count: 1 }] };

/** Item 10. */
export const twoInstructions: GalleryEntry = {
  id: "10",
  title: "Two instructions in five bytes are replaced by one jump",
  source: "P. Zijlstra, 20200325181339.GK20713, on static_cond_call()",
  bug: "A static call without a function was to return 0: `xor eax, eax` and `ret` in the five bytes that a jump takes up. A task can be preempted at the `ret`. When the jump is written it stands in the middle of its operand, and goes on there.",
  fix: "One instruction of five bytes clears the register, so that nobody can stand inside.",
  architecture: weakest,
  wrong: oneFlip("two instructions are replaced", strategy, { old: "xor eax, eax+ret+int3+int3", new: "jmp" }, more),
  property: "mid-sequence",
  fixed: oneFlip("one instruction is replaced", strategy, { old: "xor5rax", new: "jmp" }, more),
};
