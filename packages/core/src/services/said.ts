import type { Data } from "../base/data.js";
import { own } from "../base/own.js";
import { type CpuState, FREED } from "../contract/state.js";
import type { Telling } from "../contract/telling.js";
import { wordSeen } from "../memory/seen.js";

/* Pieces of what rules say of their steps. */

/** Bytes (hex) with a blank between each two. */
export const spaced = (bytes: string): string => bytes.replace(/..(?=.)/g, "$& ");

/** Data as text, addresses in hexadecimal. */
export const dataText = (value: Data): string =>
  value === FREED
    ? "freed"
    : (JSON.stringify(value, (_, inner) => (typeof inner === "bigint" ? `0x${inner.toString(16)}` : inner)) ??
      "nothing");

/** A value of a word behind its name, unless it is long. */
export const assigned = (value: Data): string => {
  if (value === FREED) return "freed";
  const text = dataText(value);
  return text.length > 12 ? "" : ` = ${text}`;
};

/** The value of a shared word behind its name, as the acting CPU sees it before or after its step. */
export const wordIn = (when: "before" | "after", word: string, { step, world }: Telling): string => {
  const view = step[when];
  return assigned(wordSeen(view.cpus[step.cpu] as CpuState, view.services, word, world));
};

/** A cache operation, and of which line. */
export const maintenance = (
  { operation, address }: { readonly operation: string; readonly address?: bigint },
  { place }: Telling,
): string => `${operation}${address === undefined ? "" : ` of the line of ${place(address)}`}`;

/** Where something stands, if that is in a site. */
export const standing = (at: bigint | null, { place, world }: Telling): string =>
  at === null || world.siteAt(at) === undefined ? "" : ` at ${place(at)}`;

/** How an architecture calls its return from an exception. */
const exceptionReturns: { readonly [cpu: string]: string } = { arm64: "ERET", x86: "IRET" };

/** The return from an exception, in the architecture's word. */
export const exceptionReturn = ({ world }: Telling): string => own(exceptionReturns, world.cpu.id) ?? "returns";

/** `a`, `a and b`, `a, b and c`. */
export const listed = (items: readonly string[]): string =>
  items.length < 2 ? (items[0] ?? "") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
