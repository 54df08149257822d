import { stopMachine } from "@cmodx/arm64";
import {
  claim,
  emulate,
  type Flip,
  isImpossible,
  type Line,
  local,
  lookup,
  ne,
  type PatchStrategy,
  toHex,
  when,
} from "@cmodx/core";
import type { GalleryEntry } from "../entry.js";
import { oneFlip, only, weakest } from "./common.js";
import { callPatchedCode, callPatchedCodeRule } from "./operations.js";

/** The probe is there before its breakpoint: whoever traps gets the effect of the instruction that is probed. */
const kprobe: readonly Line[] = [
  lookup("handler-find", "kprobe_table", "probed", "get_kprobe"),
  when("handler-found", ne(local("probed"), null), [
    emulate("handler-run", local("probed"), "the copy of the probed instruction"),
    claim("handler-claim"),
  ]),
];

const probed = ({ sites }: Flip): { readonly address: bigint; readonly bytes: string } => {
  const { address, old } = only(sites);
  return { address, bytes: toHex(old) };
};

/** A stopper that calls the probed code on its way to the callback. */
const onTheWay = (base: PatchStrategy): PatchStrategy => ({
  ...base,
  id: `${base.id}-on-the-way`,
  rules: [callPatchedCodeRule],
  plan(flip, context) {
    const plan = base.plan(flip, context);
    if (isImpossible(plan)) return plan;
    const main = plan.main.map((line): Line => {
      if (!("op" in line) || line.op !== "stopMachine") return line;
      const { run } = line.args;
      const called: readonly Line[] = [callPatchedCode("on-the-way", "multi_cpu_stop calls it"), ...run];
      return { ...line, args: { ...line.args, run: called } };
    });
    return { ...plan, main, traps: { brk: kprobe }, words: { ...plan.words, kprobe_table: [probed(flip)] } };
  },
});

/** A probe's breakpoint in place of an instruction that may not be modified while it is executed. */
const probe = { old: "mov x0, x1", new: "brk #4" };

/** Item 14. */
export const firstPatches: GalleryEntry = {
  id: "14",
  title: "The first CPU to be stopped patches before the others are",
  source: "Linux 31a099dbd91e, and 8ec1442953c6 for RISC-V (2022)",
  bug: "The first CPU to enter the callback patches at once. Another may still be on its way there, in a function that the patch is about, and executes the instruction while it is changed; a probe replaces instructions of all kinds.",
  fix: "The last CPU to enter patches: all others then wait inside the callback, and synchronise before they leave it.",
  architecture: weakest,
  wrong: oneFlip("the first CPU patches", onTheWay(stopMachine({ master: "first" })), probe),
  property: "rule",
  fixed: oneFlip("the last CPU patches", onTheWay(stopMachine()), probe),
};
