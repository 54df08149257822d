import { rule } from "../contract/rule.js";
import { type Context, type CpuState, NMI_OFF, running, withRunning } from "../contract/state.js";
import type { World } from "../contract/world.js";
import { faulted } from "../execution/faults.js";
import { exceptionWords } from "../execution/said.js";
import { synchronize } from "../fetch/stale-code.js";
import { handlersOf } from "./entry.js";

/*
 * R49: an NMI blocks further ones until its handler returns; but on x86 until the next IRET, be it that of a trap inside the handler. An
 * NMI that comes after such an inner return finds the frame of the first on the one stack that NMIs have.
 *
 * Guarded, as Linux is: its entry sees that, notes the NMI, and the handler runs once more when it ends, by an IRET to its beginning. One
 * is noted at the most. What comes in the second run is not: it is one that comes when that has returned. For the same reason nothing is
 * noted where no program turns the sources of NMIs off: a second run is then what a new NMI behind the return of the first is.
 * Unguarded: its frame overwrites that of the first. The run is not followed beyond that.
 */

/** The place on the stack of the handler of an NMI in which NMIs are let in again; -1 where there is none. */
const open = (cpu: CpuState): number => cpu.stack.findIndex(({ nmi }) => nmi === "open");

/** The CPU after a return, or an instruction, that may let NMIs in though the handler of one still runs. */
export const afterReturn = (cpu: CpuState, event: string, machine: World): CpuState => {
  if (!machine.nestsNmis || machine.cpu.unblocksNmis?.includes(event) !== true) return cpu;
  const at = cpu.stack.findIndex(({ level }) => level === "nmi");
  return at < 0 || cpu.stack[at]?.nmi !== undefined ? cpu : withNmi(cpu, at, "open");
};

const withNmi = (cpu: CpuState, at: number, nmi: NonNullable<Context["nmi"]>): CpuState => ({
  ...cpu,
  stack: cpu.stack.map((context, i) => (i === at ? { ...context, nmi } : context)),
});

/** Whether an NMI may come inside the handler of another; what others can switch on again counts as on. */
export const mayNest = (cpu: CpuState, machine: World): boolean => machine.nestsNmis && open(cpu) >= 0;

/** Whether an NMI can come inside the handler of another now. */
export const nests = (cpu: CpuState, machine: World): boolean => mayNest(cpu, machine) && cpu.words[NMI_OFF] !== true;

/** An NMI comes inside the handler of another. */
export const nestedNmiRule = rule({
  id: "nested-nmi",
  fromOutside: true,
  source: 'R49; Intel SDM vol. 3, "Handling Multiple NMIs"; asm_exc_nmi, arch/x86/entry/entry_64.S, 7.3',
  reads: ["cpu"],
  writes: ["cpu"],
  says: {
    ...exceptionWords,
    nmi: () => "takes an NMI",
    "note-nmi": () => "takes an NMI inside the handler of another, which notes it",
  },
  ordering: () => "event",
  apply({ cpu }, _args, machine) {
    // Its own IRET only narrows what this CPU may fetch.
    if (machine.guardsNmis)
      return [{ set: { cpu: withNmi(cpu, open(cpu), "noted") }, observed: [{ what: "note-nmi", detail: {} }] }];
    const interrupted = cpu.stack.flatMap(({ code }) => (code.run === "machine" ? [code.pc] : [])).at(-1) ?? 0n;
    return [
      {
        set: {},
        observed: [
          { what: "nmi", detail: { entry: null } },
          faulted(
            { at: interrupted, bytes: "", text: "" },
            "an NMI comes inside the handler of another, after an inner IRET, and overwrites its frame",
            { vector: "nmi" },
          ),
        ],
      },
    ];
  },
});

/** The handler of an NMI runs once more, for the one that was noted. */
export const repeatNmiRule = rule({
  id: "repeat-nmi",
  source: "R49; repeat_nmi, arch/x86/entry/entry_64.S, 7.3",
  reads: ["cpu", "memory"],
  writes: ["cpu"],
  says: {
    "repeat-nmi": ({ entry }) =>
      `the NMI's handler runs once more${entry === null ? "" : " and calls patched code"}, for the one that was noted`,
  },
  ordering: () => "event",
  apply({ cpu, memory }, _args, machine) {
    const context = running(cpu) as Context;
    const left: CpuState = { ...(machine.order.discard?.(cpu) ?? cpu), fetching: null };
    const returned = machine.cpu.synchronizes.includes("nmi-return") ? synchronize(left, memory, machine) : left;
    return handlersOf("nmi", machine).map(({ code, entry }) => ({
      set: { cpu: withRunning(returned, { ...context, code, marks: [], nmi: "again" }) },
      observed: [{ what: "repeat-nmi", detail: { entry } }],
    }));
  },
});
