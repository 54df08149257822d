import { fromHex, toHex } from "../base/hex.js";
import { same } from "../base/key.js";
import type { Effect } from "../contract/effect.js";
import type { Observation } from "../contract/events.js";
import type { Step } from "../contract/program.js";
import { rule } from "../contract/rule.js";
import {
  type Context,
  type CpuState,
  type MachineCode,
  type MemoryState,
  running,
  type TrapFrame,
  type Trapped,
  withRunning,
} from "../contract/state.js";
import type { World } from "../contract/world.js";
import { goOn } from "../execution/execute.js";
import { caught, isPatchers, strayed, unhandled } from "../execution/faults.js";
import { passThrough } from "../execution/passage.js";
import { exceptionWords } from "../execution/said.js";
import { synchronize } from "../fetch/stale-code.js";
import { resumption } from "../fetch/text.js";
import { step } from "../program/builder.js";
import { HOME } from "../program/reserved.js";
import { alone } from "./alone.js";
import { effectsOf, handlerOf } from "./emulation.js";
import { marksBelowTrap } from "./grace-periods.js";
import { leftOpen } from "./held.js";
import { afterReturn } from "./nested-nmis.js";
import { passSections } from "./read-sections.js";
import { exceptionReturn } from "./said.js";

/*
 * R12: a trap is separate steps: fetch, entry, the handler's own loads, emulation, return. Between the fetch of a breakpoint and the
 * entry of its handler that CPU takes no interrupt (unless the fetch model has late traps); other CPUs go on.
 */

/** Enters the handlers of the vector that was fetched, or dies where none is registered. */
export const enterTrapRule = rule({
  id: "enter-trap",
  source: "R12",
  reads: ["cpu", "memory", "services"],
  writes: ["cpu"],
  says: {
    ...exceptionWords,
    "enter-trap": ({ vector }) => `enters the ${vector} handler`,
  },
  ordering: () => "event",
  // Nothing else can happen on this CPU, a grace period waits for it as for its handler, and what others do matters to the entry only
  // where they register handlers.
  urgent: (_cpu, machine) =>
    machine.fetch.lateTrap !== true &&
    !machine.cpu.synchronizes.includes("trap-entry") &&
    !["armTrap", "disarmTrap"].some((operation) => machine.uses(operation)),
  apply({ cpu, memory, services }, _args, machine) {
    const context = running(cpu);
    const code = context?.code;
    if (context === undefined || code?.run !== "machine" || code.trapped === null)
      throw new Error("No trap is pending.");
    const { vector, at, resume } = code.trapped;
    const program = machine.handlerOf(vector);
    if (program === undefined || services.disarmed.includes(vector))
      return [fall(cpu, memory, context, code, code.trapped, machine)];
    const interrupted: MachineCode = { ...code, pc: resume, trapped: null };
    const frame: TrapFrame = { ...code.trapped, interrupted };
    const handler: Context = {
      level: "trap",
      code: machine.start(program, {}, frame),
      masked: machine.cpu.trapsMask,
      preempts: true,
      marks: context.marks,
    };
    const below: Context = { ...context, code: interrupted };
    const marks = marksBelowTrap(below, machine);
    const entered: CpuState = { ...withRunning(cpu, { ...below, marks }), fetching: null };
    const pushed = { ...entered, stack: [...entered.stack, handler] };
    const synchronized = machine.cpu.synchronizes.includes("trap-entry")
      ? synchronize(pushed, memory, machine)
      : pushed;
    return [{ set: { cpu: synchronized }, observed: [{ what: "enter-trap", detail: { vector, at } }] }];
  },
});

/**
 * No patch program handles a trap: its routine goes on where its executor says, or ends; a task then begins its next round. `code` is
 * the context as it was interrupted.
 */
const fall = (
  cpu: CpuState,
  memory: MemoryState,
  context: Context,
  code: MachineCode,
  trapped: Trapped,
  machine: World,
): Effect => {
  const { vector, at, bytes, resume } = trapped;
  const handler = machine.faults(code.routine);
  const after =
    handler === undefined
      ? { ...code, trapped: null, pc: HOME }
      : { ...machine.raise(code, handler, resume), passages: {} };
  const set = { cpu: { ...goOn(cpu, memory, context, after, machine), fetching: null } };
  const text = machine.disassemble(fromHex(bytes), at, code.mode);
  const insn = { at, bytes, text };
  if (handler !== undefined)
    return { set, observed: [...caught(insn, vector, handler, machine), ...strayed(insn, after, machine)] };
  const patchers = isPatchers(insn, vector, machine);
  const observed: Observation[] = [{ what: "trap-unclaimed", detail: { vector, at, patchers } }];
  // Of a vector without handlers that was known when the instruction raised it.
  if (!patchers && machine.handlerOf(vector) !== undefined) observed.push(unhandled(insn, vector, machine));
  return { set, observed };
};

