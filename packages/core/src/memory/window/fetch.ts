import { fromHex, toHex } from "../../base/hex.js";
import type { EventName, Events, Observation } from "../../contract/events.js";
import type { Instruction, Registers } from "../../contract/instruction-set.js";
import { addressKey, type CpuState, type MemoryState } from "../../contract/state.js";
import type { World } from "../../contract/world.js";
import { PAGE_FAULT } from "../../execution/execute.js";
import { type Fetched, fetchChoices, windowOf, withBehind } from "../../fetch/stale-code.js";
import { HOME } from "../../program/reserved.js";
import { reservationFor } from "./exclusive.js";
import { instructionOf, type WindowInstruction } from "./instruction.js";
import type { WindowModel } from "./model.js";
import { type WindowEntry, windowOfCpu, withoutPart, withWindow } from "./state.js";
import { synchronizes, type WindowView } from "./view.js";

/* R21, R22: what a CPU fetches next, and the guesses that it makes of what it has fetched. */

/** The address of the next fetch, or undefined while nothing can be fetched. `before`: what else was fetched and comes before. */
export const fetchesAt = (
  cpu: CpuState,
  view: WindowView,
  model: WindowModel,
  before: readonly WindowEntry[] = [],
): bigint | undefined => {
  const entries = [...before, ...windowOfCpu(cpu).entries];
  const end = view.entries[view.entries.length - 1];
  if (end !== undefined && synchronizes(end) && !end.performed) return undefined;
  if (view.next === undefined || entries.length >= model.ahead.instructions) return undefined;
  const same = entries.filter(({ at }) => at === view.next).length;
  return same >= model.ahead.same ? undefined : view.next;
};

/** What a fetch looks at. */
export type Fetching = {
  readonly cpu: CpuState;
  readonly memory: MemoryState;
  readonly view: WindowView;
  readonly model: WindowModel;
  readonly machine: World;
};

/** A CPU that has fetched an instruction, or the first part of one. */
export type FetchedOne = { readonly cpu: CpuState; readonly bytes: string; readonly observed: Observation };

/** What somebody may notice of a step of a window. */
export const observation = <E extends EventName>(what: E, detail: Events[E]): Observation =>
  ({ what, detail }) as Observation;

/** R21: every way in which the instruction at an address where somebody may write can be fetched next. */
export const fetchedAt = (fetching: Fetching, at: bigint): readonly FetchedOne[] => {
  const { cpu, memory, view, model, machine } = fetching;
  const { mode } = view;
  const isMapped = machine.cellOf(at) !== undefined || machine.text(at) !== undefined;
  // Only who comes there finds that nothing is mapped.
  if (!isMapped && (at === HOME || view.entries.length > 0)) return [];
  const place = machine.siteAt(at);
  const site = place === undefined ? undefined : memory.sites[place.site];
  const begun = cpu.fetching?.at === at ? fromHex(cpu.fetching.bytes) : [];
  const whole = fetchChoices(cpu, memory, at, mode, machine, begun).flatMap((fetched) => {
    const isNothing = fetched.insn === "unmapped" || fetched.insn === "no-execute";
    const bytes = isNothing ? "" : toHex(fetched.bytes);
    const refused = isMapped ? refusedWhy(fetching, at, fetched) : undefined;
    const traps = instructionOf(at, bytes, mode, model, machine).kind === "trap";
    const entry: WindowEntry = {
      ...fetchedEntry(at, bytes, mode),
      ...(fetched.insn === "no-execute" ? { fault: PAGE_FAULT } : {}),
      ...(site !== undefined && traps ? { site } : {}),
      ...(fetched.stale ? { stale: true } : {}),
      ...(refused === undefined ? {} : { refused }),
    };
    const behind = withBehind(cpu, fetched.behind ?? []);
    const observed = observation("fetch", { at, bytes, stale: fetched.stale });
    return withFetched(behind, entry, view, model, machine).map((each) => ({ cpu: each, bytes, observed }));
  });
  return begun.length > 0 ? whole : [...whole, ...partsAt(fetching, at)];
};

/**
 * R7: an instruction over two units is fetched in two: maintenance by others may reach this CPU in between. Where only its own context
 * synchronisation takes away what it may fetch, that discards the first part as well, and to fetch both at one moment shows all.
 */
