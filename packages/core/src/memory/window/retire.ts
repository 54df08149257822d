import { fromHex } from "../../base/hex.js";
import type { Observation } from "../../contract/events.js";
import {
  addressKey,
  type Context,
  type CpuState,
  type MachineCode,
  type MemoryState,
  running,
  type SiteState,
  withRunning,
} from "../../contract/state.js";
import type { World } from "../../contract/world.js";
import { bytesByAddress, goOn, pairUsed, undecoded } from "../../execution/execute.js";
import { astray, catches, caught, raised, strayed } from "../../execution/faults.js";
import { dataLoaded, type Loaded } from "../../execution/loads.js";
import { passThrough } from "../../execution/passage.js";
import { textUse } from "../../fetch/text.js";
import { decodedBy } from "../../services/packet-decoder.js";
import { passSections } from "../../services/read-sections.js";
import { withUntold } from "../../services/text-poke-events.js";
import { type SeenEntry, type WindowState, windowOfCpu, withWindow } from "./state.js";
import { synchronizes, type WindowView } from "./view.js";

/* R30: instructions leave the window in program order: their effect is the context's, and they are judged. */

/** A CPU after some of what it does by itself, and what happened on the way. */
export type Settled = { readonly cpu: CpuState; readonly observed: readonly Observation[] };

const isComplete = (seen: SeenEntry, window: WindowState): boolean => {
  if (seen.outcome === undefined || !seen.firm) return false;
  if (seen.access !== undefined) return seen.performed && seen.entry.from === undefined;
  if (seen.is.order?.is === "barrier") return seen.is.order.completes !== true || window.begun.length === 0;
  return !synchronizes(seen) || seen.performed;
};

/** The instructions at the head of a window that may leave it have left; undefined where none may. */
export const retireComplete = (
  cpu: CpuState,
  view: WindowView,
  memory: MemoryState,
  machine: World,
): Settled | undefined => {
  const observed: Observation[] = [];
  let left = cpu;
  for (const head of view.entries) {
    if (isWatched(head, machine) || !isComplete(head, windowOfCpu(left))) break;
    const after = retire(head, left, memory, machine);
    left = after.cpu;
    observed.push(...after.observed);
    if (head.outcome?.do === "trap") break;
  }
  return left === cpu ? undefined : { cpu: left, observed };
};

/**
 * Whether an instruction leaves the window in a step of its own: what a site's instruction does is judged by how the site stands then, and
 * patchers change that. Of a trap it is how the site stood when it was fetched. So does each where a grace period may wait for who was
 * taken off behind it.
 */
const isWatched = ({ entry, outcome }: SeenEntry, machine: World): boolean =>
  outcome?.do !== "trap" &&
  (machine.holdsGrace || (machine.uses("returnCall") && machine.siteAt(entry.at) !== undefined));

/** The instruction of a site at the head of a window has left it; undefined where none may. */
export const retireWatched = (
  cpu: CpuState,
  view: WindowView,
  memory: MemoryState,
  machine: World,
): Retired | undefined => {
  const [head] = view.entries;
  const leaves = head !== undefined && isWatched(head, machine) && isComplete(head, windowOfCpu(cpu));
  return leaves ? retire(head, cpu, memory, machine) : undefined;
};

/** What an instruction leaves behind; `memory` changes where a trace decoder has still to tell it. */
type Retired = Settled & { readonly memory: MemoryState };

