import {
  addressKey,
  type CpuState,
  fetchChoices,
  type Machine,
  own,
  type StateView,
  spaced,
  synchronize,
  type TraceStep,
  toHex,
} from "@cmodx/core";
import type { ValueJson } from "./json.js";
import { bytesAt } from "./sight.js";
import { indexBefore, lastOf, seen, stepText, type Values, value } from "./steps.js";
import { placeOf } from "./tell.js";

/* Why a CPU could fetch something else than memory held. */

/** In which parts the CPU fetched, and why it could fetch something else than memory held. */
export const staleness = (
  machine: Machine,
  trace: readonly TraceStep[],
  at: bigint,
  bytes: string,
): readonly ValueJson[] => {
  const last = lastOf(trace);
  const found: ValueJson[] = [];
  const part = indexBefore(
    trace,
    trace.length - 1,
    (step) => step.cpu === last.cpu && (seen(step, "fetch-part") ?? seen(step, "execute")) !== undefined,
  );
  const first = seen(trace[part] ?? last, "fetch-part");
  if (first !== undefined && first.at === at)
    found.push(value("fetched", `${spaced(first.bytes)} in step ${part + 1}, the rest in step ${trace.length}`));
  return [...found, ...whyStale(machine, trace, at, bytes)];
};

/**
 * What was missing for the CPU to fetch what memory held: a synchronisation, since the step from which on one would have been enough; or
 * else cache maintenance, without which no synchronisation is.
 */
const whyStale = (machine: Machine, trace: readonly TraceStep[], at: bigint, bytes: string): readonly ValueJson[] => {
  const { cpu } = lastOf(trace);
  const addresses = Array.from({ length: bytes.length / 2 }, (_, i) => at + BigInt(i));
  const keys = [...new Set(addresses.flatMap((address) => machine.cellOf(address) ?? []))].map(addressKey);
  const isStale = ({ stale, behind = [] }: CpuState): boolean =>
    keys.some(
      (key) => (stale[key] ?? []).length > 0 || behind.some((overwritten) => own(overwritten, key) !== undefined),
    );
  const cpuIn = (view: StateView): CpuState => view.cpus[cpu] as CpuState;
  const wouldHelp = (view: StateView): boolean => !isStale(synchronize(cpuIn(view), view.memory, machine));
  // In a window an instruction is fetched in a step of its own, and takes effect later.
  const fetch = trace.findLastIndex((step) => step.cpu === cpu && seen(step, "fetch")?.at === at);
  const moment = fetch < 0 ? trace.length - 1 : fetch;
  const { before } = trace[moment] as TraceStep;
  // What memory held was missed for want of nothing.
  if (!isStale(cpuIn(before)) || bytesAt(machine, before, at, bytes.length / 2) === bytes) return [];
  if (wouldHelp(before)) {
    const since = indexBefore(trace, moment, (step) => !isStale(cpuIn(step.before)) || !wouldHelp(step.before));
    return [value("not synchronised", `CPU ${cpu} has not synchronised since ${stepText(trace, since)}`)];
  }
  const since = indexBefore(trace, moment, (step) => !isStale(cpuIn(step.before)));
  const isUnclean = keys.some((key) => {
    const { sinceClean = [] } = before.memory.cells[key] ?? {};
    return (cpuIn(before).stale[key] ?? []).some((each) => sinceClean.includes(each));
  });
  const missing = isUnclean ? "cleaned" : "invalidated";
  const told = `the line of ${placeOf(at, machine)} was not ${missing} since ${stepText(trace, since)}; no synchronisation is enough`;
  return [value(`not ${missing}`, told)];
};

/** What each byte of the instruction could have been. */
export const fetchable: Values = (machine, trace) => {
  const last = lastOf(trace);
  const executed = seen(last, "execute");
  if (executed === undefined || machine.fetch.granule > 0) return [];
  const { at, bytes } = executed;
  const cpu = last.before.cpus[last.cpu];
  const code = cpu?.stack.at(-1)?.code;
  if (cpu === undefined || code?.run !== "machine") return [];
  const choice = fetchChoices(cpu, last.before.memory, at, code.mode, machine).find(
    (each) => toHex(each.bytes) === bytes,
  );
  if (choice === undefined) return [];
  const each = choice.window.map((possible) => possible.map((byte) => toHex([byte])).join("|"));
  return [value("fetchable", `${each.join(" ")}  (each byte, what memory holds first)`)];
};
