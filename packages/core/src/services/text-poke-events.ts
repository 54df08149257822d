import type { Bytes } from "../base/data.js";
import { InputError } from "../base/errors.js";
import { fromHex } from "../base/hex.js";
import type { Decoded } from "../contract/events.js";
import type { Instruction, Outcome, Registers } from "../contract/instruction-set.js";
import type { Step } from "../contract/program.js";
import { rule } from "../contract/rule.js";
import type { MemoryState, SiteState } from "../contract/state.js";
import type { World } from "../contract/world.js";
import { step } from "../program/builder.js";
import { hexOf, optionsOf } from "../program/given.js";

/*
 * A decoder of hardware traces sees the text-poke events in the order of their stamps, and of each CPU the exceptions it took, which way
 * its conditional branches went and where its indirect ones went. Everything else it reads off the code that the events say is there:
 * an instruction that goes straight on, or branches to where its own bytes say, leaves nothing in a trace.
 */

/** What an instruction can leave in a trace. */
export type Trail = "nothing" | "exception" | "branch";

const withLoads = (insn: Instruction, at: bigint, registers: Registers, machine: World, value: bigint): Outcome => {
  const outcome = machine.instructionSet.execute(insn, at, registers);
  if (outcome.do !== "load") return outcome;
  return machine.instructionSet.execute(
    insn,
    at,
    registers,
    outcome.from.map(({ size }) => BigInt.asUintN(8 * size, value)),
  );
};

/** What an instruction, `bytes` in hex, leaves in a trace. */
export const trailOf = (bytes: string, at: bigint, mode: string, machine: World): Trail => {
  const insn = machine.instructionSet.decode(fromHex(bytes), mode);
  if (typeof insn === "string") return "exception";
  if (machine.instructionSet.inputs(insn).some(({ role }) => role === "branch")) return "branch";
  const [one, other] = [0n, -1n].map((value) => withLoads(insn, at, {}, machine, value)) as [Outcome, Outcome];
  if (one.do === "trap") return "exception";
  return one.do === "retire" && other.do === "retire" && one.next !== other.next ? "branch" : "nothing";
};

/**
 * What the decoder makes of an instruction that was executed at a place in a site, `bytes` in hex; null where no events are published.
 */
export const decode = (
  { traced, calling }: SiteState,
  { site, offset }: { readonly site: number; readonly offset: number },
  bytes: string,
  machine: World,
): Decoded | null => {
  if (traced === undefined) return null;
  const { address, mode } = machine.layout.sites[site] as { readonly address: bigint; readonly mode: string };
  const at = address + BigInt(offset);
  const trail = trailOf(bytes, at, mode, machine);
  const possible = new Set(
    machine
      .instructionsAt(site, offset)
      .filter((insn) => traced.includes(insn.version) && trailOf(insn.bytes, at, mode, machine) === trail)
      .map((insn) => insn.bytes),
  );
  if (!possible.has(bytes)) return "wrong";
  if (possible.size === 1) return "told";
  return calling ? "open" : "ambiguous";
};

/** The memory once an instruction was executed that the decoder has still to tell: the end of the change decides. */
export const withUntold = (memory: MemoryState, site: number, decoded: Decoded | undefined): MemoryState => {
  const state = memory.sites[site];
  if (decoded !== "open" || state?.untold === true) return memory;
  return { ...memory, sites: memory.sites.map((each, i) => (i === site ? { ...each, untold: true } : each)) };
};

/** The state of a site without what was not told, which is now judged. */
export const judged = ({ untold: _, ...state }: SiteState): SiteState => state;

type Event = { readonly address: bigint; readonly old: string; readonly next: string; readonly begins: boolean };

/** A text-poke event is published. */
export const publishEventRule = rule({
  id: "publishEvent",
  source: "perf_event_text_poke, kernel/events/core.c, 7.3",
  writesData: () => [],
  reads: ["cpu", "memory"],
  writes: ["cpu", "memory"],
  says: {
    "publish-event": ({ begins }) => `publishes an event: ${begins ? "old or new" : "new"} from here on`,
  },
  apply({ cpu, memory }, { address, old, next, begins }: Event, machine) {
    const index = machine.siteAt(address)?.site;
    const state = index === undefined ? undefined : memory.sites[index];
    if (index === undefined || state === undefined)
      throw new InputError(`A text-poke event is about a site; none lies at 0x${address.toString(16)}.`, {
        place: "publishEvent",
        code: "no-code",
      });
    const traced = begins ? [state.from, state.to].sort() : [state.to];
    const after = begins ? { ...state, traced } : { ...judged(state), traced };
    const untold = !begins && state.untold === true;
    return [
      {
        set: {
          cpu: machine.advance(cpu),
          memory: { ...memory, sites: memory.sites.map((s, i) => (i === index ? after : s)) },
        },
        observed: [{ what: "publish-event", detail: { address, old, next, begins, untold } }],
      },
    ];
  },
});

/**
 * Publishes a text-poke event, which trace decoders see: from its stamp on the code at the site is the new one, or, where it `begins`
 * the change, either.
 */
export const publishEvent = (
  id: string,
  { address, old, next }: { readonly address: bigint; readonly old: Bytes; readonly next: Bytes },
  options: { readonly begins?: boolean; readonly note?: string } = {},
): Step => {
  const { note, ...given } = optionsOf(id, options);
  return step(
    id,
    "publishEvent",
    { address, old: hexOf(id, old), next: hexOf(id, next), begins: false, ...given },
    note,
  );
};
