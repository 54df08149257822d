import type { Elf } from "./elf.js";
import { placeCode } from "./module-layout.js";
import { readCode, type SiteCode } from "./site-code.js";
import { readFtrace } from "./tables/ftrace.js";
import { readJumpLabels } from "./tables/jump-labels.js";
import { readPatchableEntries } from "./tables/patchable-entries.js";
import { readStaticCalls } from "./tables/static-calls.js";
import type { Entry } from "./tables/table.js";
import { readSleds, type SledKind } from "./tables/xray.js";

/** The kinds of sites, in the order in which sites at one address are numbered. */
export const siteKinds = ["jump-label", "ftrace", "static-call", "patchable-entry", "xray-sled"] as const;

/**
 * What a site is patched for: `jump-label` (`__jump_table`), `ftrace` (`__mcount_loc`), `static-call`
 * (`.static_call_sites`), `patchable-entry` (`__patchable_function_entries`) or `xray-sled` (`xray_instr_map`), which a program that was
 * built with LLVM's XRay patches itself.
 */
export type SiteKind = (typeof siteKinds)[number];

/**
 * A place in machine code that the kernel, or a program itself, patches at run time, as one of its tables lists it.
 *
 * Sources: Linux 7.3 include/linux/jump_label.h, include/linux/static_call_types.h, kernel/trace/ftrace.c; the instructions are
 * those of jump_label.c, ftrace.c and, on x86, static_call.c of the architecture.
 */
export interface PatchSite {
  readonly kind: SiteKind;
  /** The site's number among all of its file (`#N`), from 1, by address; in a relocatable file by section, then offset. */
  readonly number: number;
  /** The entry's number among those of its kind, from 1, in the order of the table. */
  readonly index: number;
  /** Whether `address` is a virtual address; if not the file is relocatable and it is an offset in `section`. */
  readonly linked: boolean;
  /** Virtual address, or offset in the section in bytes. */
  readonly address: bigint;
  /** Name of the section that the code is in. */
  readonly section: string;
  /** Alignment of that section in bytes, a power of two. */
  readonly alignment: number;
  /** Whether the offset in a 64-byte line is certain; if not it is known modulo `alignment` only, see {@link lineOffsets}. */
  readonly fixed: boolean;
  /**
   * Offset in bytes in a page of 4096, 0 to 4095: in a linked file by the address, in a module as the kernel's loader places it.
   * Absent in other relocatable files, and in a module behind a section whose size only the loader knows.
   */
  readonly pageOffset?: number;
  /** Length in bytes: of the instruction, or of the whole run of nops for `patchable-entry`; 1 for an unknown opcode. */
  readonly length: number;
  /** The `length` bytes at the site, with those relocations applied whose result is certain. Do not write to them. */
  readonly bytes: Uint8Array;
  /**
   * What stands there; `nops` for `patchable-entry`, `unknown` when the kernel would not accept it at a site of this kind. x86:
   * `nop2`, `nop5`, `jmp8`, `jmp32`, `call`, `jcc32`, the 5-byte `xor5`, `ret5`, `warn5`, `unlock5` of static calls. the
   * 6-byte `call-got`, `addr32-call` of position-independent -mfentry. AArch64: `nop`,
   * `b`, `bl`. RISC-V: `nop`, `jal`. A32: `nop`, `mov r0, r0`, `b`, `bl`, `add sp, sp, #4`. T32: `nop.w`, `b.w`, `bl`,
   * `add.w sp, sp, #4`. A sled of XRay: `jmp8+nops`, `ret+nops`, `b+nops`, `j+nops`, that of an event the jump alone.
   */
  readonly instruction: string;
  /** Offsets in bytes at which the instructions of the site start; `[0]` unless it is a run of nops. */
  readonly boundaries: readonly number[];
  /**
   * The part that the kernel rewrites while it runs: offset and length in bytes, and how many instructions stand there or will
   * (two for `auipc` and `jalr`, whatever nops the file has). Its length is 0 when all is padding that nobody executes. What else
   * there is was written before the code could be executed, or is a literal.
   */
  readonly patched: { readonly at: number; readonly length: number; readonly instructions: number };
  /** Alignment in bytes at which an instruction of the site is fetched whole; 1 on x86, where alignment decides nothing. */
  readonly fetchAlignment: 1 | 4;
  /** ARM: the decoder mode, `a32` or `t32`, by the file's mapping symbols. */
  readonly mode?: string;
  /** `patchable-entry`: how many bytes lie before the function's entry (call padding, a literal), 0 to `length`. */
  readonly padding?: number;
  /** `patchable-entry`: offset in bytes of the 8-byte literal that CALL_OPS binds to the call, when there is room for it. */
  readonly literal?: number;
  /** The site as `function+0xoff`, or `function-0xoff` when it lies before it; absent when no symbol is near. */
  readonly symbol?: string;
  /**
   * The symbol, or section and offset, that a relocation at the site points to; present when its result is not known because the
   * symbol is not in this file or in another section. `bytes` then hold what the file does, usually zeros.
   */
  readonly relocated?: string;
  /**
   * Where the site leads: a jump label's target by its table, else the destination of the branch that stands there. Virtual
   * address, or offset in `targetSection` in bytes; absent when nothing in this file says it.
   */
  readonly target?: bigint;
  /** Name of the section that the target is in. */
  readonly targetSection?: string;
  /** Jump label: whether the kernel's branch can lead to the target; absent when their distance is not known. */
  readonly inReach?: boolean;
  /** Jump label and static call: the key's symbol, `symbol+0xoff` inside an object; else a section and offset, or an address. */
  readonly key?: string;
  /**
   * Jump label: whether the key is on in the state that the bytes stand for: the site jumps, or is a nop and its entry has the
   * `branch` bit, but not both (the table in Linux 7.3 include/linux/jump_label.h). Absent for an unknown opcode.
   */
  readonly enabled?: boolean;
  /** XRay sled: where in its function it stands. */
  readonly sled?: SledKind;
  /** Static call: whether it is a tail call (a jump, not a call). */
  readonly tail?: boolean;
  /** Whether it lies in code that is freed after boot or loading: as a static call's entry says, else by the section. */
  readonly init?: boolean;
}

