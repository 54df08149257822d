import {
  type Bytes,
  type CodeBlock,
  type FlipSite,
  freeData,
  hexAddress,
  type Impossible,
  type InstructionSet,
  type Line,
  type Pair,
  quadOf,
  type Surroundings,
  storeData,
  waitRcuTasks,
  waitRcuTasksRude,
} from "@cmodx/core";
import { branchTarget, instructionOf } from "./decoded.js";

/*
 * A function that can be traced: an eight-byte literal before it that says which ops trace it, `mov x9, lr`, and the instruction that is
 * a NOP or a BL. (arch/arm64/kernel/ftrace.c and entry-ftrace.S, 7.3)
 */

/** The two sides of a flip of such an instruction: where each calls, undefined for a NOP. */
export type Calls = { readonly from: bigint | undefined; readonly to: bigint | undefined };

/** What the instruction at a site calls before and after; a sentence where it is not a NOP or BL. */
export const callsOf = (site: FlipSite, isa: InstructionSet): Calls | Impossible => {
  const side = (code: Bytes): bigint | undefined | Impossible => {
    const insn = instructionOf(code, isa);
    if (insn?.op === "nop") return undefined;
    if (insn?.op === "bl") return branchTarget(insn, site.address);
    return {
      impossible: `ftrace changes one NOP or BL, not ${insn?.op ?? "something else"} at ${hexAddress(site.address)}.`,
    };
  };
  const [from, to] = [side(site.old), side(site.next)];
  if (typeof from === "object") return from;
  if (typeof to === "object") return to;
  if (from === undefined && to === undefined)
    return { impossible: `nothing calls a tracer at ${hexAddress(site.address)}, before or after.` };
  return { from, to };
};

/** Where the literal of a site lies: eight-aligned, before the function. */
export const literalOf = (ip: bigint): bigint => (ip - 12n) & ~7n;

/** Distances from `ftrace_caller`. */
const TRACER = 0x100n;
const STUB = 0x140n;
const LIST = 0x180n;
const NOP_OPS = 0x800n;
const OPS = 0x840n;
const LIST_OPS = 0x880n;

/** The ops that a caller reads through the literal: function, then the trampoline that it calls directly. */
export const opsAt = (caller: bigint) => ({ nop: caller + NOP_OPS, own: caller + OPS, list: caller + LIST_OPS });

/** The function that the ops of a site call, and those that serve nobody and everybody. */
export const functionsAt = (caller: bigint) => ({ tracer: caller + TRACER, stub: caller + STUB, list: caller + LIST });

/** Back to the traced function, whose own return address is in x9. */
const BACK = "mov x10, x30+mov x30, x9+br x10";

/** A trampoline that is called directly. */
export const directTrampoline = (address: bigint): CodeBlock => ({ address, code: BACK });

/** Finds the ops through the literal; calls their function, or goes to their direct trampoline where they have one. */
const callerCode = (at: bigint): string =>
  [
    "and x11, x30, #0xfffffffffffffff8",
    "ldur x11, [x11, #-16]",
    "ldr x17, [x11, #8]",
    `cbz x17, ${hexAddress(at + 0x14n)}`,
    "br x17",
    "ldr x16, [x11]",
    "mov x2, x11",
    "stp x9, x30, [sp, #-16]!",
    "blr x16",
    "ldp x9, x30, [sp], #16",
    BACK,
  ].join("+");

/** What is around traced functions that are called through `caller`; `direct`: where the ops' own trampoline lies, 0 where there is none. */
export const tracing = (
  sites: readonly FlipSite[],
  caller: bigint,
  direct: bigint,
  initial: readonly bigint[],
): Required<Omit<Surroundings, "writes">> => {
  const { tracer, stub, list } = functionsAt(caller);
  const ops = opsAt(caller);
  const descriptor = (address: bigint, func: bigint, to = 0n) => ({ address, bytes: [...quadOf(func), ...quadOf(to)] });
  return {
    blocks: [
      { address: caller, code: callerCode(caller) },
      ...[tracer, stub, list].map((address) => ({ address, code: "ret" })),
      ...sites.map(({ address }) => ({ address: address - 4n, code: "mov x9, x30" })),
    ],
    data: [
      descriptor(ops.nop, stub),
      descriptor(ops.own, tracer, direct),
      descriptor(ops.list, list),
      ...sites.map(({ address }, i) => ({ address: literalOf(address), bytes: quadOf(initial[i] as bigint) })),
    ],
    entries: sites.map(({ address }) => address - 4n),
  };
};

/**
 * What belongs together: `ftrace_caller` never goes on with anything but ops that are there, and the tracer gets its own ops.
 */
export const pairsOf = (caller: bigint): readonly Pair[] => {
  const ops = opsAt(caller);
  return [
    { at: caller + 8n, registers: ["x11"], published: [[ops.nop], [ops.own], [ops.list]] },
    { at: functionsAt(caller).tracer, registers: ["x2"], published: [[ops.own]] },
  ];
};

/** Nobody is inside a tracer or on the way there any more: ftrace_shutdown waits so before it gives ops back. */
export const waitTracers = (frees: boolean, address: bigint): readonly Line[] => [
  waitRcuTasksRude("wait-rude", "nobody is on the way to the tracer with preemption off"),
  waitRcuTasks("wait-tasks", "no preempted task is"),
  ...(frees ? [freeData("free-ops", address, 16, "the ops are given back")] : []),
];

/** The ops are made anew. */
export const makeOps = (address: bigint, func: bigint): Line =>
  storeData("make-ops", address, [...quadOf(func), ...quadOf(0n)], { note: "the ops, before anybody can find them" });
