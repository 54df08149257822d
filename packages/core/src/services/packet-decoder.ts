import type { Effect } from "../contract/effect.js";
import type { ExecutedAtSite, Observation } from "../contract/events.js";
import { cpuMap, type Rule } from "../contract/rule.js";
import { type CpuState, running, type SiteState } from "../contract/state.js";
import type { World } from "../contract/world.js";
import { decode, publishEventRule, trailOf } from "./text-poke-events.js";

/*
 * A decoder of packets knows the time only where its CPU leaves one: at an exception, an interrupt, their returns, a switch of tasks, a
 * conditional and an indirect branch. Between two packets it walks through the code as the events say it was at the first. So each CPU
 * lags behind the events that were published since its last packet. Whoever calls the code leaves none: that call may be a direct one.
 */

type Behind = { readonly site: number; readonly traced: readonly number[] };

/** A CPU's decoder does not hear of an event yet: what it takes a site to hold stays what it was at the last packet. */
export const decoderLagMap = cpuMap<Behind>({
  id: "decoder-lag",
  touches: ["lag"],
  apply: (cpu, { site, traced }) =>
    cpu.lag?.[site] === undefined ? { ...cpu, lag: { ...cpu.lag, [site]: traced } } : cpu,
});

/** What the decoder of a CPU makes of an instruction that was executed at a place in a site, `bytes` in hex; nothing where no events are published. */
export const decodedBy = (
  { lag }: CpuState,
  state: SiteState,
  place: { readonly site: number; readonly offset: number },
  bytes: string,
  machine: World,
): Pick<ExecutedAtSite, "decoded" | "lagging"> => {
  const traced = lag?.[place.site];
  const decoded = decode(traced === undefined ? state : { ...state, traced }, place, bytes, machine);
  if (decoded === null) return {};
  return traced === undefined ? { decoded } : { decoded, lagging: true };
};

/** Who runs on a CPU, as far as a packet tells when that changes. */
const who = (cpu: CpuState): string => `${cpu.stack.length} ${cpu.stack[0]?.level}`;

const leavesPacket = (before: CpuState, after: CpuState, observed: readonly Observation[], machine: World): boolean => {
  if (who(before) !== who(after)) return true;
  const code = running(before)?.code;
  const mode = code?.run === "machine" ? code.mode : "";
  return observed.some(
    ({ what, detail }) =>
      what === "execute" && (detail.vector !== null || trailOf(detail.bytes, detail.at, mode, machine) !== "nothing"),
  );
};

const caughtUp = (cpu: CpuState): CpuState => {
  const { lag: _, ...rest } = cpu;
  return rest;
};

/**
 * A rule where traces are decoded by packets: a step that leaves one lets the decoder catch up. None is urgent: whether an event comes before
 * a packet or behind it matters.
 */
export const withPackets = ({ urgent: _, ...rule }: Rule): Rule => {
  const publishes = rule.id === publishEventRule.id;
  const apply: Rule["apply"] = (parts, args, machine) =>
    rule.apply(parts, args, machine).map((effect): Effect => {
      const { cpu } = effect.set;
      const left =
        cpu?.lag !== undefined && leavesPacket(parts.cpu, cpu, effect.observed ?? [], machine)
          ? { ...effect, set: { ...effect.set, cpu: caughtUp(cpu) } }
          : effect;
      if (!publishes) return left;
      const { address } = args as { readonly address: bigint };
      const site = machine.siteAt(address)?.site ?? 0;
      const { traced = [] } = parts.memory.sites[site] as SiteState;
      return { ...left, everyCpu: { id: decoderLagMap.id, args: { site, traced } } };
    });
  return publishes
    ? { ...rule, writes: [...rule.writes, "everyCpu"], maps: [decoderLagMap.id], apply }
    : { ...rule, apply };
};
