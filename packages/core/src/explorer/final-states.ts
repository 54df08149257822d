import { type CpuState, running } from "../contract/state.js";
import type { StateView } from "../contract/trace.js";
import type { Machine } from "../machine/machine.js";
import { CPU0, MEMORY, PARKED, SERVICES } from "./row.js";
import { StateStore } from "./state-store.js";
import { Steps, type Visitor } from "./steps.js";

/** How final states are looked for. */
export type FinalStatesOptions = {
  /** The most states that are explored; what lies beyond is left out. Default 5,000,000. */
  readonly states?: number;
  /** Freeze parts, check footprints and determinism; slower. */
  readonly development?: boolean;
};

/** The states in which every routine that runs once has ended, over all that is reachable. */
export type FinalStates = {
  readonly finals: readonly StateView[];
  /** There are no more; false where more states could be reached than were to be explored. */
  readonly complete: boolean;
  /** States explored. */
  readonly states: number;
  /** How often model code ran. */
  readonly calls: number;
};

const MOST_STATES = 5_000_000;

/**
 * Explores everything that a machine can reach and lists the states in which the routines that run once have all ended.
 * There may be more of them than are found when there are too many states.
 */
export const finalStates = (machine: Machine, options: FinalStatesOptions = {}): FinalStates => {
  const { states: most = MOST_STATES, development = false } = options;
  const steps = new Steps(machine, [], development);
  const { width } = steps;
  const store = new StateStore(width);
  const next = steps.initialRow();
  store.add(next);
  const ended: (boolean | undefined)[] = [];
  const hasEnded = (part: number): boolean => (ended[part] ??= endedIn(steps.parts.cpu.value(part), machine));
  const collect: Visitor = {
    transition: (_state, _effect, _column, row) => {
      store.add(row);
    },
  };
  const finals: StateView[] = [];
  let complete = true;
  for (let state = 0; state < store.size; state++) {
    const base = state * width;
    let final = true;
    for (let column = CPU0; column < width && final; column++) final = hasEnded(store.rows[base + column] as number);
    if (final) {
      const { rows } = store;
      finals.push({
        memory: steps.parts.memory.value(rows[base + MEMORY] as number),
        services: steps.parts.services.value(rows[base + SERVICES] as number),
        parked: steps.parts.parked.value(rows[base + PARKED] as number),
        cpus: Array.from({ length: width - CPU0 }, (_, i) => steps.parts.cpu.value(rows[base + CPU0 + i] as number)),
      });
      continue;
    }
    // What was reached is looked at still.
    if (store.size > most) complete = false;
    else steps.visit(store, state, next, collect, false);
  }
  return { finals, complete, states: store.size, calls: steps.calls };
};

/** A CPU has nothing left to do: it is idle, or its routine has run once. */
const endedIn = (cpu: CpuState, machine: Machine): boolean => {
  const code = running(cpu)?.code;
  return code === undefined || (cpu.stack.length === 1 && code.run === "machine" && machine.hasEnded(code));
};
