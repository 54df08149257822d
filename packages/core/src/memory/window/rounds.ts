import type { Effect } from "../../contract/effect.js";
import type { Observation } from "../../contract/events.js";
import {
  type Context,
  type CpuState,
  type MachineCode,
  type MemoryState,
  running,
  withRunning,
} from "../../contract/state.js";
import type { World } from "../../contract/world.js";
import { leaves } from "../../execution/execute.js";
import { inForce } from "./code.js";
import { type FetchedOne, type Fetching, fetchedAt, fetchedEntry, fetchesAt, textAt, withFetched } from "./fetch.js";
import type { WindowModel } from "./model.js";
import { withQuietLoad } from "./settle.js";
import { type Round, type WindowState, windowOfCpu, withWindow } from "./state.js";
import { viewOf, type WindowView } from "./view.js";

/*
 * R32: a task that ends a round switches by itself, and where that synchronises nothing it may have fetched before it what it goes on
 * with: its next rounds, from any of its entries on. It does no more than fetch them, since the switch is a barrier to all accesses; but
 * for loads that find the same whenever they take place.
 *
 * A fetch can wait without loss until something is taken from what its CPU may fetch. Others take with an invalidation alone, so it is
 * enough to fetch beyond a round while one is under way, up to the first instruction that the invalidation takes; only where somebody can
 * tell that the round has ended; and no further than the next round, where code stores nothing that others find: who would go through a
 * round in between can as well wait at its end.
 */

/** The ways in which a task that stands at home begins a round: as it was fetched already, else at any entry. */
export const roundsBegun = (cpu: CpuState, machine: World): readonly CpuState[] => {
  const context = running(cpu) as Context;
  const { routine } = context.code as MachineCode;
  const { ahead = [], ...window } = windowOfCpu(cpu);
  const [next] = ahead;
  const entered = (from: CpuState, entry: bigint): CpuState =>
    withRunning(from, { ...context, code: machine.enter(routine, entry) });
  if (next === undefined) return machine.entries(routine).map((entry) => entered(cpu, entry));
  return [entered(withWindow(cpu, { ...window, ...aheadOf(ahead.slice(1)), entries: next.entries }), next.entry)];
};

const aheadOf = (rounds: readonly Round[]): Pick<WindowState, "ahead"> =>
  rounds.length === 0 ? {} : { ahead: rounds };

/** The ways in which a task's CPU fetches beyond the round in which it stands; `view`: of its window, undefined at home. */
export const fetchBeyond = (
  cpu: CpuState,
  memory: MemoryState,
  view: WindowView | undefined,
  model: WindowModel,
  machine: World,
): readonly Effect[] => {
  const context = running(cpu) as Context;
  const { routine } = context.code as MachineCode;
  const { ahead = [], ...window } = windowOfCpu(cpu);
  if (window.incoming.length === 0 || context.level !== "task") return [];
  if (machine.runsOnce(routine) || !machine.tellsRounds) return [];
  if (view !== undefined && !endsRound(view, machine)) return [];
  const { stale } = inForce(cpu, window.incoming);

  const begin = (rounds: readonly Round[], observed: readonly Observation[]): readonly Effect[] =>
    machine.entries(routine).flatMap((entry) => goOn([...rounds, { entry, entries: [] }], cpu.fetching, observed));

  const goOn = (
    rounds: readonly Round[],
    fetching: CpuState["fetching"],
    observed: readonly Observation[],
  ): readonly Effect[] => {
    const { entry, entries } = rounds.at(-1) as Round;
    const inRound = withRunning({ ...cpu, fetching }, { ...context, code: machine.enter(routine, entry) });
    const stood = withWindow(inRound, { ...window, entries });
    const seen = viewOf(stood, model, machine);
    if (seen === undefined) return [];
    const withRound = (next: CpuState): readonly Round[] => [
      ...rounds.slice(0, -1),
      { entry, entries: windowOfCpu(next).entries },
    ];
    const loaded = withQuietLoad(stood, seen, memory, model, machine);
    if (loaded !== undefined) return goOn(withRound(loaded), fetching, observed);
    if (endsRound(seen, machine)) return machine.storesAbroad ? begin(rounds, observed) : [];
    const before = [...window.entries, ...rounds.slice(0, -1).flatMap((round) => round.entries)];
    const at = fetchesAt(stood, seen, model, before);
    if (at === undefined) return [];
    const text = textAt(at, seen.mode, machine);
    if (text !== undefined)
      return withFetched(stood, fetchedEntry(at, text, seen.mode), seen, model, machine).flatMap((next) =>
        goOn(withRound(next), next.fetching, observed),
      );
    const fetches: Fetching = { cpu: stood, memory, view: seen, model, machine };
    const left = new Set(fetchedAt({ ...fetches, cpu: { ...stood, stale } }, at).map(keyOf));
    return fetchedAt(fetches, at).flatMap((each) => {
      const { what, detail } = each.observed;
      const all = [...observed, { what, detail: { ...detail, beyond: true } } as Observation];
      if (left.has(keyOf(each))) return each.cpu.fetching === null ? goOn(withRound(each.cpu), null, all) : [];
      const fetched = { ...window, ahead: withRound(each.cpu) };
      return [{ set: { cpu: withWindow({ ...cpu, fetching: each.cpu.fetching }, fetched) }, observed: all }];
    });
  };

  return ahead.length === 0 ? begin([], []) : goOn(ahead, cpu.fetching, []);
};

/** Whether what is fetched next lies behind the end of a round. */
const endsRound = ({ next }: WindowView, machine: World): boolean => next !== undefined && leaves(next, machine);

const keyOf = ({ cpu, bytes }: FetchedOne): string => `${bytes}${cpu.fetching === null ? "" : "…"}`;
