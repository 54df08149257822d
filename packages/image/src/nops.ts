import type { Elf } from "./elf.js";
import type { Entry } from "./tables/table.js";

/** The instructions of a site. */
export type SiteInstructions = {
  readonly bytes: Uint8Array;
  readonly instruction: string;
  /** Offsets at which they start. */
  readonly boundaries: readonly number[];
  /** Bytes before a function's entry. */
  readonly padding?: number;
  /** Offset of the word before the entry that CALL_OPS binds to the call. */
  readonly literal?: number;
  /** What of them the kernel rewrites while it runs. */
  readonly patched: { readonly at: number; readonly length: number; readonly instructions: number };
};

/** The run of nops from a place on, up to `limit`, and what of it lies before the entry of a function. */
export function readNops(
  elf: Elf,
  code: Uint8Array,
  { place, padding: known }: Pick<Entry, "place" | "padding">,
  limit: number,
  mode: string | undefined,
): SiteInstructions {
  const layout = elf.machine.entry;
  const nops = nopsFrom(elf, code, 0, limit - place, mode);
  const padding = known ?? paddingOf(elf, place, nops.end, limit);
  const pad = layout && padding + layout.length <= code.length ? layout.landingPad(code.subarray(padding)) : 0;
  const start = padding + pad;
  const most = layout ? start + layout.length : Number.POSITIVE_INFINITY;
  const executed = nopsFrom(elf, code, start, Math.min(limit - place, most), mode);
  const before = nops.boundaries.filter((at) => at < padding);
  const boundaries = [...before, ...(pad > 0 ? [padding] : []), ...executed.boundaries];
  const end = Math.max(padding, executed.end);
  // Padding alone is nothing that ftrace could patch.
  if (end === 0 || (layout && executed.boundaries.length === 0)) {
    const nothing = { at: 0, length: 0, instructions: 0 };
    return { bytes: code.subarray(0, 1), instruction: "unknown", boundaries: [0], padding: 0, patched: nothing };
  }
  const hasLiteral = layout !== undefined && padding >= layout.literal;
  const whole = layout !== undefined && executed.end === most;
  const part = whole ? layout.patched(hasLiteral) : entryOf(elf, executed, start);
  return {
    bytes: code.subarray(0, end),
    instruction: "nops",
    boundaries,
    padding,
    ...(hasLiteral && { literal: padding - layout.literal }),
    patched: { ...part, at: start + part.at },
  };
}

/**
 * What is patched of the nops from an entry on: all of them; where they are too few for a far jump and there is room for one before the
 * entry, as many as a jump back to that takes. (GCC manual, "-fpatchable-function-entry"; MSVC, "/hotpatch")
 */
function entryOf(elf: Elf, { boundaries, end }: ReturnType<typeof nopsFrom>, start: number) {
  const { hotPatch } = elf.machine;
  const isHot = hotPatch && end - start < hotPatch.far && start >= hotPatch.far;
  const stop = isHot ? boundaries.find((at) => at - start >= hotPatch.back) : undefined;
  return {
    at: 0,
    length: (stop ?? end) - start,
    instructions: stop === undefined ? boundaries.length : boundaries.indexOf(stop),
  };
}

/** Whether there are nops for the literal of CALL_OPS from a place on, and behind them a function's entry with its own. */
export function hasRoomForLiteral(elf: Elf, place: number): boolean {
  const layout = elf.machine.entry;
  const located = elf.locate(place);
  if (!layout || !located?.section) return false;
  const code = elf.content(located.section).subarray(located.offset);
  const mode = elf.modeAt(place);
  if (nopsFrom(elf, code, 0, layout.literal, mode).end !== layout.literal) return false;
  const start = layout.literal + layout.landingPad(code.subarray(layout.literal));
  return nopsFrom(elf, code, start, start + layout.length, mode).end === start + layout.length;
}

/** The run of no-operations from `start` on that ends at `limit` or before it. */
export function nopsFrom(elf: Elf, code: Uint8Array, start: number, limit: number, mode: string | undefined) {
  const boundaries: number[] = [];
  let end = start;
  for (;;) {
    const length = elf.machine.nopLength(code, end, mode);
    if (length === 0 || end + length > limit) return { boundaries, end };
    boundaries.push(end);
    end += length;
  }
}

/**
 * Padding ends where a function starts. Linux names the padding before `f` itself `__pfx_f` (6.3 and later); other files have no
 * symbol there. A weak function that was overridden has lost its symbol: then the room for a literal tells, or an ftrace call
 * at the entry, or 4 bytes on behind `endbr64`.
 */
function paddingOf(elf: Elf, place: number, length: number, nextSite: number): number {
  const { functions } = elf;
  const found = functions.covering(place);
  if (found?.offset === 0 && !functions.format(found).startsWith("__pfx_")) return 0;
  const entry = functions.next(place);
  if (entry && -entry.offset <= length) return -entry.offset;
  if (found) return 0;
  const layout = elf.machine.entry;
  if (layout) return length >= layout.literal + layout.length ? layout.literal : 0;
  return nextSite - (place + length) <= 4 ? length : 0;
}
