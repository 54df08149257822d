import type { Observation, TraceStep } from "@cmodx/core";
import type { ValueJson } from "./json.js";
import { indexBefore, isIn, lastOf, seen, stepText, type Values, value } from "./steps.js";

/* Since when text or data was given back or read-only, and how it was used then. */

/** Where text or data was given back, or other code mapped, and how it was used then. */
const freedText = (trace: readonly TraceStep[], at: bigint): readonly ValueJson[] => {
  const last = trace.length - 1;
  const gone = indexBefore(trace, last, (step) => {
    const range = seen(step, "free-code") ?? seen(step, "map-code") ?? seen(step, "free-data");
    return range !== undefined && isIn(range, at);
  });
  return gone < 0 ? [] : [value("freed", stepText(trace, gone)), value("used", stepText(trace, last))];
};

/** The place of an event that may lie in text or data that was given back. */
const placeOfUse = ({ what, detail }: Observation): bigint | undefined => {
  switch (what) {
    case "execute":
      return detail.at;
    case "store":
    case "window-store":
    case "expect-text":
      return detail.freed;
    case "store-freed":
    case "free-code":
      return detail.address;
    case "resume":
    case "exit-stopper":
    case "return-from-interrupt":
    case "return-from-trap":
      return detail.place;
    default:
      return undefined;
  }
};

/** Since when the text is read-only that was stored to. */
export const readOnlySince = (trace: readonly TraceStep[], address: bigint | null): readonly ValueJson[] => {
  const since = indexBefore(trace, trace.length, (step) => {
    const range = seen(step, "set-memory");
    return range?.change === "ro" && address !== null && isIn(range, address);
  });
  return since < 0 ? [] : [value("read-only", `since ${stepText(trace, since)}`)];
};

/** Where a word, text or data was given back, and where it was used since. */
export const freed: Values = (_machine, trace) => {
  const word = seen(lastOf(trace), "load-freed")?.word;
  if (word === undefined) {
    // The instruction stands behind what it stored.
    for (const observation of [...lastOf(trace).observed].reverse()) {
      const at = placeOfUse(observation);
      const found = at === undefined ? [] : freedText(trace, at);
      if (found.length > 0) return found;
    }
    return [];
  }
  if (word.startsWith("0x")) return freedText(trace, BigInt(word));
  const at = indexBefore(trace, trace.length, (step) => seen(step, "free")?.word === word);
  const last = trace.length - 1;
  return at < 0 ? [] : [value("freed", stepText(trace, at)), value("used", stepText(trace, last))];
};
