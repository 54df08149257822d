import { listed, type OutcomeKind, type Outcomes, type SiteOutcome, spaced } from "@cmodx/core";
import { limitText, wrap } from "@cmodx/view";
import type { Colors } from "./io.js";
import { columns, count, seconds, WIDTH } from "./text.js";

/** Every instruction that each CPU can execute at the sites, as a table for each group of CPUs that can do the same. */
export const outcomesText = (
  { outcomes, limit, states, seconds: time, bounds }: Outcomes,
  { cpus, sites }: { readonly cpus: number; readonly sites: number },
  paint: Colors,
): readonly string[] => {
  const reasons = [...new Set(outcomes.flatMap(({ refused }) => refused))];
  const whole = `What can be executed at the site${sites === 1 ? "" : "s"}, behind violations too: ${count(states, "state")}, ${seconds(time)}`;
  const cut = limit === null ? [] : wrap(`CUT SHORT  ${limitText(limit, bounds)} There may be more outcomes.`, WIDTH);
  return [
    paint.bold(whole),
    ...cut.map((line) => paint.yellow(line)),
    ...groupsOf(outcomes, cpus).flatMap(([who, list]) => [
      "",
      paint.bold(who),
      ...(list.length === 0
        ? ["  nothing"]
        : columns(list.map((outcome) => row(outcome, sites, reasons))).map((line) =>
            isBad(line) ? paint.red(line) : line,
          )),
    ]),
    ...(reasons.length === 0 ? [] : [""]),
    ...reasons.flatMap((reason, i) => wrap(`[${i + 1}] refused: ${reason}`, WIDTH, "    ")),
  ];
};

/** The outcomes of the CPUs that have the same list. */
const groupsOf = (
  outcomes: readonly SiteOutcome[],
  cpus: number,
): readonly (readonly [string, readonly SiteOutcome[]])[] => {
  const groups = new Map<string, { readonly members: number[]; readonly list: readonly SiteOutcome[] }>();
  for (let cpu = 0; cpu < cpus; cpu++) {
    const list = outcomes.filter((outcome) => outcome.cpus.includes(cpu));
    const key = list.map((outcome) => outcomes.indexOf(outcome)).join();
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { members: [cpu], list });
    else group.members.push(cpu);
  }
  return [...groups.values()].map(({ members, list }) => [
    `${members.length === 1 ? "CPU" : "CPUs"} ${listed(members.map(String))}`,
    list,
  ]);
};

const kinds: { readonly [kind in OutcomeKind]: string } = {
  old: "old",
  new: "new",
  both: "old and new",
  breakpoint: "breakpoint",
  guard: "guard",
  torn: "TORN",
};

const row = (outcome: SiteOutcome, sites: number, reasons: readonly string[]): readonly string[] => [
  `  ${sites === 1 ? "" : `site ${outcome.site} `}+${outcome.offset}`,
  outcome.how === "emulated" ? "(emulated)" : spaced(outcome.bytes),
  outcome.text,
  outcome.how === "emulated" && outcome.kind === "torn" ? "NEITHER" : kinds[outcome.kind],
  remarks(outcome, reasons).join("; "),
];

const remarks = (
  { fresh, stale, during, outside, late, levels, refused, how }: SiteOutcome,
  reasons: readonly string[],
): readonly string[] => [
  ...(how === "emulated" ? [] : [stale ? (fresh ? "fresh or stale" : "stale") : "fresh"]),
  during ? (outside ? "any time" : "during a call") : "outside of calls",
  ...(late ? ["LATE: after its replacement's call had returned"] : []),
  ...(levels.join() === "task" ? [] : [listed(levels)]),
  ...(refused.length === 0 ? [] : [refused.map((reason) => `[${reasons.indexOf(reason) + 1}]`).join("")]),
];

const isBad = (line: string): boolean => /\b(TORN|NEITHER|LATE)\b/.test(line);
