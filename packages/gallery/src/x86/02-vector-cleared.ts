import {
  claim,
  emulate,
  free,
  type Line,
  load,
  local,
  lock,
  lookup,
  ne,
  set,
  syncCores,
  unlock,
  when,
} from "@cmodx/core";
import type { GalleryEntry } from "../entry.js";
import {
  besideKprobe,
  entryOf,
  kprobeHandler,
  kprobeTable,
  likeInt3,
  oneFlip,
  only,
  threeSteps,
  weakest,
} from "./common.js";

const handler: readonly Line[] = [
  load("handler-nr", "nr_entries", "nr", "is anything being patched?"),
  when("handler-any", ne(local("nr"), 0), [
    lookup("handler-search", "vec", "entry", "bsearch"),
    when("handler-ours", ne(local("entry"), null), [
      emulate("handler-emulate", local("entry"), "the new instruction"),
      claim("handler-claim"),
    ]),
  ]),
  ...kprobeHandler,
];

const batch = (waits: boolean) =>
  likeInt3({
    id: waits ? "int3-vector-waits" : "int3-vector",
    summary: "int3 of a vector of sites that the handlers search; at the end the vector is forgotten",
    source: "text_poke_bp_batch and poke_int3_handler, arch/x86/kernel/alternative.c before 285a54efe386",
    plan: ({ sites }) => ({
      main: [
        lock("lock", "text_mutex"),
        set("set-vec", "vec", sites.map(entryOf), "sorted by address"),
        set("set-nr", "nr_entries", sites.length, "from here on the handlers search the vector"),
        ...threeSteps(only(sites)),
        set("clear-nr", "nr_entries", 0, "new handlers no longer search"),
        ...(waits ? [syncCores("sync-4", "the handlers that run have ended, whatever INT3 they are of")] : []),
        free("clear-vec", "vec", "the vector's pointer becomes NULL"),
        unlock("unlock", "text_mutex"),
      ],
      traps: { int3: handler },
      words: { nr_entries: 0, vec: [], ...kprobeTable },
    }),
  });

const site = { old: "nop5", new: "jmp" };

/** Item 2. */
export const vectorCleared: GalleryEntry = {
  id: "2",
  title: "The vector is cleared while a handler is about to search it",
  source: "Linux 285a54efe386, fixes c0213b0ac03c",
  bug: "Every INT3 asks the patcher's handler first, so one that traps on a kprobe can come after the last synchronisation of the patching. It sees that entries are there; the patcher sets their number to 0 and the vector to NULL; the handler searches NULL.",
  fix: "Another round of interrupts between the number and the vector: handlers run with interrupts off, so those that saw the number have ended.",
  architecture: weakest,
  wrong: oneFlip("the vector is cleared at once", batch(false), site, besideKprobe),
  property: "lifetime",
  fixed: oneFlip("the vector is cleared when the handlers have ended", batch(true), site, besideKprobe),
};
