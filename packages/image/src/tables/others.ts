import type { Elf } from "../elf.js";
import { findTables, type TableName } from "./table.js";

/** What tables that are not of sites list; see {@link otherTables}. */
export const otherKinds = ["alternatives", "kprobe-blacklist"] as const;

/** One of {@link otherKinds}. */
export type OtherKind = (typeof otherKinds)[number];

type Other = {
  readonly names: readonly TableName[];
  /** Bytes of an entry on this machine; several where kernels of different age differ. */
  readonly sizes: (elf: Elf) => readonly number[];
};

const alternatives = (section: string, start = "__alt_instructions", stop = "__alt_instructions_end"): TableName => ({
  section,
  start,
  stop,
});

/** `struct alt_instr` of each architecture in Linux 6.1 to 7.3; x86's has a wider flag since 6.3. */
const alternativeSizes: { readonly [machine: string]: readonly number[] } = {
  "x86-64": [14, 12],
  AArch64: [12],
  "RISC-V": [16],
  ARM: [8],
};

const others: { readonly [K in OtherKind]: Other } = {
  alternatives: {
    names: [
      alternatives(".altinstructions"),
      alternatives(".alternative", "__alt_start", "__alt_end"),
      alternatives(".alt.smp.init", "__smpalt_begin", "__smpalt_end"),
    ],
    sizes: ({ machine }) => alternativeSizes[machine.name] ?? [],
  },
  "kprobe-blacklist": {
    names: [{ section: "_kprobe_blacklist", start: "__start_kprobe_blacklist", stop: "__stop_kprobe_blacklist" }],
    sizes: ({ class: { word } }) => [word],
  },
};

/**
 * How many entries the tables have that list no sites: `alternatives` (code that is replaced at boot or when a module is loaded, before
 * it is executed) and `kprobe-blacklist` (functions in which no kprobe may be placed).
 *
 * Sources: Linux 7.3 alternative.h of each architecture and kernel/kprobes.c.
 *
 * @param elf A file read with {@link readElf}.
 * @returns A number for each table that is found; one that neither a section nor symbols tell of is left out.
 * @throws InputError when a table is no whole number of entries or lies outside of the file.
 */
export function otherTables(elf: Elf): { readonly [K in OtherKind]?: number } {
  const found = otherKinds.map((kind) => [
    kind,
    others[kind].names.reduce((sum, name) => sum + entriesOf(elf, kind, name), 0),
  ]);
  return Object.fromEntries(found.filter(([, number]) => number !== 0));
}

function entriesOf(elf: Elf, kind: OtherKind, name: TableName): number {
  const symbols = elf.relocatable ? undefined : elf.symbols?.find([name.start, name.stop]);
  const known = elf.sections.some((section) => section.name === name.section) || symbols?.size === 2;
  if (!known) return 0;
  const sizes = others[kind].sizes(elf);
  return findTables(elf, { ...name, entrySize: 1 }).reduce((sum, table) => {
    const size = sizes.find((each) => sizes.length === 1 || isTable(table.bytes, each)) ?? sizes[0];
    return sum + (size === undefined ? 0 : table.entriesOf(size));
  }, 0);
}

/** Whether each entry of x86's alternatives is one: at its end stand the length of what is replaced, and of what replaces it. */
function isTable(bytes: Uint8Array, size: number): boolean {
  for (let end = size; end <= bytes.length; end += size) {
    const length = bytes[end - 2] as number;
    if (length === 0 || (bytes[end - 1] as number) > length) return false;
  }
  return bytes.length % size === 0;
}
