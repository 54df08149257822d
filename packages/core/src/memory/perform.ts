import { InputError } from "../base/errors.js";
import type { Effect } from "../contract/effect.js";
import type { Observation } from "../contract/events.js";
import type { Write, Written } from "../contract/memory-order.js";
import type { CpuState, MemoryState, ServicesState } from "../contract/state.js";
import type { World } from "../contract/world.js";
import { changesOf, withChanges } from "../fetch/stale-code.js";

/** Makes a write visible to all CPUs. */
export const perform = (parts: Written, write: Write, machine: World): Written => {
  switch (write.to) {
    case "code":
      return performCode(parts, write, machine);
    case "data": {
      const memory = needed(parts.memory);
      return { ...parts, memory: { ...memory, data: { ...memory.data, ...write.bytes } } };
    }
    case "word": {
      const services = needed(parts.services);
      return { ...parts, services: { ...services, words: { ...services.words, [write.word]: write.value } } };
    }
    case "each-cpu":
      return mapped(parts, { id: "set-cpu-word", args: { word: write.word, value: write.value } });
    case "published": {
      const memory = needed(parts.memory);
      const sites = memory.sites.map((site, i) => (write.sites.includes(i) ? { ...site, published: true } : site));
      return { ...parts, memory: { ...memory, sites } };
    }
  }
};

/** R2, R3: a store of code appends a version of each cell that it changes, for every CPU. */
const performCode = (
  parts: Written,
  { address, bytes }: Extract<Write, { readonly to: "code" }>,
  machine: World,
): Written => {
  const memory = needed(parts.memory);
  const changes = changesOf(memory, address, bytes, machine);
  if (changes.length === 0) return parts;
  return mapped({ ...parts, memory: withChanges(memory, changes, machine) }, { id: "age", args: { changes } });
};

const mapped = (parts: Written, everyCpu: NonNullable<Written["everyCpu"]>): Written => {
  if (parts.everyCpu !== undefined) {
    throw new InputError(
      "A store of machine code becomes visible in several pieces, for which one step of the sequential order has no place; use the architectural memory order.",
      { place: "memory", code: "impossible" },
    );
  }
  return { ...parts, everyCpu };
};

const needed = <T>(part: T | undefined): T => {
  if (part === undefined) throw new Error("A rule that writes declares the part it writes to.");
  return part;
};

/** The effect that leads from some parts to what writes made of them. */
export const settled = (
  before: { readonly memory?: MemoryState; readonly services?: ServicesState; readonly cpu?: CpuState },
  written: Written,
  observed: readonly Observation[],
): Effect => ({
  set: {
    cpu: written.cpu,
    ...(written.memory === undefined || written.memory === before.memory ? {} : { memory: written.memory }),
    ...(written.services === undefined || written.services === before.services ? {} : { services: written.services }),
  },
  ...(written.everyCpu === undefined ? {} : { everyCpu: written.everyCpu }),
  observed,
});
