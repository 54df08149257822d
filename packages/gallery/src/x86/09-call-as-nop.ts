import { claim, emulate, type Line, local, lock, lookup, ne, set, toHex, unlock, type Value, when } from "@cmodx/core";
import { x86InstructionSet } from "@cmodx/x86";
import type { GalleryEntry } from "../entry.js";
import { AT, entryOf, likeInt3, oneFlip, only, threeSteps, weakest } from "./common.js";

const NOP5 = toHex(x86InstructionSet.assemble("nop5", AT));

const handler = (stands: Value, note: string): readonly Line[] => [
  lookup("handler-find", "ftrace_sites", "entry", "ftrace_location"),
  when("handler-ours", ne(local("entry"), null), [emulate("handler-emulate", stands, note), claim("handler-claim")]),
];

const ftrace = (emulatesCall: boolean) =>
  likeInt3({
    id: emulatesCall ? "ftrace-int3-call" : "ftrace-int3-nop",
    summary: "ftrace's own three steps, with its own handler",
    source: "ftrace_replace_code and ftrace_int3_handler, arch/x86/kernel/ftrace.c about 9e298e860408",
    plan: ({ sites }) => ({
      main: [
        lock("lock", "text_mutex"),
        set("modify", "ftrace_sites", sites.map(entryOf), "modifying_ftrace_code"),
        ...threeSteps(only(sites)),
        set("modified", "ftrace_sites", []),
        unlock("unlock", "text_mutex"),
      ],
      traps: {
        int3: emulatesCall ? handler(local("entry"), "the new call") : handler(NOP5, "the five bytes are skipped"),
      },
      words: { ftrace_sites: [] },
    }),
  });

const site = { old: "call", new: "call .+0x2000" };

/** Item 9. */
export const callAsNop: GalleryEntry = {
  id: "9",
  title: "A call that becomes another call is emulated as a NOP",
  source: "Linux 9e298e860408; the room for its push: 2700fefdb2d9",
  bug: "The handler of ftrace skipped the five bytes, which is as good as right where a call comes or goes. Where one call becomes another the function is to be called at every moment, live patching depends on it; a CPU that traps in between calls neither the old nor the new function, and runs the code that had been replaced.",
  fix: "The handler emulates the new call.",
  architecture: weakest,
  wrong: oneFlip("the handler skips the call", ftrace(false), site),
  property: "emulation",
  fixed: oneFlip("the handler emulates the call", ftrace(true), site),
};
