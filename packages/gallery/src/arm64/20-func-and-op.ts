import { funcOpPair } from "@cmodx/arm64";
import { lock, type PatchStrategy, storeData, unlock } from "@cmodx/core";
import type { GalleryEntry } from "../entry.js";
import { AT, hex, oneFlip, only, quad, weakest } from "./common.js";

/** The two tracers, their ops, and the trampoline. */
const [A, B] = [AT + 0x40n, AT + 0x80n] as const;
const [OPS_A, OPS_B] = [AT + 0x800n, AT + 0x840n] as const;
const TRAMPOLINE = AT + 0x100n;

/** One load of the ops, and the function from there. */
const throughOps: PatchStrategy = {
  ...funcOpPair(),
  id: "ops-literal",
  summary: "the trampoline loads the ops, and the function from them",
  source: "CALL_OPS, arch/arm64/kernel/entry-ftrace.S, 7.3",
  plan({ sites }) {
    const { address, next } = only(sites);
    return {
      main: [
        lock("lock", "ftrace_lock"),
        storeData("write-literal", address, next, { note: "one store: both change together" }),
        unlock("unlock", "ftrace_lock"),
      ],
      around: {
        blocks: [
          { address: A, code: "ret" },
          { address: B, code: "ret" },
          {
            address: TRAMPOLINE,
            code: `str x30, [sp, #-16]!+ldr x2, ${hex(address)}+ldr x16, [x2]+blr x16+ldr x30, [sp], #16+ret`,
          },
        ],
        data: [
          { address: OPS_A, bytes: quad(A) },
          { address: OPS_B, bytes: quad(B) },
        ],
        entries: [TRAMPOLINE],
      },
      pairs: [
        { at: A, registers: ["x2"], published: [[OPS_A]] },
        { at: B, registers: ["x2"], published: [[OPS_B]] },
      ],
    };
  },
};

const alone = { cpus: 1, preempt: true, executors: [{ count: 1 }] };

/** Item 20. */
export const funcAndOp: GalleryEntry = {
  id: "20",
  title: "A tracer is called with the ops of another one",
  source: "M. Rutland, 2024-03-07, Zenx_Q0UiwMbSAdP@FVFF77S0Q05N",
  bug: "The trampoline loads the function and its ops one after the other. A task loads the ops of A and is preempted. Tracing is switched to B by way of the function that serves all; no wait is for preempted tasks. The task goes on, loads B's function, and calls it with the ops of A.",
  fix: "CALL_OPS: the literal before the function holds the ops alone, and their function is loaded from them.",
  architecture: weakest,
  wrong: oneFlip(
    "function and ops are loaded separately",
    funcOpPair(),
    { old: `.quad ${hex(A)}+.quad ${hex(OPS_A)}`, new: `.quad ${hex(B)}+.quad ${hex(OPS_B)}` },
    alone,
  ),
  property: "pair",
  fixed: oneFlip(
    "the function is loaded from the ops",
    throughOps,
    { old: `.quad ${hex(OPS_A)}`, new: `.quad ${hex(OPS_B)}` },
    alone,
  ),
};
