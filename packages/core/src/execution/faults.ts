import { fromHex, hexAddress } from "../base/hex.js";
import type { Observation } from "../contract/events.js";
import type { MachineCode, MemoryState } from "../contract/state.js";
import type { World } from "../contract/world.js";
import { HOME } from "../program/reserved.js";
import { straysAt } from "./borders.js";

/*
 * R48: what nobody in the scenario takes care of: an exception without a handler, and control that leaves the modelled code, or its
 * instructions, for where nobody said that it goes. The run goes on as after any routine's end; the observation is what `fault` judges.
 */

/** The instruction that something went wrong with; `bytes` is hex. */
export type Faulting = { readonly at: bigint; readonly bytes: string; readonly text: string };

/**
 * A fault as it is observed. `why` goes on from "The CPU executed X at Y: "; `vector` is the exception, `to` the address that it went to
 * or that its store was for.
 */
export const faulted = (
  { at, bytes, text }: Faulting,
  why: string,
  { vector = null, to = null }: { readonly vector?: string | null; readonly to?: bigint | null },
): Observation => ({ what: "fault", detail: { at, bytes, text, why, vector, to } });

/**
 * Whether an exception comes of a breakpoint that a patcher wrote: one that is no instruction of the code as it was at first. What
 * becomes of it is the patcher's matter (`trap-owned`).
 */
export const isPatchers = ({ at, bytes }: Faulting, vector: string, machine: World): boolean => {
  if (!machine.cpu.breakpoints.includes(vector)) return false;
  const place = machine.siteAt(at);
  if (place !== undefined) return !machine.versionsAt(place.site, place.offset, fromHex(bytes)).includes(0);
  return fromHex(bytes).some((byte, i) => byte !== machine.text(at + BigInt(i)));
};

/** A routine's own handler takes an exception. A breakpoint that is only a patcher's, and no version's, is still nobody's. */
export const caught = (insn: Faulting, vector: string, to: bigint, machine: World): readonly Observation[] => {
  const { at, bytes } = insn;
  const place = machine.siteAt(at);
  const written = place !== undefined && machine.versionsAt(place.site, place.offset, fromHex(bytes)).length > 0;
  const patchers = !written && isPatchers(insn, vector, machine);
  const observed: Observation = { what: "caught", detail: { vector, at, to } };
  return patchers ? [{ what: "trap-unclaimed", detail: { vector, at, patchers } }, observed] : [observed];
};

/** Whether a routine goes on by itself after an exception of a vector: no patch program handles that, and its executor says where. */
export const catches = (routine: string, vector: string, machine: World): boolean =>
  machine.faults(routine) !== undefined && machine.handlerOf(vector) === undefined;

/** An instruction takes effect outside of sites: a fault where the code that lies there has none that begins there, as far as it goes. */
export const astray = (insn: Faulting, mode: string, memory: MemoryState, machine: World): readonly Observation[] => {
  const why = straysAt(insn.at, insn.bytes, mode, memory, machine);
  return why === undefined ? [] : [faulted(insn, why, {})];
};

/**
 * An instruction raises an exception: a fault where no patch program handles its vector and its routine does not catch it. A vector that
 * has handlers is judged when they had their say. `store`: the address of read-only text that it comes of a store to.
 */
export const raised = (
  insn: Faulting,
  vector: string,
  routine: string,
  machine: World,
  store?: bigint,
): readonly Observation[] => {
  // What no one knows the effect of, no handler takes care of.
  const isException = vector !== "unsupported" && vector !== "opaque";
  const handled = isException && (machine.handlerOf(vector) !== undefined || machine.faults(routine) !== undefined);
  return handled || isPatchers(insn, vector, machine) ? [] : [unhandled(insn, vector, machine, store)];
};

/** Why an instruction has no effect that the model knows, by what it raises in place of an exception. */
const unknown: { readonly [vector: string]: (machine: World) => string } = {
  unsupported: () => "it is outside the modelled subset, so what it does is not known",
  opaque: ({ opaque }) => `what it does is not modelled, and ${opaque.dependent} may depend on it`,
  unmapped: () => "nothing is modelled where it lies, or where it goes on beyond its first bytes",
};

/** Nothing handled an exception. `store`: the address of read-only text that it comes of a store to. */
export const unhandled = (insn: Faulting, vector: string, machine: World, store?: bigint): Observation =>
  store === undefined
    ? faulted(insn, unknown[vector]?.(machine) ?? `it raises ${vector}, which nothing handles`, { vector })
    : faulted(insn, `its store to read-only text at ${hexAddress(store)} raises ${vector}, which nothing handles`, {
        vector,
        to: store,
      });

/**
 * An instruction went on as `code`: a fault where that is outside the modelled code and nobody said that control may go there. `emulated`: a
 * handler gave it the effect of others.
 */
export const strayed = (
  insn: Faulting,
  code: MachineCode,
  machine: World,
  emulated = false,
): readonly Observation[] => {
  const { pc, routine, trapped } = code;
  if (trapped !== null || pc === HOME || machine.isMapped(pc) || machine.isExit(pc)) return [];
  // Code that runs once stops behind its last instruction; who branches there does not.
  const behind = emulated ? machine.isMapped(pc - 1n) : pc === insn.at + BigInt(insn.bytes.length / 2);
  if (machine.runsOnce(routine) && behind) return [];
  const why = `it goes on at ${hexAddress(pc)}, where nothing is modelled and which no code names`;
  return [faulted(insn, why, { to: pc })];
};
