import type { Bytes } from "../base/data.js";
import { fromHex, toHex } from "../base/hex.js";
import type { Condition, Step } from "../contract/program.js";
import { rule } from "../contract/rule.js";
import { addressKey, type CpuState, type MemoryState } from "../contract/state.js";
import { quiet } from "../contract/telling.js";
import type { World } from "../contract/world.js";
import { byteSeen } from "../fetch/stale-code.js";
import { freedIn } from "../fetch/text.js";
import { step } from "../program/builder.js";
import { hexOf } from "../program/given.js";
import { spaced } from "./said.js";

/* R46: what programs say of themselves: an assertion is a step that changes nothing, judged when it is taken. */

/** Asserts a condition on locals. */
export const assertRule = rule({
  id: "assert",
  source: "R46; BUG_ON, WARN_ON: include/asm-generic/bug.h, 7.3",
  reads: ["cpu"],
  writes: ["cpu"],
  says: {
    assert: ({ id, holds }) => (holds ? quiet(`asserts ${id}`) : `asserts ${id}, which does NOT hold`),
  },
  apply: ({ cpu }, args: { readonly id: string; readonly condition: Condition; readonly why: string }, machine) => [
    {
      set: { cpu: machine.advance(cpu) },
      observed: [{ what: "assert", detail: { id: args.id, why: args.why, holds: machine.holds(cpu, args.condition) } }],
    },
  ],
});

/** Compares text, as loads of this CPU find it, with what it is to be. */
export const expectTextRule = rule({
  id: "expectText",
  source: "R46; ftrace_verify_code, arch/x86/kernel/ftrace.c; ftrace_modify_code, arch/arm64/kernel/ftrace.c, 7.3",
  reads: ["cpu", "memory"],
  writes: ["cpu"],
  says: {
    "expect-text"({ address, expected, found }, { place }) {
      const told = `finds ${spaced(found)} at ${place(address)}`;
      return found === expected ? quiet(`${told}, as expected`) : told;
    },
  },
  apply({ cpu, memory }, { address, bytes }: { readonly address: bigint; readonly bytes: string }, machine) {
    const found = fromHex(bytes).map((_, i) => textSeen(cpu, memory, address + BigInt(i), machine));
    const held = found.some((byte) => byte === undefined) ? "no code" : toHex(found as number[]);
    const freed = freedIn({ address, size: bytes.length / 2 }, memory, machine);
    return [
      {
        set: { cpu: machine.advance(cpu) },
        observed: [
          { what: "expect-text", detail: { address, expected: bytes, found: held, ...(freed ? { freed } : {}) } },
        ],
      },
    ];
  },
});

/** A byte of text as this CPU's loads find it, that of a site of data too; undefined where nothing is. */
const textSeen = (cpu: CpuState, memory: MemoryState, address: bigint, machine: World): number | undefined => {
  const key = addressKey(address);
  const own = machine.order.pending(cpu).findLast((write) => write.to === "data" && write.bytes[key] !== undefined);
  const datum = own?.to === "data" ? own.bytes[key] : memory.data[key];
  return datum === undefined ? byteSeen(cpu, memory, address, machine) : Number.parseInt(datum, 16) || 0;
};

/**
 * Asserts that a condition on locals holds here; where it does not, `assertion` breaks. `why` goes on from "the assertion does not hold:".
 * What it is about is loaded into locals by steps before it.
 */
export const assert = (id: string, condition: Condition, why: string, note?: string): Step =>
  step(id, "assert", { id, condition, why }, note);

/**
 * Compares the text at an address, as loads of this CPU find it, with the bytes that it is to hold, as kernels do before they write;
 * where it holds others, `assertion` breaks.
 */
export const expectText = (id: string, address: bigint, bytes: Bytes, note?: string): Step =>
  step(id, "expectText", { address, bytes: hexOf(id, bytes) }, note);
