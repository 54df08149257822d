import type { Elf } from "./elf.js";
import type { SiteInstruction } from "./machines.js";
import type { Section } from "./sections.js";
import type { Entry } from "./tables/table.js";

/** What stands at a site. */
export type SiteCode = {
  readonly section: Section;
  /** Bytes from the start of the section. */
  readonly offset: number;
  readonly bytes: Uint8Array;
  readonly instruction: string;
  readonly boundaries: readonly number[];
  readonly padding?: number;
  readonly relocated?: string;
  /** Place that a branch at the site leads to. */
  readonly target?: number;
};

const single = [0] as const;

/** Reads the code of a site; a run of nops ends at `limit`, the place of the next site. */
export function readCode(elf: Elf, entry: Entry, limit: number): SiteCode {
  const located = elf.locate(entry.place);
  if (!located?.section || located.offset >= located.section.size) {
    const what = `${entry.kind} entry ${entry.index}`;
    throw elf.file.fault(what, `it points to ${elf.describe(entry.place)}; expected a place in a section of this file`);
  }
  const { section, offset } = located;
  const code = elf.content(section).subarray(offset);
  if (entry.kind === "patchable-entry") return { section, offset, ...readNops(elf, code, entry.place, limit) };
  const instruction = elf.machine.siteInstruction(entry.kind, code);
  if (!instruction) {
    return { section, offset, bytes: code.subarray(0, 1), instruction: "unknown", boundaries: single };
  }
  const bytes = code.subarray(0, instruction.length);
  const common = { section, offset, instruction: instruction.name, boundaries: single };
  return { ...common, ...relocateBranch(elf, section, entry.place, bytes, instruction) };
}

type Branch = Pick<SiteCode, "bytes" | "relocated" | "target">;

/** Applies the relocation of a branch when its destination lies in the same section, and so at a certain distance. */
function relocateBranch(
  elf: Elf,
  section: Section,
  place: number,
  bytes: Uint8Array,
  { length, displacement }: SiteInstruction,
): Branch {
  const relocations = elf.relocatable ? elf.relocations(section) : undefined;
  if (!displacement) {
    const symbol = relocations?.symbolWithin(place, length);
    return symbol === undefined ? { bytes } : { bytes, relocated: elf.describe(symbol) };
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const { at, size } = displacement;
  const field = size === 1 ? view.getInt8(at) : view.getInt32(at, true);
  const relocated = relocations?.apply(place + at, size, field);
  const target = place + length + (relocated?.value ?? field);
  if (!relocated) return { bytes, target };
  if (!elf.sameSection(place, target)) return { bytes, relocated: nameTarget(elf, relocated.symbol, target), target };
  const changed = bytes.slice();
  new DataView(changed.buffer).setInt32(at, relocated.value, true);
  return { bytes: changed, target };
}

/** The symbol alone when it is another file's; a function or section and offset in this one. */
function nameTarget(elf: Elf, symbol: number, target: number): string {
  if (!elf.locate(symbol)?.section) return elf.describe(symbol);
  const found = elf.functions.covering(target);
  return found ? elf.functions.format(found) : elf.describe(target);
}

/** The run of nops from a place on, and how much of it lies before the entry of a function. */
function readNops(elf: Elf, code: Uint8Array, place: number, limit: number): Omit<SiteCode, "section" | "offset"> {
  const boundaries: number[] = [];
  let end = 0;
  for (let length = elf.machine.nopLength(code, 0); length > 0; length = elf.machine.nopLength(code, end)) {
    if (place + end + length > limit) break;
    boundaries.push(end);
    end += length;
  }
  if (end === 0) return { bytes: code.subarray(0, 1), instruction: "unknown", boundaries: single, padding: 0 };
  return { bytes: code.subarray(0, end), instruction: "nops", boundaries, padding: paddingOf(elf, place, end, limit) };
}

/**
 * Padding ends where a function starts. Linux names the padding before `f` itself `__pfx_f` (6.3 and later); other files have no
 * symbol there. A weak function that was overridden has lost its symbol, but not its ftrace call at the entry, or 4 bytes
 * on behind `endbr64`.
 */
function paddingOf(elf: Elf, place: number, length: number, nextSite: number): number {
  const { functions } = elf;
  const found = functions.covering(place);
  if (found?.offset === 0 && !functions.format(found).startsWith("__pfx_")) return 0;
  const entry = functions.next(place);
  if (entry && -entry.offset <= length) return -entry.offset;
  return !found && nextSite - (place + length) <= 4 ? length : 0;
}