const partsAt = ({ cpu, memory, view, machine }: Fetching, at: bigint): readonly FetchedOne[] => {
  const base = machine.cellOf(at);
  if (machine.fetch.stale !== "until-maintenance" || base === undefined) return [];
  const border = base + BigInt(machine.fetch.unit);
  if (machine.cellOf(border) === undefined) return [];
  const parts = windowOf(cpu, memory, addressKey(base), machine).map((value) => value.slice(2 * Number(at - base)));
  return [...new Set(parts)]
    .filter((bytes) => machine.instructionSet.decode(fromHex(bytes), view.mode) === "short")
    .map((bytes) => ({
      cpu: { ...cpu, fetching: { at, bytes } },
      bytes,
      observed: observation("fetch-part", { at, bytes }),
    }));
};

/** R19, R31: why what was fetched may not be executed. */
const refusedWhy = ({ cpu, view, model, machine }: Fetching, at: bigint, fetched: Fetched): string | undefined => {
  const { window, bytes, versions } = fetched;
  if (model.races === undefined) {
    const admission = machine.fetch.admits(window, bytes, { at, mode: view.mode, versions });
    return admission === "run" ? undefined : admission.why;
  }
  const raced = windowOfCpu(cpu).racing[addressKey(at)]?.[toHex(bytes)];
  return raced === undefined || raced.length === 0 ? undefined : model.races.why;
};

/** What was fetched at an address. */
export const fetchedEntry = (at: bigint, bytes: string, mode: string): WindowEntry =>
  mode === "" ? { at, bytes } : { at, bytes, mode };

/** R22: the CPU with an instruction at the end of its window: one for each guess that it needs. */
export const withFetched = (
  cpu: CpuState,
  entry: WindowEntry,
  view: WindowView,
  model: WindowModel,
  machine: World,
): readonly CpuState[] => {
  const window = windowOfCpu(cpu);
  const mode = entry.mode ?? "";
  const is = instructionOf(entry.at, entry.bytes, mode, model, machine);
  const push = (guess: Partial<WindowEntry>): CpuState =>
    withWindow(withoutPart(cpu), { ...window, entries: [...window.entries, { ...entry, ...guess }] });
  if (is.exclusive === "store") {
    const reservation = reservationFor(view.entries, view.entries.length, cpu);
    return (reservation === undefined || reservation.lost ? [0] : [0, 1]).map((way) => push({ way }));
  }
  if (is.compares && model.atomics !== undefined) return [0, 1].map((way) => push({ way }));
  const decided = !is.inputs.some(({ register, role }) => role === "branch" && view.unknown.has(register));
  if (decided || is.insn === undefined || is.alternatives.length === 0) return [push({})];
  const goesTo = (next: bigint, turns: string): CpuState => push(turns === mode ? { next } : { next, turns });
  const indirect = is.alternatives === "indirect";
  const ways = indirect ? machine.targets.map((to) => pointing(to, is, model)) : is.alternatives;
  if (!indirect && !is.branches) return ways.map((_, way) => push({ way }));
  const nexts = new Map<string, CpuState>();
  for (const way of ways) {
    const turned = machine.instructionSet.execute(is.insn as Instruction, entry.at, { ...view.registers, ...way });
    if (turned.do !== "retire" && turned.do !== "operate") continue;
    const turns = (turned.do === "retire" ? turned.mode : undefined) ?? mode;
    nexts.set(`${turned.next} ${turns}`, goesTo(turned.next, turns));
  }
  return [...(indirect ? [push({})] : []), ...nexts.values()];
};

/** The registers with which an indirect branch goes to an address. */
const pointing = (
  { address, mode }: { readonly address: bigint; readonly mode: string },
  { inputs }: WindowInstruction,
  model: WindowModel,
): Registers => {
  const value = model.pointer?.(address, mode) ?? address;
  return Object.fromEntries(inputs.flatMap(({ register, role }) => (role === "branch" ? [[register, value]] : [])));
};

/** The bytes (hex) of the instruction at an address where nobody writes; undefined where somebody may, or nothing is mapped. */
export const textAt = (at: bigint, mode: string, machine: World): string | undefined => {
  const bytes: number[] = [];
  for (;;) {
    const byte = machine.text(at + BigInt(bytes.length));
    if (byte === undefined || machine.cellOf(at + BigInt(bytes.length)) !== undefined) return undefined;
    bytes.push(byte);
    if (machine.instructionSet.decode(bytes, mode) !== "short")
      return bytes.map((each) => each.toString(16).padStart(2, "0")).join("");
  }
};
