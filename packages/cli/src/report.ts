import type { Broken, PropertyId, Verdict } from "@cmodx/core";
import { boundsJson, whyOf } from "./document.js";
import type { Colors } from "./io.js";
import type { BoundsJson, OffsetJson, SiteJson } from "./json.js";
import type { Judged } from "./judge.js";
import { isScenario } from "./request.js";
import { count, entry, listed, seconds } from "./text.js";
import { renderTimeline } from "./timeline/timeline.js";

/** What people read of a verdict: the answer, the timeline where there is one, and what it rests on. */
export const reportOf = ({ subject, verdict, run, offsets }: Judged, paint: Colors, saved: string | null): string => {
  const bounds = boundsJson(subject, verdict);
  const parts = [title(verdict, bounds, paint)];
  if (verdict.verdict === "unsafe") {
    parts.push("", renderTimeline(subject.machine, verdict.trace, { color: paint.isColorSupported }).trimEnd(), "");
    parts.push(...brokenText(verdict.broken, verdict.alsoBroken, paint), "");
  }
  parts.push(...ground(verdict, bounds, isScenario(subject.request) ? subject.scenario.name : null));
  if (offsets.length > 1) parts.push(...offsetsText(offsets));
  if (run !== null) {
    const each = `${rate(run.interrupts, "interrupt", run.flips)} in ${rate(run.ipiRounds, "round", run.flips)}`;
    const stops = run.stops > 0 ? `, ${rate(run.stops, "stop_machine", run.flips)}` : "";
    parts.push(entry("Cost", `${each}${stops} for each flip`));
  }
  parts.push(entry("Search", searchText(verdict)));
  if (saved !== null) parts.push(entry("Saved", `${saved}; cmodx replay shows it again`));
  return `${parts.join("\n")}\n`;
};

const rate = (value: number, thing: string, flips: number): string =>
  count(Math.round((value / flips) * 100) / 100, thing);

const title = (verdict: Verdict, bounds: BoundsJson, paint: Colors): string => {
  const strategies = listed([...new Set(bounds.patchers.map(({ strategy }) => strategy))]);
  const about = `${strategies} on ${bounds.architecture}, ${bounds.fetch.id}`;
  switch (verdict.verdict) {
    case "unsafe":
      return paint.bold(
        `${paint.red("UNSAFE")}  ${about}: breaks ${listed(verdict.broken.map(({ property }) => property))}`,
      );
    case "inconclusive":
      return paint.bold(`${paint.yellow("INCONCLUSIVE")}  ${about}: ${whyOf(verdict)} Nothing broke until then.`);
    case "safe":
      return verdict.vacuous
        ? paint.bold(`${paint.yellow("VACUOUS")}  ${about}: nothing broke, but nobody executed a site during a flip.`)
        : paint.bold(`${paint.green("SAFE")}  ${about}: no interleaving breaks a property`);
  }
};

/** Which properties broke, and why. `also`: those that other steps break. */
export const brokenText = (
  broken: readonly Broken[],
  also: readonly PropertyId[],
  paint: Colors,
): readonly string[] => {
  const lines = broken.map(({ property, why }) => {
    const [first = "", ...rest] = entry(property, why, 14).split("\n");
    return [paint.red(first), ...rest].join("\n");
  });
  const others = also.filter((id) => !broken.some(({ property }) => property === id));
  return others.length === 0 ? lines : [...lines, entry("also broken", `${listed(others)}, by other steps`, 14)];
};

/** What the verdict rests on. */
const ground = (verdict: Verdict, bounds: BoundsJson, scenario: string | null): readonly string[] => {
  const { fetch, properties, limits } = bounds;
  const lines = [
    ...(scenario === null ? [] : [entry("Scenario", scenario)]),
    ...bounds.sites.map((site, i) => entry(bounds.sites.length === 1 ? "Site" : `Site ${i}`, siteText(site))),
    entry("Bounds", boundsText(bounds)),
    entry("Fetch", `${fetch.id}: ${fetch.source}`),
    entry("Properties", properties.length === 0 ? "none counted" : `${listed(properties)} counted`),
  ];
  if (verdict.notPromised.length > 0)
    lines.push(
      entry("Not counted", `${listed(verdict.notPromised)} broke, which nobody promised or which was left out`),
    );
  if (verdict.verdict === "safe" || verdict.unused.length > 0) {
    lines.push(
      entry(
        "Unused",
        verdict.unused.length === 0
          ? "no step: every step was taken in some run"
          : `${listed(verdict.unused)}: no run took these steps`,
      ),
    );
  }
  const set = [
    limits.states === null ? [] : [count(limits.states, "state")],
    limits.megabytes === null ? [] : [`${limits.megabytes} MB`],
    limits.seconds === null ? [] : [`${limits.seconds} s`],
  ].flat();
  if (set.length > 0) lines.push(entry("Limits", set.join(", ")));
  return lines;
};

/** A site in one sentence. */
export const siteText = ({ address, offset, old, new: next, oldBytes, newBytes, origin }: SiteJson): string =>
  `${address}, offset ${offset} in its line: ${old} [${oldBytes}] to ${next} [${newBytes}]${origin === null ? "" : `, ${origin}`}`;

const boundsText = (bounds: BoundsJson): string => {
  const flips =
    bounds.flips === "forever"
      ? "flipped there and back for ever"
      : bounds.flips === 1
        ? `1 flip${bounds.flipsWhy === null ? "" : ` (${bounds.flipsWhy.replace(/\.$/, "")})`}`
        : `${bounds.flips} flips, there and back`;
  const drops = bounds.patchers.flatMap(({ drop }) => drop);
  return [
    count(bounds.cpus, "CPU"),
    flips,
    bounds.irq ? "IRQs" : "no IRQ",
    bounds.nmi ? "NMIs" : "no NMI",
    bounds.preempt ? "preemption" : "no preemption",
    `${bounds.memory} memory`,
    ...(drops.length > 0 ? [`without the step${drops.length > 1 ? "s" : ""} ${listed(drops)}`] : []),
  ].join(", ");
};

const offsetsText = (offsets: readonly OffsetJson[]): readonly string[] => {
  const text = offsets.map(
    ({ offset, verdict, property }) => `${offset} ${verdict}${property === null ? "" : ` ${property}`}`,
  );
  return [entry("Offsets", `the file does not fix the place in the line; this is the worst of ${text.join(", ")}`)];
};

const searchText = ({ states, transitions, depth, seconds: time }: Verdict): string =>
  `${count(states, "state")}, ${count(transitions, "transition")}, depth ${depth}, ${seconds(time)}`;
