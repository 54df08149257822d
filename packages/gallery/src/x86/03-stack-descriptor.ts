import {
  add,
  claim,
  emulate,
  eq,
  free,
  type Line,
  load,
  local,
  lock,
  lookup,
  ne,
  set,
  unlock,
  until,
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
import { incNotZero, incNotZeroRule } from "./operations.js";

const emulateIt: readonly Line[] = [
  incNotZero("handler-get", "desc.refs", "got", "unless it is 0"),
  when("handler-got", eq(local("got"), true), [
    lookup("handler-find", "desc.vec", "entry", "by address"),
    when("handler-ours", ne(local("entry"), null), [
      emulate("handler-emulate", local("entry"), "the new instruction"),
      add("handler-put", "desc.refs", -1),
      claim("handler-claim"),
    ]),
    add("handler-put-other", "desc.refs", -1),
  ]),
];

/** Through the pointer, or straight to a descriptor that is always there. */
const handler = (onStack: boolean): readonly Line[] => [
  ...(onStack
    ? [load("handler-desc", "bp_desc", "desc", "try_get_desc"), when("handler-any", ne(local("desc"), null), emulateIt)]
    : emulateIt),
  ...kprobeHandler,
];

const counted = (onStack: boolean) =>
  likeInt3({
    id: onStack ? "int3-stack-descriptor" : "int3-static-descriptor",
    summary: "int3 whose handlers count themselves in a descriptor, which the patcher waits for",
    source: "text_poke_bp_batch and try_get_desc, arch/x86/kernel/alternative.c before efd608fa7403",
    rules: [incNotZeroRule],
    plan: ({ sites }) => ({
      main: [
        lock("lock", "text_mutex"),
        set("set-vec", "desc.vec", sites.map(entryOf)),
        set("set-refs", "desc.refs", 1, "the patcher's own"),
        ...(onStack ? [set("set-desc", "bp_desc", "on the stack", "from here on handlers find the descriptor")] : []),
        ...threeSteps(only(sites)),
        ...(onStack ? [set("clear-desc", "bp_desc", null)] : []),
        add("put-refs", "desc.refs", -1),
        until("wait-refs", "desc.refs", 0, "handlers that still use the descriptor"),
        ...(onStack
          ? [free("return", "desc.refs", "the patcher returns, and its stack is used for other things")]
          : []),
        unlock("unlock", "text_mutex"),
      ],
      traps: { int3: handler(onStack) },
      words: { ...(onStack ? { bp_desc: null } : {}), "desc.refs": 0, "desc.vec": [], ...kprobeTable },
    }),
  });

const site = { old: "nop5", new: "jmp" };

/** Item 3. */
export const stackDescriptor: GalleryEntry = {
  id: "3",
  title: "A reference count on the patcher's stack, found by a pointer",
  source: "Linux efd608fa7403, fixes 1f676247f36a4; N. Amit, 2022-09-20",
  bug: "A handler loads the pointer to the patcher's descriptor and then increments the reference count in it. Between the two the patcher can clear the pointer, see the count fall to 0 and return: the descriptor was on its stack, so the handler increments whatever is there now. A handler of the patched site would have held up the last synchronisation; that of a kprobe's INT3, which asks the patcher's handler too, comes after it.",
  fix: "The descriptor is static. There is no pointer to load, and a count that is 0 stays 0.",
  architecture: weakest,
  wrong: oneFlip("the descriptor is on the patcher's stack", counted(true), site, besideKprobe),
  property: "lifetime",
  fixed: oneFlip("the descriptor is static", counted(false), site, besideKprobe),
};
