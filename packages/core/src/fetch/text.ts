import { fromHex, hexAddress } from "../base/hex.js";
import type { Resumption, TextUse } from "../contract/events.js";
import type { TextLayout } from "../contract/layout.js";
import { addressKey, type Context, type MemoryState, type TextState } from "../contract/state.js";
import type { World as Machine } from "../contract/world.js";

/*
 * R47: text is memory with a life. It is mapped with some content, may be read, written and executed or not, is given back, and other code
 * may be mapped where it was. All that a scenario and its programs say of this divides text into stretches, each of which stands in one
 * way at a time; text of which nobody says anything is mapped, read-only and executable for ever, and has no state.
 *
 * The reductions hold. Text with a state lies in cells, so none of its instructions is urgent or fetched by a window without a step of its own.
 * What the steps here write they declare, and they reach other CPUs by a map over each by itself. That a context is left in text that was
 * given back changes what is observed and nothing that anybody does, so an urgent step that comes before the giving back loses no behaviour.
 */

export type Range = { readonly address: bigint; readonly size: number };

export const covers = ({ address, size }: Range, at: bigint): boolean => at >= address && at < address + BigInt(size);

export const bytesIn = ({ address, size }: Range): readonly bigint[] =>
  Array.from({ length: size }, (_, i) => address + BigInt(i));

export const meets = (a: Range, b: Range): boolean =>
  a.address < b.address + BigInt(b.size) && b.address < a.address + BigInt(a.size);

// ---- how text stands ----

/** Whether anything is said of any text. */
const hasLife = ({ layout }: Machine): boolean => layout.lives.stretches.length > 0;

/** How the text at an address stands; undefined where nobody says anything of it. */
export const standsAt = (address: bigint, memory: MemoryState | undefined, machine: Machine): TextState | undefined => {
  // Where nobody says anything of text, no step is to look at memory for it: what steps look at decides what can be left out.
  const stretch = machine.stretchAt(address);
  return stretch === undefined ? undefined : memory?.text?.[stretch];
};

/**
 * Whether a store to an address, but for one through a mapping of a patcher's own, is one to read-only text; without `memory`, to text that
 * is read-only for ever.
 */
export const isReadOnly = (address: bigint, memory: MemoryState | undefined, machine: Machine): boolean => {
  const stands = standsAt(address, memory, machine);
  const isCell = machine.cellOf(address) !== undefined;
  // Of sites it is taken that whoever stores there reaches them through a writable mapping.
  if (stands === undefined) return !isCell && machine.text(address) !== undefined;
  return isCell && !stands.access.includes("w");
};

/** Whether text may be written without a mapping of a patcher's own: only where somebody says so. */
export const isWritable = (address: bigint, memory: MemoryState, machine: Machine): boolean =>
  standsAt(address, memory, machine)?.access.includes("w") ?? false;

/** Whether text may be executed. */
export const isExecutable = (address: bigint, memory: MemoryState, machine: Machine): boolean =>
  standsAt(address, memory, machine)?.access.includes("x") ?? true;

/** Whether text was given back, or nothing was ever mapped there. */
const isFreed = (address: bigint, memory: MemoryState, machine: Machine): boolean =>
  standsAt(address, memory, machine)?.freed === true;

/** The first byte of a range that was given back; undefined where none was. */
export const freedIn = (range: Range, memory: MemoryState, machine: Machine): bigint | undefined =>
  hasLife(machine) ? bytesIn(range).find((at) => isFreed(at, memory, machine)) : undefined;

// ---- what an instruction of text is ----

const NOTHING: TextUse = {};

/**
 * What is wrong with an instruction (its bytes in hex) that takes effect at an address. `context` runs it; `stranded`: it was fetched before
 * its text was given back.
 */
export const textUse = (
  at: bigint,
  bytes: string,
  memory: MemoryState,
  context: Context,
  machine: Machine,
  stranded = false,
): TextUse => {
  const forbidden = machine.layout.forbidden.get(at);
  const freed = freedWhy(at, bytes, memory, context, machine, stranded);
  const strange = freed === undefined && isStrange(at, bytes, memory, machine);
  if (forbidden === undefined && freed === undefined && !strange) return NOTHING;
  return {
    ...(forbidden === undefined ? {} : { forbidden }),
    ...(freed === undefined ? {} : { freed }),
    ...(strange ? { strange } : {}),
  };
};

const freedWhy = (
  at: bigint,
  bytes: string,
  memory: MemoryState,
  context: Context,
  machine: Machine,
  stranded: boolean,
): string | undefined => {
  if (!hasLife(machine)) return undefined;
  const size = Math.max(1, bytes.length / 2);
  const gone = freedIn({ address: at, size }, memory, machine);
  if (gone !== undefined)
    return nowAt(memory, machine)(gone) === undefined ? "no code is mapped there yet" : "the text there was given back";
  if (stranded) return "it was fetched before the text there was given back";
  if (isStranded(at, context)) return "the context held this address when the text there was given back";
  return isFormer(at, bytes, memory, machine) ? "it is of code that lay there before and was given back" : undefined;
};