/** R30, R19: an instruction leaves the window in program order: its effect is the context's, and it is judged. */
const retire = (head: SeenEntry, cpu: CpuState, memory: MemoryState, machine: World): Retired => {
  const context = running(cpu) as Context;
  const code = context.code as MachineCode;
  const { entry, is } = head;
  const outcome = head.outcome as NonNullable<SeenEntry["outcome"]>;
  const { at } = entry;
  const vector = outcome.do === "trap" ? outcome.vector : null;
  const handles = vector !== null && catches(code.routine, vector, machine);
  const handler = handles ? machine.faults(code.routine) : undefined;
  const next = outcome.do === "trap" ? (handler ?? at) : outcome.next;
  const link = outcome.do === "retire" ? outcome.link : undefined;
  const place = machine.siteAt(at);
  let passages = code.passages;
  let told = memory;
  const bytes = fromHex(entry.bytes);
  const text =
    vector === "opaque"
      ? machine.disassemble(bytes, at, entry.mode ?? "")
      : is.insn === undefined
        ? (undecoded[(entry.fault === undefined ? vector : "no-execute") as keyof typeof undecoded] ??
          undecoded.undefined)
        : machine.instructionSet.format(is.insn, at);
  const seen = {
    at,
    bytes: entry.bytes,
    text,
    vector,
    stale: entry.stale === true,
    refused: entry.refused ?? null,
    next,
  };
  const use = textUse(at, entry.bytes, memory, context, machine, entry.stranded === true);
  const pair = pairUsed(at, code, machine);
  const observed: Observation[] = pair === undefined ? [] : [pair];
  observed.push(...dataLoaded(at, loadsOf(head), memory, machine));
  if (place === undefined) {
    observed.push({ what: "execute", detail: { ...seen, ...use, site: null } });
  } else {
    const matched = machine.versionsAt(place.site, place.offset, bytes);
    const breakpoint = vector !== null && machine.cpu.breakpoints.includes(vector);
    const owned = matched.length === 0 && (breakpoint || machine.isGuard(at, entry.bytes));
    const passed = passThrough(passages, place.site, place.offset, matched, next, link, machine);
    if (!owned) passages = passed.passages;
    const state = memory.sites[place.site] as SiteState;
    const decoded = owned ? {} : decodedBy(cpu, state, place, entry.bytes, machine);
    told = withUntold(memory, place.site, decoded.decoded);
    observed.push({
      what: "execute",
      detail: {
        ...seen,
        ...use,
        ...(entry.site ?? state),
        site: place.site,
        offset: place.offset,
        matched,
        ...(matched.length > 0 ? {} : { held: machine.versionsHolding(place.site, place.offset, bytes) }),
        owned,
        before: passed.before,
        ...decoded,
      },
    });
  }
  const insn = { at, bytes: entry.bytes, text };
  const lost = astray(insn, code.mode, memory, machine);
  observed.push(...lost);
  if (vector !== null) {
    const by = handler === undefined ? [] : caught(insn, vector, handler, machine);
    observed.push(...by);
    if (lost.length === 0) observed.push(...raised(insn, vector, code.routine, machine, head.forbidden ?? entry.store));
  }
  const { lost: _, ...kept } = windowOfCpu(cpu);
  const gone = is.exclusive === undefined ? windowOfCpu(cpu).lost : is.exclusive === "load" ? entry.lost : undefined;
  const window: WindowState = gone === true ? { ...kept, lost: true } : kept;
  const faults = [...new Set([...(window.faults ?? []), `${vector} ${addressKey(at)}`])].sort();
  const shifted = withWindow(cpu, {
    ...window,
    entries: window.entries.slice(1),
    ...(entry.refused !== undefined && machine.runsOnce(code.routine) ? { raced: true } : {}),
    ...(vector !== null && machine.runsOnce(code.routine) ? { faults } : {}),
  });
  if (outcome.do === "trap" && handler === undefined) {
    if (machine.runsOnce(code.routine) && machine.handlerOf(outcome.vector) === undefined)
      return { cpu: withRunning(shifted, { ...context, code: machine.ended(code) }), memory: told, observed };
    const trapped = {
      vector: outcome.vector,
      at,
      resume: outcome.resume,
      bytes: entry.bytes,
      site: entry.site ?? null,
    };
    return { cpu: withRunning(shifted, { ...context, code: { ...code, passages, trapped } }), memory: told, observed };
  }
  const stores = head.own && outcome.do === "retire" ? (outcome.stores ?? []) : [];
  const stack = stores.length === 0 ? code.memory : Object.assign({}, code.memory, ...stores.map(bytesByAddress));
  const went: MachineCode =
    outcome.do === "trap"
      ? machine.raise(code, next, outcome.resume)
      : { ...code, pc: next, registers: { ...code.registers, ...outcome.registers } };
  const after: MachineCode = { ...went, mode: head.mode, memory: stack, passages };
  observed.push(...strayed(insn, after, machine));
  const passed = passSections(context, at, next, link, machine);
  return { cpu: goOn(shifted, memory, passed, after, machine), memory: told, observed };
};

const loadsOf = ({ accesses = [], entry, own }: SeenEntry): readonly Loaded[] =>
  own
    ? []
    : (entry.loaded ?? []).flatMap((value, i) =>
        accesses[i] === undefined ? [] : [{ access: accesses[i], value, stood: entry.data?.[i] ?? undefined }],
      );
