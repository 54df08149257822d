import type { MemoryOrder } from "./contract/memory-order.js";
import type { Scenario } from "./contract/scenario.js";
import type { OtherOrder, Verdict } from "./contract/verdict.js";
import type { CheckOptions } from "./explorer/explorer.js";
import type { Machine } from "./machine/machine.js";

/** States that the architectural order is given to confirm what the sequential one breaks. */
const CONFIRMING_STATES = 50_000;

/**
 * Whether the sequential order lets CPUs fetch more than the architecture does. It lets each CPU fetch what was overwritten until that
 * synchronises, whatever it fetched since; an order that knows by itself what is fetched knows better.
 */
const overApproximates = (architectural: MemoryOrder | undefined): boolean => architectural?.narrow !== undefined;

/**
 * Whether every instruction that changes is fetched at one moment. About one that lies over two units, which are fetched one after the
 * other, the stricter of the two orders is believed.
 */
const fetchedWhole = ({ fetch, layout }: Machine): boolean => {
  const unit = BigInt(fetch.unit);
  const unitOf = (address: bigint): bigint => address / unit;
  return (
    [...layout.written].every((address) => layout.siteOf.has(address)) &&
    layout.sites.every(
      ({ data, address, versions }) =>
        data ||
        versions.every(({ instructions }) =>
          instructions.every(({ offset, bytes }) => {
            const first = address + BigInt(offset);
            return unitOf(first) === unitOf(first + BigInt(bytes.length / 2 - 1));
          }),
        ),
    )
  );
};

/** Checks a scenario. */
type Check = (scenario: Scenario, options: CheckOptions) => Promise<Verdict>;

/**
 * The verdict on a scenario that does not say which memory order it is about: where the sequential order breaks something on an
 * architecture for which it is an over-approximation, the architectural order decides, as far as it comes to an end within so many states
 * and its own approximation does not matter; else the answer says what it finds.
 */
export const inEitherOrder = async (
  check: Check,
  scenario: Scenario,
  options: CheckOptions,
  machine: Machine,
  architectural: MemoryOrder | undefined,
): Promise<Verdict> => {
  const verdict = await check(scenario, options);
  if (verdict.verdict !== "unsafe" || scenario.memory !== undefined || !overApproximates(architectural)) return verdict;
  const { bounds = {} } = options;
  const states = Math.min(bounds.states ?? CONFIRMING_STATES, CONFIRMING_STATES);
  const left =
    bounds.milliseconds === undefined
      ? {}
      : { milliseconds: Math.max(0, bounds.milliseconds - verdict.seconds * 1000) };
  const other = await check(
    { ...scenario, memory: "architectural" },
    { ...options, bounds: { ...bounds, states, ...left }, beyond: 0, shortest: false },
  );
  const seconds = verdict.seconds + other.seconds;
  const isSafe = other.verdict === "safe" || other.verdict === "vacuous";
  if (isSafe && fetchedWhole(machine)) return { ...other, seconds, bounds, otherOrder: briefly("sequential", verdict) };
  return { ...verdict, seconds, otherOrder: briefly("architectural", other) };
};

const briefly = (memory: OtherOrder["memory"], verdict: Verdict): OtherOrder => {
  const { property, why } = verdict.verdict === "unsafe" ? verdict : { property: null, why: null };
  return { memory, verdict: verdict.verdict, property, why, states: verdict.states };
};