/** Whether a context held an address in text when that was given back. */
const isStranded = (at: bigint, { stranded }: Context): boolean => stranded?.includes(addressKey(at)) ?? false;

/** What is wrong with the place where a context goes on that was stopped: which it is, and why it is text that was given back. */
export const resumption = (context: Context | undefined, memory: MemoryState, machine: Machine): Resumption => {
  if (!hasLife(machine) || context?.code.run !== "machine") return NOTHING;
  const { home, pc, trapped } = context.code;
  if (home || trapped !== null) return NOTHING;
  if (isFreed(pc, memory, machine)) return { freed: `the text at ${hexAddress(pc)} was given back`, place: pc };
  if (!isStranded(pc, context)) return NOTHING;
  return { freed: `the text at ${hexAddress(pc)} was given back, and other code was mapped there since`, place: pc };
};

/** Content of text that a mapping brought, or that lies there at first. */
type Content = (address: bigint) => number | undefined;

const contentOf = (holds: number | undefined, machine: Machine): Content => {
  if (holds === undefined) return (at) => machine.text(at);
  const placed = machine.layout.lives.mapped[holds];
  return (at) => (placed === undefined || at < placed.address ? undefined : placed.bytes[Number(at - placed.address)]);
};

/** Whether bytes are an instruction of what lay there before, and of nothing that lies there now. */
const isFormer = (at: bigint, bytes: string, memory: MemoryState, machine: Machine): boolean => {
  const stands = standsAt(at, memory, machine);
  if (stands === undefined || machine.siteAt(at) !== undefined) return false;
  if (isOf(at, bytes, nowAt(memory, machine), machine)) return false;
  const { mapped } = machine.layout.lives;
  const former = [undefined, ...mapped.keys()].filter((holds) => holds !== stands.holds);
  return former.some((holds) => {
    const content = contentOf(holds, machine);
    return content(at) !== undefined && isOf(at, bytes, content, machine);
  });
};

/** The byte that was laid out or mapped at an address; undefined where no code is. */
export const contentAt = (at: bigint, memory: MemoryState, machine: Machine): number | undefined =>
  contentOf(standsAt(at, memory, machine)?.holds, machine)(at);

const nowAt =
  (memory: MemoryState, machine: Machine): Content =>
  (at) =>
    contentAt(at, memory, machine);

/** Whether bytes outside of sites are what nobody laid out there, mapped or stores with a step of a program. */
const isStrange = (at: bigint, bytes: string, memory: MemoryState, machine: Machine): boolean => {
  if (bytes === "" || machine.siteAt(at) !== undefined) return false;
  const places = bytesIn({ address: at, size: bytes.length / 2 });
  if (places.every((each) => machine.cellOf(each) === undefined)) return false;
  const now = nowAt(memory, machine);
  // Where no code is, that is what is wrong.
  if (now(at) === undefined && !storesAt(at, bytes, machine).some((each) => covers(sizeOf(each), at))) return false;
  return !isOf(at, bytes, now, machine);
};

type Stored = TextLayout["stores"][number];

const sizeOf = ({ address, bytes }: Stored): Range => ({ address, size: bytes.length / 2 });

/** What steps of programs store over bytes (hex) at an address. */
export const storesAt = (at: bigint, bytes: string, machine: Machine): readonly Stored[] =>
  machine.layout.lives.stores.filter((each) => meets(sizeOf(each), { address: at, size: bytes.length / 2 }));

/** Steps whose stores are put together in all ways; beyond that each byte is looked at by itself. */
const MOST_STORES = 10;

/** Whether bytes at an address are of some content, with none, some or all stores of programs made there. */
const isOf = (at: bigint, bytes: string, content: Content, machine: Machine): boolean => {
  const wanted = fromHex(bytes);
  const laid = wanted.map((_, i) => content(at + BigInt(i)));
  const stores = storesAt(at, bytes, machine);
  // Bytes of a site are judged as the site's.
  const free = wanted.map((_, i) => machine.siteAt(at + BigInt(i)) !== undefined);
  const fits = (held: readonly (number | undefined)[]): boolean =>
    wanted.every((byte, i) => free[i] || (held[i] ?? 0) === byte);
  const after = (held: readonly (number | undefined)[], { address, bytes: stored }: Stored): typeof held => {
    const values = fromHex(stored);
    return held.map((byte, i) => values[Number(at + BigInt(i) - address)] ?? byte);
  };
  if (stores.length > MOST_STORES)
    return wanted.every(
      (byte, i) => free[i] || (laid[i] ?? 0) === byte || stores.some((each) => after(laid, each)[i] === byte),
    );
  let ways = [laid];
  for (const each of stores) ways = [...ways, ...ways.map((held) => [...after(held, each)])];
  return ways.some(fits);
};