/** The handlers of a vector ended without one that claimed the trap. */
export const unclaimedRule = rule({
  id: "unclaimed",
  source: "R12",
  reads: ["cpu", "memory"],
  writes: ["cpu"],
  says: {
    ...exceptionWords,
  },
  ordering: () => "event",
  apply({ cpu, memory }, _args, machine) {
    const { below, frame } = handlerOf(cpu);
    const popped: CpuState = { ...cpu, stack: cpu.stack.slice(0, -1) };
    const { set, observed = [] } = fall(popped, memory, below, frame.interrupted, frame, machine);
    return [{ set, observed: [...observed, ...leftOpen(ended(frame), running(cpu) as Context)] }];
  },
});

const ended = ({ vector, at }: TrapFrame): string => `The handlers of the ${vector} trap at 0x${at.toString(16)} ended`;

/** The code (hex) of a version of a site from an offset on. */
const restOf = (site: number, version: number, offset: number, machine: World): string =>
  toHex(machine.layout.sites[site]?.versions[version]?.bytes.slice(offset) ?? []);

/** Returns from a trap handler: what became of the interrupted context is compared with the effects of both versions. */
export const returnFromTrapRule = rule({
  id: "return-from-trap",
  source: "R12",
  reads: ["cpu", "memory"],
  writes: ["cpu"],
  says: {
    ...exceptionWords,
    "return-from-trap"({ resumes, restarted }, telling) {
      const { step, place } = telling;
      const code = step.after.cpus[step.cpu]?.stack.at(-1)?.code;
      const isHome = resumes === undefined || (code?.run === "machine" && code.home);
      const target = isHome ? "its caller" : place(resumes);
      return `${exceptionReturn(telling)} to ${restarted === true ? `${target}, to try again` : target}`;
    },
  },
  ordering: () => "event",
  // To wait with a return while nothing else can happen on this CPU only narrows what it may fetch; what it is judged by changes
  // with a publication alone.
  urgent: (cpu, machine) => alone(cpu, machine) && !machine.uses("publish"),
  apply({ cpu, memory }, _args, machine) {
    const { below, code, frame } = handlerOf(cpu);
    const place = machine.siteAt(frame.at);
    let resumed = code;
    let link: bigint | undefined;
    let returned: Observation = { what: "return-from-trap", detail: { at: frame.at, site: null } };
    const restarted =
      code.pc === frame.at && code.trapped === null && same(code.registers, frame.interrupted.registers);
    const own = place === undefined ? [] : machine.versionsAt(place.site, place.offset, fromHex(frame.bytes));
    if (place !== undefined && own.length > 0) {
      // The breakpoint is itself the code that stands there: whatever its handler does is what it does.
      const through = passThrough(code.passages, place.site, place.offset, own, code.pc, undefined, machine);
      if (!restarted) resumed = { ...code, passages: through.passages };
      returned = { what: "return-from-trap", detail: { at: frame.at, resumes: code.pc, site: null, restarted } };
    } else if (place !== undefined) {
      const state = memory.sites[place.site];
      if (state === undefined) throw new Error("Every site has a state.");
      const effects = machine
        .instructionsAt(place.site, place.offset)
        .flatMap(({ version }) =>
          effectsOf(frame, restOf(place.site, version, place.offset, machine), { cpu, memory }, machine).map(
            (effect) => ({ version, ...effect }),
          ),
        );
      const matched = [...new Set(effects.filter((effect) => same(effect.code, code)).map((effect) => effect.version))];
      link = effects.find((effect) => matched.includes(effect.version))?.link;
      let before: readonly number[] | null = null;
      if (!restarted) {
        const passed = passThrough(code.passages, place.site, place.offset, matched, code.pc, link, machine);
        before = passed.before;
        resumed = { ...code, passages: passed.passages };
      }
      returned = {
        what: "return-from-trap",
        detail: {
          at: frame.at,
          resumes: code.pc,
          // The breakpoint is what was fetched, and how its site stood then counts; a publication counts from when it is made. A
          // call that began since may have its version emulated.
          ...(frame.site ?? state),
          calling: frame.site === null ? state.calling : frame.site.calling || frame.site.to !== state.to,
          published: state.published ? state.to : null,
          site: place.site,
          offset: place.offset,
          matched,
          restarted,
          before,
        },
      };
    }
    const passed = passSections(below, frame.at, resumed.pc, link, machine);
    const popped = goOn({ ...cpu, stack: cpu.stack.slice(0, -1) }, memory, passed, resumed, machine);
    const synchronized = machine.cpu.synchronizes.includes("trap-return")
      ? synchronize(popped, memory, machine)
      : popped;
    const text = `what handles ${frame.vector}`;
    const freed = resumption(running(popped), memory, machine);
    const observed = [
      { ...returned, detail: { ...returned.detail, ...freed } },
      ...strayed({ at: frame.at, bytes: frame.bytes, text }, resumed, machine, true),
      ...leftOpen(ended(frame), running(cpu) as Context),
    ];
    const unblocked = afterReturn(synchronized, "trap-return", machine);
    return [{ set: { cpu: { ...unblocked, fetching: null } }, observed }];
  },
});

/** In a trap handler: the trap is ours; nothing after this line is run. */
export const claim = (id = "claim", note?: string): Step => step(id, "claim", {}, note);