/**
 * Whether a site is call padding: no-operations before a function (`-fpatchable-function-entry=N,N`, as x86 kernels from 6.12 on have them),
 * which are listed with the sites though nobody executes or patches them.
 *
 * @param site A site of {@link findSites}. Throws nothing.
 */
export function isPadding(site: PatchSite): boolean {
  return site.kind === "patchable-entry" && site.instruction === "nops" && site.patched.length === 0;
}

/**
 * Finds all patch sites of a file.
 *
 * Tables are found by section name; in a linked file also by the symbols around them (`__start___jump_table` and so on), since
 * the kernel's linker script merges them into other sections. Zero entries of `__mcount_loc` are skipped.
 *
 * @param elf A file read with {@link readElf}.
 * @returns The sites by number; none when the file has no such table.
 * @throws InputError when a table, a relocation or a symbol that is needed is broken, of a type that is not known, or points
 *   outside of the file's code, and for a kernel image without the symbols that its tables are found by.
 */
export function findSites(elf: Elf): PatchSite[] {
  const entries = [
    ...readJumpLabels(elf),
    ...readFtrace(elf),
    ...readStaticCalls(elf),
    ...readPatchableEntries(elf),
    ...readSleds(elf),
  ];
  if (entries.length === 0) refuseStrippedKernel(elf);
  // Stable, so that sites at one place stay in the order of the kinds.
  entries.sort((a, b) => a.place - b.place);
  const limits = nextPlaces(entries);
  const placed = placeCode(elf);
  return entries.map((entry, i) => toSite(elf, entry, i + 1, limits[i] as number, placed));
}

