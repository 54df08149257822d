import {
  type Broken,
  becauseOf,
  type CpuNumbers,
  type EmptyWait,
  listed,
  type OtherOrder,
  type PropertyId,
  type Repairs,
  type UsedPlugin,
  type Verdict,
} from "@cmodx/core";
import { brokenToJson, renderTimeline, whyOf } from "@cmodx/view";
import { boundsJson } from "./document.js";
import type { Extras } from "./extras.js";
import type { Colors } from "./io.js";
import type { BoundsJson, BrokenJson, ModelJson, OffsetJson, SiteJson, ValueJson, VariationJson } from "./json.js";
import type { Judged } from "./judge.js";
import { outcomesText } from "./outcomes-text.js";
import { isScenario, type Request } from "./request.js";
import { columns, count, entry, hex, seconds } from "./text.js";

/** What people read of a verdict: the answer, the timeline where there is one, and what it rests on. */
export const reportOf = (
  { subject, verdict, run, offsets, models }: Judged,
  { repairs, outcomes, stronger }: Extras,
  paint: Colors,
  saved: string | null,
): string => {
  const bounds = boundsJson(subject, verdict);
  const parts = [title(verdict, bounds, paint)];
  if (verdict.verdict === "unsafe") {
    const { trace, loop } = verdict;
    const how = { paint, ...(loop === undefined ? {} : { loop }) };
    parts.push("", renderTimeline(subject.machine, trace, how).trimEnd(), "");
    const broken = brokenToJson(subject.machine, verdict.trace, verdict.broken);
    parts.push(...brokenText(broken, verdict.alsoBroken, paint), ...faultsText(verdict), "");
    if (repairs !== null) parts.push(entry("Repair", repairText(repairs, subject.scenario.patchers.length)), "");
  }
  if (outcomes !== null) parts.push(...outcomesText(outcomes, sizes(bounds), paint), "");
  parts.push(...ground(verdict, bounds, isScenario(subject.request) ? subject.scenario.name : null));
  if (stronger !== null)
    parts.push(entry("Stronger", `under the fetch model ${stronger} it is safe (--fetch ${stronger})`));
  if (offsets.length > 1) parts.push(...offsetsText(offsets));
  if (models.length > 1) parts.push(...modelsText(models));
  if (run !== null) {
    const each = `${rate(run.interrupts, "interrupt", run.flips)} in ${rate(run.ipiRounds, "round", run.flips)}`;
    const stops = run.stops > 0 ? `, ${rate(run.stops, "stop_machine", run.flips)}` : "";
    parts.push(entry("Cost", `${each}${stops} for each flip`));
  }
  parts.push(entry("Search", searchText(verdict)));
  if (saved !== null)
    parts.push(
      entry("Saved", `${saved}; cmodx replay${namesCode(subject.request) ? " --allow-plugins" : ""} shows it again`),
    );
  return `${parts.join("\n")}\n`;
};

/** A replay runs code of others. */
const namesCode = (request: Request): boolean => isScenario(request) || request.plugins.length > 0;

const rate = (value: number, thing: string, flips: number): string =>
  count(Math.round((value / flips) * 100) / 100, thing);

const title = (verdict: Verdict, bounds: BoundsJson, paint: Colors): string => {
  const strategies = listed([...new Set(bounds.patchers.map(({ strategy }) => strategy))]);
  const about = `${strategies === "" ? "no patcher" : strategies} on ${bounds.architecture}, ${bounds.fetch.id}`;
  switch (verdict.verdict) {
    case "unsafe":
      return paint.bold(
        `${paint.red("UNSAFE")}  ${about}: breaks ${listed(verdict.broken.map(({ property }) => property))}${verdict.otherwise === undefined ? "" : `, by endless interrupts alone; ${verdict.otherwise} otherwise`}`,
      );
    case "inconclusive":
      return paint.bold(`${paint.yellow("INCONCLUSIVE")}  ${about}: ${whyOf(verdict)} Nothing broke until then.`);
    case "vacuous":
      return paint.bold(`${paint.yellow("VACUOUS")}  ${about}: nothing broke, which says nothing. ${verdict.reason}`);
    case "safe":
      return paint.bold(
        `${paint.green("SAFE")}  ${about}: no interleaving breaks a property${verdict.numbers?.beyond ? `, with any number of CPUs from ${verdict.numbers.from} on` : ""}`,
      );
  }
};

