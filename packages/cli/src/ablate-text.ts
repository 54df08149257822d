import { listed } from "@cmodx/core";
import { wrap } from "@cmodx/view";
import type { Colors } from "./io.js";
import type { AblateJson, AblateRowJson, AblateSite } from "./json.js";
import { IN_BRACKETS } from "./matrix-text.js";
import { columns, count, WIDTH } from "./text.js";

/** The answer of `cmodx ablate` as text: a block for each place of the site, what was left out down, fetch profiles across. */
export const ablateText = (document: AblateJson, paint: Colors): string => {
  const { architecture, strategy, site, cpus, irq, nmi, preempt, memory, steps, most, rows } = document;
  const environment = [
    ...(irq ? ["IRQs"] : []),
    ...(nmi ? ["NMIs"] : []),
    ...(preempt ? ["preemption"] : []),
    ...(memory === "architectural" ? ["the architectural memory order"] : []),
  ];
  const within = environment.length === 0 ? "" : `, with ${listed(environment)}`;
  const profiles = [...new Set(rows.map(({ profile }) => profile))];
  const sites = [...new Set(rows.map((row) => row.site))];
  const decided = steps.filter((id) =>
    rows.some(({ dropped, verdict }) => verdict !== "not decided" && dropped[0] === id),
  );
  const lines = [
    paint.bold(`${strategy} on ${architecture}, ${site}, ${count(cpus, "CPU")}${within}`),
    ...wrap(
      "Each cell: safe, or the first property that breaks; the interrupts sent for each flip; what was left out.",
      WIDTH,
    ),
    ...(rows.some(({ sequential }) => sequential !== null) ? wrap(IN_BRACKETS, WIDTH) : []),
    ...(most < decided.length
      ? wrap(
          `Of ${decided.length} steps at most ${most} are left out together: all combinations would take too long.`,
          WIDTH,
        )
      : []),
  ];
  for (const place of sites) {
    const here = rows.filter((row) => row.site === place);
    const combinations = [...new Set(here.map(({ dropped }) => dropped.join(" ")))];
    const table = combinations.map((dropped) => {
      const found = profiles.map((profile) =>
        here.find((row) => row.profile === profile && row.dropped.join(" ") === dropped),
      );
      const interrupts = found.find((row) => row?.interruptsPerFlip != null)?.interruptsPerFlip;
      return [...found.map(cell), interrupts == null ? "-" : String(interrupts), dropped === "" ? "nothing" : dropped];
    });
    lines.push("", paint.bold(place === "crossing" ? "site over two lines" : "site in one line"));
    lines.push(...columns([[...profiles, "IPIs", "left out"], ...table]));
    for (const profile of profiles) lines.push(...wrap(`${profile}: ${needed(document, profile, place)}`, WIDTH, "  "));
  }
  return `${lines.join("\n")}\n`;
};

const cell = (row: AblateRowJson | undefined): string => {
  switch (row?.verdict) {
    case "safe":
    case "vacuous":
      return row.sequential === null ? row.verdict : `${row.verdict} (${row.sequential})`;
    case "unsafe":
      return row.property ?? "unsafe";
    case "inconclusive":
      return "?";
    case "not decided":
      return "not decided";
    default:
      return "n/a";
  }
};

/** Which steps are unsafe to leave out alone. */
const needed = ({ rows, steps }: AblateJson, profile: string, site: AblateSite): string => {
  const alone = (dropped: string): AblateRowJson | undefined =>
    rows.find((row) => row.profile === profile && row.site === site && row.dropped.join(" ") === dropped);
  const whole = alone("");
  if (whole?.verdict !== "safe") return `${whole === undefined ? "not checked" : whole.verdict} with nothing left out`;
  const necessary = steps.filter((id) => alone(id)?.verdict === "unsafe");
  return necessary.length === 0 ? "no step is necessary by itself" : `${listed(necessary)} necessary`;
};
