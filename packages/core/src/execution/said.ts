import { fromHex } from "../base/hex.js";
import type { Executed } from "../contract/events.js";
import { quiet, type Says, type Telling, type Told } from "../contract/telling.js";
import { spaced, standing } from "../services/said.js";

/* What an instruction did, in a timeline's words. */

const executed = (detail: Executed, { place }: Telling): string | Told => {
  const { at, text, vector, stale, site } = detail;
  const where = site !== null && detail.offset === 0 ? "" : ` at ${place(at)}`;
  const trap = vector === null || text.startsWith("(") ? "" : text === vector ? ": traps" : `: traps (${vector})`;
  const told = `executes ${text}${where}${stale ? " ~stale" : ""}${trap}`;
  return site === null && vector === null && !stale ? quiet(told) : told;
};

/** What is used that was given back. */
export const freedWords: Says = {
  "load-freed": ({ word }) => `loads ${word}, which was freed`,
  "store-freed": ({ address }, { place }) => `stores to ${place(address)}, which was given back`,
};

/** Who takes an exception, and what nobody takes care of. */
export const exceptionWords: Says = {
  caught: ({ to, vector }, { place }) => `goes on at ${place(to)}, where its ${vector} is handled`,
  "trap-unclaimed": ({ vector }) => `no handler claims the ${vector}`,
  fault: ({ vector, to }, { place }) => {
    if (vector === "nmi") return "FAULTS: it overwrites the frame of the one that is being handled";
    if (vector === "unsupported" || vector === "opaque") return "FAULTS: its effect is not known";
    if (vector !== null) return `FAULTS: nothing handles the ${vector}`;
    return to === null ? "FAULTS: no instruction begins there" : `LEAVES the modelled code for ${place(to)}`;
  },
};

/** What a task fetched of a round that it has not begun. */
const ahead = (beyond: true | undefined): string => (beyond === true ? ", beyond the end of its round" : "");

/** What machine code does. */
export const executionWords: Says = {
  ...freedWords,
  ...exceptionWords,
  execute: executed,
  "fetch-part": ({ at, bytes, beyond }, { place }) =>
    `fetches ${spaced(bytes)} at ${place(at)}, the first part of an instruction${ahead(beyond)}`,
  fetch: ({ at, bytes, stale, beyond }, telling) => {
    const text = bytes === "" ? "nothing" : telling.world.disassemble(fromHex(bytes), at);
    const told = `fetches ${text}${standing(at, telling)}${stale ? " ~stale" : ""}${ahead(beyond)}`;
    return stale ? told : quiet(told);
  },
  "window-load": ({ address, value, forwarded }, { place }) =>
    quiet(`loads 0x${value.toString(16)} from ${place(address)}${forwarded ? ", its own" : ""}`),
  "window-store": ({ address, value }, { place }) => quiet(`stores 0x${value.toString(16)} at ${place(address)}`),
  "window-fault": ({ address }, { place }) => quiet(`may not store at ${place(address)}`),
  "window-maintain": ({ operation }) => quiet(operation),
  "window-complete": () => quiet("its invalidations are in force everywhere"),
  "window-restart": ({ at }, { place }) => quiet(`fetches and loads again from ${place(at)} on`),
};
