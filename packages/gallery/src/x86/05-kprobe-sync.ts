import {
  claim,
  emulate,
  free,
  local,
  lock,
  lookup,
  ne,
  type PatchProgram,
  set,
  store,
  syncCores,
  toHex,
  unlock,
  waitRcu,
  when,
} from "@cmodx/core";
import { optprobe } from "@cmodx/x86";
import type { GalleryEntry } from "../entry.js";
import { AT, INT3, likeInt3, oneFlip, only, PADDED, replanned, weakest } from "./common.js";

const SOURCE = "Linux 5c02ece81848d";

/** The jump of an optimised kprobe is written by `text_poke_bp`, which begins with an INT3 and a synchronisation of its own. */
const withTextPoke = (program: PatchProgram): PatchProgram => ({
  ...program,
  main: program.main.flatMap((line) =>
    line.id === "write-tail"
      ? [
          store("poke-int3", AT, [INT3], { note: "text_poke_bp begins; the INT3 is there already" }),
          syncCores("poke-sync", "all CPUs now fetch the INT3"),
          line,
        ]
      : [line],
  ),
});

const optimised = {
  ...optprobe(),
  id: "optprobe-text-poke",
  summary: "optprobe, with text_poke_bp's own first round of interrupts before the jump's tail",
  plan: replanned(optprobe(), withTextPoke),
};

const twoInstructions = { old: "mov rax, rdi+nop2", new: "jmp", after: PADDED };
const arming = oneFlip("a kprobe is armed and optimised, synchronised before the wait", optimised, twoInstructions);

/** Item 5, on arming. */
export const kprobeArmSync: GalleryEntry = {
  id: "5",
  title: "A kprobe is armed without a synchronisation before RCU-tasks",
  source: SOURCE,
  bug: "An optimised kprobe first puts its INT3, then waits until every task has left the instructions behind it, then writes the jump over them all. Without a synchronisation after the INT3 another CPU can go on fetching the old first byte: it walks into the instructions after the wait has found them empty, and executes what the jump's operand has become there.",
  fix: "Arming a kprobe synchronises all CPUs, before anybody waits for tasks.",
  architecture: weakest,
  wrong: {
    ...arming,
    name: "a kprobe is armed and optimised, not synchronised before the wait",
    patchers: [{ strategy: optimised, sites: [0], flips: 1, drop: ["sync-1"] }],
  },
  property: "mid-sequence",
  fixed: arming,
};

const disarmed = likeInt3({
  id: "kprobe",
  summary: "a kprobe is armed, disarmed and, after a grace period, freed",
  source: "arch_arm_kprobe, arch_disarm_kprobe, arch/x86/kernel/kprobes/core.c; unregister_kprobe, kernel/kprobes.c",
  plan({ sites }) {
    const { address, old } = only(sites);
    return {
      main: [
        lock("lock", "text_mutex"),
        set("register", "kprobe", [{ address, bytes: toHex(old) }]),
        store("arm", address, [INT3]),
        syncCores("sync-arm", "all CPUs now fetch the INT3"),
        store("disarm", address, old.slice(0, 1)),
        syncCores("sync-disarm", "all CPUs now fetch the old instruction"),
        unlock("unlock", "text_mutex"),
        waitRcu("wait-handlers", "those that found the kprobe"),
        free("free", "kprobe"),
      ],
      traps: {
        int3: [
          lookup("handler-find", "kprobe", "probed", "get_kprobe"),
          when("handler-ours", ne(local("probed"), null), [
            emulate("handler-run", local("probed"), "the copy of the probed instruction"),
            claim("handler-claim"),
          ]),
        ],
      },
      words: { kprobe: [] },
    };
  },
});

const disarming = oneFlip("a kprobe is disarmed, synchronised before the wait", disarmed, {
  old: "mov rax, rdi",
  new: "mov rax, rdi",
});

/** Item 5, on disarming. */
export const kprobeDisarmSync: GalleryEntry = {
  id: "5-disarm",
  title: "A kprobe is disarmed without a synchronisation before RCU",
  source: SOURCE,
  bug: "Disarming puts the old byte back, waits until the handlers that run have ended, and frees the kprobe. Without a synchronisation after the byte another CPU can still fetch the INT3 when the wait is over: its handler uses a kprobe that was freed.",
  fix: "Disarming a kprobe synchronises all CPUs, before anybody waits for handlers.",
  architecture: weakest,
  wrong: {
    ...disarming,
    name: "a kprobe is disarmed, not synchronised before the wait",
    patchers: [{ strategy: disarmed, sites: [0], flips: 1, drop: ["sync-disarm"] }],
  },
  property: "lifetime",
  fixed: disarming,
};