/** Which properties broke, and why. `also`: those that other steps break. */
export const brokenText = (
  broken: readonly (Broken & Partial<Pick<BrokenJson, "values">>)[],
  also: readonly PropertyId[],
  paint: Colors,
): readonly string[] => {
  const lines = broken.map(({ property, why, values = [] }) => {
    const [first = "", ...rest] = entry(property, why, COLUMN).split("\n");
    return [paint.red(first), ...rest, ...valuesText(values)].join("\n");
  });
  const others = also.filter((id) => !broken.some(({ property }) => property === id));
  return others.length === 0 ? lines : [...lines, entry("also broken", `${listed(others)}, by other steps`, COLUMN)];
};

/** Faults that are shown at the most. */
const MOST_FAULTS = 4;

/** What faults or leaves the modelled code without being a broken property. */
const faultsText = ({ faults }: Pick<Verdict, "faults">): readonly string[] => {
  if (faults.length === 0) return [];
  const left = faults.length - MOST_FAULTS;
  const shown = [...faults.slice(0, MOST_FAULTS), ...(left > 0 ? [`And ${left} more.`] : [])];
  return [entry("Leaves / Faults", shown.join(" "), FAULTS_COLUMN)];
};

/** Column in which the sentences about faults begin. */
const FAULTS_COLUMN = 17;

/** Column in which the sentences about a broken property, and about what nobody executed, begin. */
const COLUMN = 14;

const valuesText = (values: readonly ValueJson[]): readonly string[] => {
  const rows = values.map(({ name, value }, i) => [
    `${" ".repeat(COLUMN)}${name === values[i - 1]?.name ? "" : name}`,
    value,
  ]);
  return columns(rows);
};

const repairText = ({ found, tried, candidates, states, undecided }: Repairs, patchers: number): string => {
  const [repair] = found;
  if (repair !== undefined) {
    const { addition, synchronisation, patcher } = repair;
    const { after, inside, line } = addition;
    const place =
      after === null
        ? "before all steps"
        : inside === undefined
          ? `after ${after}`
          : `first in the ${inside} of ${after}`;
    const whose = patchers === 1 ? "" : ` of patcher ${patcher}`;
    const left = undecided.length === 0 ? "" : ` A cheaper one may do as well: ${undecidedText(undecided)}.`;
    return `one added synchronisation repairs it: ${synchronisation.does} ${place}${whose} (--add ${line.id}).${left}`;
  }
  return undecided.length === 0
    ? `no single added synchronisation repairs it (all ${candidates} tried)`
    : `none found in ${count(states, "state")}: ${tried} of ${candidates} single added synchronisations were tried; ${undecidedText(undecided)}`;
};

const MOST_UNDECIDED = 3;

const undecidedText = (undecided: Repairs["undecided"]): string =>
  undecided.length > MOST_UNDECIDED
    ? `${undecided.length} are not decided`
    : `not decided: ${listed(undecided.map(({ addition }) => `--add ${addition.line.id}`))}`;

const sizes = ({ cpus, sites }: BoundsJson): { readonly cpus: number; readonly sites: number } => ({
  cpus,
  sites: sites.length,
});

/** What is taken of instructions whose effects are not modelled. */
const opaqueText = (opaque: NonNullable<Verdict["opaque"]>): string => {
  const shown = opaque.slice(0, MOST_FAULTS).map(({ at, text }) => `${text} at ${hex(at)}`);
  const more = opaque.length - shown.length;
  const which = listed(more > 0 ? [...shown, `${more} more`] : shown);
  return `${which}: not modelled, taken to change nothing; nothing else here depends on it, unless it raises an exception or writes code`;
};

const DECODERS: { readonly [decoder in NonNullable<BoundsJson["decoder"]>]: string } = {
  instants: "instants: it knows when each instruction ran",
  packets: "packets: it knows the time only where a CPU leaves a packet",
};

