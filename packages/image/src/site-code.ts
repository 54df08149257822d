import type { Elf } from "./elf.js";
import type { SiteInstruction } from "./machines.js";
import { readNops, type SiteInstructions } from "./nops.js";
import { type Section, SHF_EXECINSTR } from "./sections.js";
import { readSled } from "./sleds.js";
import type { Entry } from "./tables/table.js";

/** What stands at a site. */
export type SiteCode = SiteInstructions & {
  readonly section: Section;
  /** Bytes from the start of the section. */
  readonly offset: number;
  readonly mode?: string;
  /** Whether a direct branch stands there. */
  readonly branches: boolean;
  readonly relocated?: string;
  /** Place that a branch at the site leads to. */
  readonly target?: number;
  readonly reach?: SiteInstruction["reach"];
};

/** Reads the code of a site; a run of nops ends at `limit`, the place of the next site. */
export function readCode(elf: Elf, entry: Entry, limit: number): SiteCode {
  const { kind, place } = entry;
  const located = elf.locate(place);
  const section = located?.section;
  if (!section || located.offset >= section.size || (section.flags & SHF_EXECINSTR) === 0) {
    const what = `${kind} entry ${entry.index}`;
    throw elf.file.fault(
      what,
      `it points to ${elf.describe(place)}; expected a place in a section of code of this file`,
    );
  }
  const { offset } = located;
  const mode = elf.modeAt(place);
  const where: Pick<Writable, "section" | "offset" | "branches" | "mode"> = { section, offset, branches: false };
  if (mode !== undefined) where.mode = mode;
  const code = elf.content(section).subarray(offset);
  if (kind === "patchable-entry") return { ...where, ...readNops(elf, code, entry, limit, mode) };
  if (kind === "xray-sled") return { ...where, ...readSled(elf, code, entry, mode) };
  const instruction = elf.machine.siteInstruction(kind, code, mode);
  if (!instruction) return { ...where, instruction: "unknown", ...one(code.subarray(0, 1)) };
  const { name, length, branch, reach } = instruction;
  const { bytes, relocated, target } = relocate(elf, section, place, code.subarray(0, length), instruction);
  const found: Writable = {
    section,
    offset,
    branches: branch !== undefined,
    instruction: name,
    bytes,
    boundaries: FIRST,
    patched: { at: 0, length: bytes.length, instructions: 1 },
  };
  if (mode !== undefined) found.mode = mode;
  if (relocated !== undefined) found.relocated = relocated;
  if (target !== undefined) found.target = target;
  if (reach !== undefined) found.reach = reach;
  return found;
}

/** What is found of a site, one by one. */
type Writable = { -readonly [K in keyof SiteCode]: SiteCode[K] };

/** A site of one instruction starts where it starts. */
const FIRST: readonly number[] = [0];

function one(bytes: Uint8Array): Pick<SiteInstructions, "bytes" | "boundaries" | "patched"> {
  return { bytes, boundaries: FIRST, patched: { at: 0, length: bytes.length, instructions: 1 } };
}

type Relocated = Pick<SiteCode, "bytes" | "relocated" | "target">;

/** Applies the relocation of a branch when its destination lies in the same section, and so at a certain distance. */
function relocate(
  elf: Elf,
  section: Section,
  place: number,
  bytes: Uint8Array,
  instruction: SiteInstruction,
): Relocated {
  const { length, branch } = instruction;
  const relocations = elf.relocatable ? elf.relocations(section) : undefined;
  if (!branch) {
    const symbol = relocations?.symbolWithin(place, length);
    return symbol === undefined ? { bytes } : { bytes, relocated: elf.describe(symbol) };
  }
  const distance = branch.read(bytes);
  const relocated = relocations?.apply(place + branch.at, branch.size, distance);
  const target = place + branch.origin + (relocated?.value ?? distance);
  if (!relocated) return { bytes, target };
  if (!elf.sameSection(place, target)) return { bytes, relocated: nameTarget(elf, relocated.symbol, target), target };
  const changed = bytes.slice();
  branch.write(changed, relocated.value);
  return { bytes: changed, target };
}

/** The symbol alone when it is another file's; a function or section and offset in this one. */
function nameTarget(elf: Elf, symbol: number, target: number): string {
  if (!elf.locate(symbol)?.section) return elf.describe(symbol);
  const found = elf.functions.covering(target);
  return found ? elf.functions.format(found) : elf.describe(target);
}
