import type { Elf } from "../elf.js";
import { SHF_ALLOC, SHF_EXECINSTR } from "../sections.js";
import { findAbsoluteJumpTable } from "./arm-base.js";
import { longestRun, type Range, type Run, within } from "./structure.js";

/** A table that was found by what it looks like. */
export type FlatTable = { readonly name: string; readonly run: Run; readonly size: number };

/** The fewest entries of a table that is believed. */
const LEAST = 16;

/**
 * The tables that no symbols stand around, in a kernel without CONFIG_KALLSYMS_ALL: the longest runs of entries, each of which points
 * to an instruction that can be patched.
 *
 * @throws InputError when the kernel has the functions that use a table, and nothing looks like it.
 */
export function findFlatTables(elf: Elf): readonly FlatTable[] {
  const wanted = [
    { symbol: "__start___jump_table", user: "jump_label_init", find: findJumpTable },
    { symbol: "__start_mcount_loc", user: "ftrace_init", find: findEntries },
  ];
  const symbols = elf.symbols?.find(wanted.flatMap(({ symbol, user }) => [symbol, user]));
  return wanted.flatMap(({ symbol, user, find }) => {
    if (!symbols?.has(user) || symbols.has(symbol)) return [];
    const found = find(elf);
    if (found) return [found];
    throw elf.file.fault("symbols", `${user} is there, but neither ${symbol} nor anything that looks like its table`);
  });
}

function codeOf(elf: Elf): readonly Range[] {
  return elf.sections
    .filter(({ flags }) => (flags & SHF_EXECINSTR) !== 0)
    .map(({ address, size }) => ({ from: address, to: address + size }));
}

/** The bytes from a place of code on; undefined for another place. */
function codeAt(elf: Elf, code: readonly Range[], place: number): Uint8Array | undefined {
  const located = code.some((range) => within(place, range)) ? elf.locate(place) : undefined;
  return located?.section && elf.content(located.section).subarray(located.offset, located.offset + 64);
}

function findJumpTable(elf: Elf): FlatTable | undefined {
  const { file, machine } = elf;
  const code = codeOf(elf);
  const name = "__jump_table";
  if (machine.jumpEntries === "absolute") {
    // Other tables of three addresses can stand behind it, which its run would go on into.
    const run = findAbsoluteJumpTable(file, code, code[0] as Range, (place) => {
      const bytes = codeAt(elf, code, place);
      return bytes !== undefined && machine.siteInstruction("jump-label", bytes, "a32") !== undefined;
    });
    return run && { name, run, size: 12 };
  }
  const base = elf.sections[1]?.address ?? 0;
  const loaded = elf.sections.filter(({ flags }) => (flags & SHF_ALLOC) !== 0);
  const memory = { from: code[0]?.to ?? 0, to: Math.max(...loaded.map(({ address, size }) => address + size)) };
  const run = longestRun(file.size, { size: 16, step: 8, least: LEAST }, (offset) => {
    const place = base + offset;
    const [from, to] = [place + file.i32(offset), place + 4 + file.i32(offset + 4)];
    const high = file.i32(offset + 12);
    if (from % 2 !== 0 || to % 2 !== 0 || from === to || (high !== 0 && high !== -1)) return false;
    const key = place + 8 + high * 2 ** 32 + file.u32(offset + 8);
    if (!within(key, memory) || !code.some((range) => within(to, range))) return false;
    const bytes = codeAt(elf, code, from);
    return bytes !== undefined && machine.siteInstruction("jump-label", bytes) !== undefined;
  });
  return run && { name, run, size: 16 };
}

/** Addresses of functions that begin with what ftrace patches; they lie among what is freed. */
function findEntries(elf: Elf): FlatTable | undefined {
  const { file, machine } = elf;
  const { word } = elf.class;
  const code = codeOf(elf);
  const init = code[1];
  const section = elf.sections.find(({ address }) => address === init?.from);
  if (!init || !section) return undefined;
  const start = section.offset - (section.offset % word);
  const run = longestRun(file.size - start, { size: word, step: word, least: LEAST }, (offset) => {
    const place = section.address + start - section.offset + offset;
    const located = elf.locate(place)?.section;
    const held = word === 4 ? file.u32(start + offset) : file.u64(start + offset) === 0 ? 0 : Number.NaN;
    const to = (located && elf.relocations(located)?.apply(place, word, held)?.value) ?? held;
    const bytes = Number.isNaN(to) ? undefined : codeAt(elf, code, to);
    if (!bytes) return false;
    if (!machine.entry) return machine.siteInstruction("ftrace", bytes, elf.modeAt(to)) !== undefined;
    const first = machine.nopLength(bytes, 0);
    return first > 0 && machine.nopLength(bytes, first) > 0;
  });
  const name = machine.entry ? "__patchable_function_entries" : "__mcount_loc";
  return run && { name, run: { offset: run.offset + start, count: run.count }, size: word };
}
