import type { Elf } from "./elf.js";
import { nopsFrom, type SiteInstructions } from "./nops.js";
import type { Entry } from "./tables/table.js";

const events: ReadonlySet<Entry["sled"]> = new Set(["custom-event", "typed-event"]);

/**
 * A sled of LLVM's XRay: a jump over no-operations, or a return before them, in whose place comes a call. That of an event is the jump
 * alone, over a call that is there.
 *
 * What is patched is what the last store changes: the rest is written before, where the jump is in its way.
 */
export function readSled(elf: Elf, code: Uint8Array, { sled }: Entry, mode: string | undefined): SiteInstructions {
  const first = elf.machine.sled?.(code, mode);
  const nops = first && nopsFrom(elf, code, first.length, first.to, mode);
  const isEvent = events.has(sled);
  if (first === undefined || nops === undefined || (!isEvent && nops.end !== first.to)) {
    const bytes = code.subarray(0, 1);
    return {
      bytes,
      instruction: "unknown",
      boundaries: [0],
      patched: { at: 0, length: bytes.length, instructions: 1 },
    };
  }
  const boundaries = isEvent ? [0] : [0, ...nops.boundaries];
  const length = Math.max(first.length, first.stored);
  return {
    bytes: code.subarray(0, isEvent ? first.length : first.to),
    instruction: isEvent ? first.name : `${first.name}+nops`,
    boundaries,
    patched: { at: 0, length: isEvent ? first.length : length, instructions: boundaries.length },
  };
}