/** What the verdict rests on. */
const ground = (verdict: Verdict, bounds: BoundsJson, scenario: string | null): readonly string[] => {
  const { fetch, properties, limits } = bounds;
  const lines = [
    ...(scenario === null ? [] : [entry("Scenario", scenario)]),
    ...variationsText(bounds.variations),
    ...(bounds.strategyWhy === null
      ? []
      : [
          entry(
            "Strategy",
            `${listed([...new Set(bounds.patchers.map(({ strategy }) => strategy))])}: ${bounds.strategyWhy}`,
          ),
        ]),
    ...bounds.sites.map((site, i) => entry(bounds.sites.length === 1 ? "Site" : `Site ${i}`, siteText(site))),
    entry("Bounds", boundsText(bounds)),
    ...(verdict.numbers === undefined ? [] : [entry("CPUs", numbersText(verdict.numbers, verdict))]),
    entry("Fetch", `${fetch.id}: ${fetch.source}`),
    ...pluginsText(verdict.plugins ?? []),
    entry("Properties", properties.length === 0 ? "none counted" : `${listed(properties)} counted`),
  ];
  if (bounds.decoder !== null) lines.push(entry("Decoder", DECODERS[bounds.decoder]));
  if (verdict.verdict === "unsafe" && verdict.otherwise !== undefined)
    lines.push(entry("Otherwise", `${verdict.otherwise}: only interrupts that come for ever keep it from its end`));
  if (verdict.otherOrder !== undefined) lines.push(entry("Memory", otherOrderText(verdict.otherOrder)));
  if (verdict.notJudged.length > 0) lines.push(entry("Not judged", becauseOf(verdict.notJudged)));
  // Where nobody executed any, that is why the answer is vacuous.
  if (verdict.notExecuted.length > 0 && verdict.verdict !== "vacuous")
    lines.push(entry("Not executed", notExecutedText(verdict.notExecuted, bounds), COLUMN));
  if (verdict.emptyWaits.length > 0) lines.push(entry("Empty wait", emptyWaitsText(verdict.emptyWaits)));
  if (verdict.notPromised.length > 0)
    lines.push(
      entry("Not counted", `${listed(verdict.notPromised)} broke, which nobody promised or which was left out`),
    );
  if (verdict.verdict !== "unsafe") lines.push(...faultsText(verdict));
  if (verdict.opaque !== undefined) lines.push(entry("Opaque", opaqueText(verdict.opaque)));
  if (verdict.verdict === "safe" || verdict.verdict === "vacuous" || verdict.unused.length > 0) {
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

/** About which numbers of CPUs it is. */
const numbersText = ({ from, to, beyond }: CpuNumbers, { verdict }: Verdict): string => {
  if (verdict === "unsafe")
    return to === from ? `${to} break it, the least there can be` : `${to} are the fewest that break it`;
  if (to < from) return "no number was checked to the end";
  const checked = to === from ? `with ${to}` : `with ${from} to ${to}, one by one`;
  return beyond
    ? `any number from ${from} on, all that no patcher runs on running the same code: no property but progress breaks; that every call ends was checked ${checked}`
    : `nothing breaks ${checked}; for more it is not known`;
};

const emptyWaitsText = (waits: readonly EmptyWait[]): string =>
  waits
    .map(
      ({ flavour, near }) =>
        `nobody enters a read-side section of ${flavour}, so to wait for it is to wait for nobody${near.length === 0 ? "" : `; did you mean ${near.join(" or ")}?`}`,
    )
    .join("; ");

const notExecutedText = (notExecuted: readonly number[], { sites }: BoundsJson): string => {
  const named = notExecuted.map((site) => `site ${site} (${sites[site]?.address})`);
  return `${listed(named)}: nobody executed ${named.length === 1 ? "it while it was" : "them while they were"} changed, so the verdict says nothing of ${named.length === 1 ? "it" : "them"}`;
};

const pluginsText = (plugins: readonly UsedPlugin[]): readonly string[] => {
  if (plugins.length === 0) return [];
  const told = plugins.map(({ id, replaces }) =>
    replaces.length === 0 ? id : `${id}, which replaces the ${listed(replaces)}`,
  );
  return [entry("Plugins", told.join("; "))];
};

const otherOrderText = ({ memory, verdict, property, why, states }: OtherOrder): string => {
  if (memory === "sequential")
    return `the architectural order decides. The sequential one, in which CPUs may fetch more than the architecture lets them, breaks ${property}: ${why}`;
  switch (verdict) {
    case "unsafe":
      return `the architectural order breaks ${property} too`;
    case "inconclusive":
      return `the architectural order, which lets CPUs fetch less, did not break anything in ${count(states, "state")}, and was not seen whole`;
    default:
      return "the architectural order breaks nothing; it does not decide where an instruction lies over two units of fetching, which it takes to be fetched at one moment";
  }
};

/** A site in one sentence. */
export const siteText = ({ address, offset, old, new: next, oldBytes, newBytes, origin }: SiteJson): string =>
  `${address}, offset ${offset} in its line: ${old} [${oldBytes}] to ${next} [${newBytes}]${differing(oldBytes, newBytes)}${origin === null ? "" : `, ${origin}`}`;

/** A tear where both versions are the same is none: it is said when fewer bytes differ than there are. */
const differing = (old: string, next: string): string => {
  const bytes = old.length / 2;
  const equal = Array.from({ length: bytes }, (_, i) => old.slice(2 * i, 2 * i + 2) === next.slice(2 * i, 2 * i + 2));
  const differ = equal.filter((same) => !same).length;
  return differ === bytes ? "" : `, ${differ} of ${count(bytes, "byte")} ${differ === 1 ? "differs" : "differ"}`;
};

const boundsText = (bounds: BoundsJson): string => {
  const flips =
    bounds.flips === "forever"
      ? "flipped there and back for ever"
      : bounds.flips === 1
        ? `1 flip${bounds.flipsWhy === null ? "" : ` (${bounds.flipsWhy.replace(/\.$/, "")})`}`
        : `${bounds.flips} flips, there and back`;
  const drops = bounds.patchers.flatMap(({ drop }) => drop);
  const adds = bounds.patchers.flatMap(({ add }) => add);
  return [
    count(bounds.cpus, "CPU"),
    flips,
    bounds.irq ? "IRQs" : "no IRQ",
    bounds.nmi ? (bounds.nestedIret === "unguarded" ? "NMIs (unguarded)" : "NMIs") : "no NMI",
    bounds.preempt ? "preemption" : "no preemption",
    ...(bounds.user ? ["user mode"] : []),
    `${bounds.memory} memory`,
    ...(drops.length > 0 ? [`without the step${drops.length > 1 ? "s" : ""} ${listed(drops)}`] : []),
    ...(adds.length > 0 ? [`with ${listed(adds)} added`] : []),
  ].join(", ");
};

const offsetsText = (offsets: readonly OffsetJson[]): readonly string[] => {
  const text = offsets.map(
    ({ offset, verdict, property }) => `${offset} ${verdict}${property === null ? "" : ` ${property}`}`,
  );
  return [entry("Offsets", `the file does not fix the place in the line; this is the worst of ${text.join(", ")}`)];
};

const modelsText = (models: readonly ModelJson[]): readonly string[] => {
  const text = models.map(({ fetch, verdict, property, why }) => {
    const more = property ?? (verdict === "impossible" ? `(${why})` : null);
    return `${fetch} ${verdict}${more === null ? "" : ` ${more}`}`;
  });
  return [entry("Models", `this is the worst of ${text.join(", ")}`)];
};

const variationsText = (variations: readonly VariationJson[]): readonly string[] =>
  variations.length === 0
    ? []
    : [
        entry(
          "Varied",
          variations
            .map(({ option, asked, module }) => {
              const value = asked === "on" ? "" : ` ${asked}`;
              return `${option}${value}${module === null ? "" : ` (the module says ${module})`}`;
            })
            .join(", "),
        ),
      ];

const searchText = ({ states, transitions, depth, seconds: time }: Verdict): string =>
  transitions === null
    ? `${count(states, "state")} in sets, ${seconds(time)}`
    : `${count(states, "state")}, ${count(transitions, "transition")}, depth ${depth}, ${seconds(time)}`;