/** For each entry the place of the next one that lies elsewhere. */
function nextPlaces(entries: readonly Entry[]): Float64Array {
  const next = new Float64Array(entries.length).fill(Number.POSITIVE_INFINITY);
  for (let i = entries.length - 2; i >= 0; i--) {
    const following = entries[i + 1]?.place as number;
    next[i] = entries[i]?.place === following ? (next[i + 1] as number) : following;
  }
  return next;
}

function toSite(elf: Elf, entry: Entry, number: number, limit: number, placed: ReadonlyMap<number, number>): PatchSite {
  const { kind, index, place } = entry;
  const code = readCode(elf, entry, limit);
  const { section, offset, instruction } = code;
  const linked = !elf.relocatable;
  const { target, targetSection } = toTarget(elf, entry.target ?? code.target);
  const enabled = entry.branch === undefined || instruction === "unknown" ? undefined : code.branches !== entry.branch;
  const address = linked ? elf.toAddress(place) : BigInt(offset);
  const start = linked ? 0 : placed.get(section.index);
  const near = linked || targetSection === section.name;
  // Assigned one by one: a large kernel has 100,000 of these.
  const site: Writable<PatchSite> = {
    kind,
    number,
    index,
    linked,
    address,
    section: section.name,
    alignment: section.alignment,
    fixed: start !== undefined || section.alignment >= 64,
    length: code.bytes.length,
    bytes: code.bytes,
    instruction,
    boundaries: code.boundaries,
    patched: code.patched,
    fetchAlignment: elf.machine.fetchAlignment,
  };
  if (start !== undefined) site.pageOffset = (start + Number(address % 4096n)) % 4096;
  if (code.mode !== undefined) site.mode = code.mode;
  if (code.padding !== undefined) site.padding = code.padding;
  if (code.literal !== undefined) site.literal = code.literal;
  const symbol = nameSite(elf, place, code.padding);
  if (symbol !== undefined) site.symbol = symbol;
  if (code.relocated !== undefined) site.relocated = code.relocated;
  if (target !== undefined) site.target = target;
  if (targetSection !== undefined) site.targetSection = targetSection;
  const inReach = near ? reaches(place, entry.target, code.reach) : undefined;
  if (inReach !== undefined) site.inReach = inReach;
  if (entry.key !== undefined) site.key = entry.key;
  if (enabled !== undefined) site.enabled = enabled;
  if (entry.sled !== undefined) site.sled = entry.sled;
  if (entry.tail !== undefined) site.tail = entry.tail;
  const init = entry.init ?? (section.name.startsWith(".init") || undefined);
  if (init !== undefined) site.init = init;
  return site;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

function reaches(place: number, target: number | undefined, reach: SiteCode["reach"]): boolean | undefined {
  if (target === undefined || reach === undefined) return undefined;
  return target - place >= reach.least && target - place <= reach.most;
}

function nameSite(elf: Elf, place: number, padding = 0): string | undefined {
  const { functions } = elf;
  const inside = functions.covering(place);
  // Where labels count as functions, one at the padding is not what the site is known by.
  const named = inside?.offset === 0 && elf.symbols?.typed !== false;
  if (padding === 0 || named) return inside && functions.format(inside, true);
  const next = functions.next(place);
  const found = next?.offset === -padding ? next : undefined;
  return found && functions.format(found, true);
}

function toTarget(elf: Elf, place: number | undefined): { target?: bigint; targetSection?: string } {
  const located = place === undefined ? undefined : elf.locate(place);
  if (place === undefined || !located?.section) return {};
  return {
    target: elf.relocatable ? BigInt(located.offset) : elf.toAddress(place),
    targetSection: located.section.name,
  };
}

/** A stripped vmlinux has its tables, but nothing says where: no sites would be a wrong answer. */
function refuseStrippedKernel(elf: Elf): void {
  if (elf.relocatable || elf.symbols) return;
  if (!elf.sections.some(({ name }) => name === "__ksymtab" || name === ".altinstructions")) return;
  throw elf.file.fault(
    "section headers",
    "this kernel has no symbol table and no names of its own; expected what says where its tables are",
  );
}
