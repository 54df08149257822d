import type { FileView } from "../file-view.js";

/** Where the tables of names lie in a file, found by what they hold alone. */
export type NameTables = {
  /** Number of symbols. */
  readonly count: number;
  /** File offset of the 4 bytes that hold it. */
  readonly countAt: number;
  /** File offset of each name's first byte, its length. */
  readonly names: Uint32Array;
  /** File offset behind the token index. */
  readonly end: number;
  /** What each byte of a name stands for. */
  readonly tokens: readonly string[];
};

const TOKENS = 256;
/** The most bytes of a name, and so of a token (Linux include/linux/kallsyms.h, KSYM_NAME_LEN). */
const LONGEST = 512;
/** The most symbols; a large kernel has 200,000. */
const MOST = 2 ** 22;
/** The most bytes of names, markers and order of names before the tokens. */
const FARTHEST = 2 ** 24;
/** Names that are looked at before all are walked. */
const SAMPLE = 16;
/** Names that are walked in vain before the search is given up. */
const PATIENCE = 2 ** 23;

const align = (offset: number, to: number): number => Math.ceil(offset / to) * to;
const latin1 = new TextDecoder("latin1");

/**
 * Finds the tables that scripts/kallsyms.c of Linux writes, 4.6 and later. The digits stand for themselves, one after another, in the
 * table of tokens; its index tells where it begins. Before it lie the names, each behind its length, and before these their number;
 * markers tell where each 256th name begins, and leave no doubt.
 */
export function findNameTables(file: FileView): NameTables | undefined {
  const bytes = Buffer.from(file.bytes.buffer, file.bytes.byteOffset, file.size);
  const digits = Buffer.from([..."0123456789"].map((digit) => `${digit}\0`).join(""), "latin1");
  const effort = { left: PATIENCE };
  for (let at = bytes.indexOf(digits); at >= 0; at = bytes.indexOf(digits, at + 1)) {
    const tokens = readTokens(file, at);
    const names = tokens && findAllNames(file, tokens, effort);
    if (tokens && names) return { ...names, end: tokens.end, tokens: tokens.tokens };
  }
  return undefined;
}

type Tokens = { readonly start: number; readonly end: number; readonly tokens: readonly string[] };

/** The tokens around that of the digit 0 at `zero`, where an index behind them agrees. */
function readTokens(file: FileView, zero: number): Tokens | undefined {
  const { bytes } = file;
  let end = zero;
  for (let i = 48; i < TOKENS; i++) {
    const terminator = bytes.subarray(end, end + LONGEST).indexOf(0);
    if (terminator < 0) return undefined;
    end += terminator + 1;
  }
  for (const index of [align(end, 8), align(end, 4)]) {
    if (index + 2 * TOKENS > file.size) continue;
    const start = zero - file.u16(index + 2 * 48);
    if (start < 0) continue;
    const tokens: string[] = [];
    let at = start;
    while (at < end && tokens.length < TOKENS && file.u16(index + 2 * tokens.length) === at - start) {
      const length = bytes.subarray(at, at + LONGEST).indexOf(0);
      if (length < 0) break;
      tokens.push(latin1.decode(bytes.subarray(at, at + length)));
      at += length + 1;
    }
    if (tokens.length === TOKENS && at === end) return { start, end: index + 2 * TOKENS, tokens };
  }
  return undefined;
}

type Names = Pick<NameTables, "count" | "countAt" | "names">;

function findAllNames(file: FileView, tokens: Tokens, effort: { left: number }): Names | undefined {
  for (let countAt = align(tokens.start, 4) - 4; countAt >= Math.max(0, tokens.start - FARTHEST); countAt -= 4) {
    const count = file.u32(countAt);
    if (count === 0 || count > MOST || countAt + 4 + 2 * count > tokens.start) continue;
    for (const first of new Set([align(countAt + 4, 8), countAt + 4])) {
      if (!looksLikeNames(file, first, Math.min(count, SAMPLE), tokens)) continue;
      const names = walkNames(file, first, count, tokens.start, effort);
      if (names) return { count, countAt, names };
      if (effort.left <= 0) return undefined;
    }
  }
  return undefined;
}

/** Whether the first names begin with a letter of a kind of symbol. */
function looksLikeNames(file: FileView, first: number, count: number, { tokens }: Tokens): boolean {
  let at = first;
  for (let i = 0; i < count; i++) {
    const length = nameLength(file.bytes, at);
    const letter = file.bytes[firstToken(file, at)];
    if (length < 2 || letter === undefined || !/^[AaBbDdNnRrTtVvWw]/.test(tokens[letter] ?? "")) return false;
    at += length;
  }
  return true;
}

/** The names from `first` on, where markers behind them agree. */
function walkNames(
  file: FileView,
  first: number,
  count: number,
  limit: number,
  effort: { left: number },
): Uint32Array | undefined {
  const { bytes } = file;
  let at = first;
  for (let i = 0; i < count; i++) {
    if (at >= limit) {
      effort.left -= i;
      return undefined;
    }
    at += nameLength(bytes, at);
  }
  effort.left -= count;
  const markers = [align(at, 8), align(at, 4)].find((markers) => {
    let start = first;
    for (let i = 0; i < count; i++) {
      if (i % 256 === 0 && (markers + i / 64 + 4 > limit || file.u32(markers + i / 64) !== start - first)) return false;
      start += nameLength(bytes, start);
    }
    return true;
  });
  if (markers === undefined) return undefined;
  const names = new Uint32Array(count);
  for (let i = 0, start = first; i < count; i++) {
    names[i] = start;
    start += nameLength(bytes, start);
  }
  return names;
}

/** Bytes of a name and its length, which takes two bytes from 128 on (Linux 6.1). */
function nameLength(bytes: Uint8Array, at: number): number {
  const length = bytes[at] ?? 0;
  return length < 128 ? 1 + length : 2 + (length & 127) + (bytes[at + 1] ?? 0) * 128;
}

/** A symbol's letter, as `nm` has it. */
export function letterOf(file: FileView, { names, tokens }: NameTables, index: number): string {
  return (tokens[file.bytes[firstToken(file, names[index] as number)] as number] as string).slice(0, 1);
}

/** A symbol's name, without the letter before it. */
export function nameOf(file: FileView, { names, tokens }: NameTables, index: number): string {
  const start = names[index] as number;
  const end = start + nameLength(file.bytes, start);
  let text = "";
  for (let at = firstToken(file, start); at < end; at++) text += tokens[file.bytes[at] as number];
  return text.slice(1);
}

/** The symbols of these names: their indices, -1 where there is none. */
export function findNames(file: FileView, tables: NameTables, names: readonly string[]): readonly number[] {
  const found = names.map(() => -1);
  for (let index = 0; index < tables.count; index++) {
    const which = names.indexOf(nameOf(file, tables, index));
    if (which >= 0) found[which] = index;
  }
  return found;
}

/** Offset of a name's first token, behind its length. */
function firstToken(file: FileView, name: number): number {
  return name + ((file.bytes[name] as number) < 128 ? 1 : 2);
}
