import type { Instruction, Registers } from "../contract/instruction-set.js";
import type { CpuState } from "../contract/state.js";
import type { World } from "../contract/world.js";
import { reservationFor } from "./window-exclusive.js";
import { instructionOf, type WindowInstruction } from "./window-instruction.js";
import type { WindowModel } from "./window-model.js";
import { type WindowEntry, windowOfCpu, withoutPart, withWindow } from "./window-state.js";
import { synchronizes, type WindowView } from "./window-view.js";

/* R21, R22: what a CPU fetches next, and the guesses that it makes of what it has fetched. */

/** The address of the next fetch, or undefined while nothing can be fetched. */
export const fetchesAt = (cpu: CpuState, view: WindowView, model: WindowModel): bigint | undefined => {
  const { entries } = windowOfCpu(cpu);
  const end = view.entries[view.entries.length - 1];
  if (end !== undefined && synchronizes(end) && !end.performed) return undefined;
  if (view.next === undefined || entries.length >= model.ahead.instructions) return undefined;
  const same = entries.filter(({ at }) => at === view.next).length;
  return same >= model.ahead.same ? undefined : view.next;
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
