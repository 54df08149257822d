import type { PatchJson, PatchRunJson } from "./json.js";
import { time } from "./patch-text.js";
import { type Figure, type Panel, type Series, svgOf } from "./plot/figure.js";
import { element, escaped } from "./plot/markup.js";
import { pageStyle } from "./plot/theme.js";
import { FONTS } from "./plot/widths.js";
import { count, thousands } from "./text.js";

const MEASURES: readonly { readonly title: string; readonly unit: Panel["unit"]; of(run: PatchRunJson): number }[] = [
  { title: "time of all patch calls", unit: "ns", of: ({ time }) => time },
  { title: "the longest pause of any CPU that runs the code", unit: "ns", of: ({ longestPause }) => longestPause.max },
  { title: "what these CPUs lose while the calls go on, of their time", unit: "part", of: ({ lost }) => lost },
];

/** What the plots of a sweep show: over its CPUs, or its sites where these are all that is swept; what was cut short is left out. */
export const figureOf = (document: PatchJson): Figure => {
  const { architecture, cost, seed, interrupted } = document;
  const runs = document.runs.filter(({ complete }) => complete);
  const differ = (of: (run: PatchRunJson) => number): boolean => new Set(document.runs.map(of)).size > 1;
  const over: "cpus" | "asked" = differ(({ cpus }) => cpus) || !differ(({ asked }) => asked) ? "cpus" : "asked";
  const beside: "cpus" | "asked" = over === "cpus" ? "asked" : "cpus";
  const called = { cpus: "CPU", asked: "site" };
  const strategies = [...new Set(runs.map(({ strategy }) => strategy))];
  const others = [...new Set(runs.map((run) => run[beside]))].sort((a, b) => a - b);
  const panels = others.flatMap((other) =>
    MEASURES.flatMap(({ title, unit, of }): readonly Panel[] => {
      const series = strategies.map((strategy): Series => {
        const those = runs.filter((run) => run.strategy === strategy && run[beside] === other);
        return { label: strategy, points: those.map((run) => [run[over], of(run)] as const).sort(([a], [b]) => a - b) };
      });
      const some = series.some(({ points }) => points.some(([, value]) => value > 0));
      return some ? [{ title: `${count(other, called[beside])}: ${title}`, unit, series }] : [];
    }),
  );
  return {
    title: `What patching costs: ${architecture}, cost model ${cost}`,
    notes: [
      `simulated by cmodx patch, seed ${seed}`,
      ...(interrupted ? ["cut short: only what was computed until then"] : []),
    ],
    sizes: over === "cpus" ? "CPUs" : "sites",
    panels,
  };
};

const COLUMNS: readonly { readonly head: string; of(run: PatchRunJson): string }[] = [
  { head: "strategy", of: ({ strategy }) => strategy },
  { head: "CPUs", of: ({ cpus }) => thousands(cpus) },
  { head: "sites", of: ({ sites }) => thousands(sites) },
  { head: "batches", of: ({ batches }) => thousands(batches) },
  { head: "rounds", of: ({ rounds }) => thousands(rounds) },
  { head: "interrupts", of: ({ interrupts }) => thousands(interrupts) },
  { head: "traps", of: ({ traps }) => thousands(traps) },
  { head: "stops", of: ({ stops }) => thousands(stops) },
  { head: "time", of: (run) => time(run.time) },
  { head: "longest pause", of: ({ longestPause }) => time(longestPause.max) },
  { head: "lost", of: ({ lost, complete }) => `${(100 * lost).toFixed(2)} %${complete ? "" : ", cut short"}` },
];

const row = (cells: readonly string[], cell: "th" | "td"): string =>
  element("tr", {}, cells.map((text) => element(cell, {}, escaped(text) || "–")).join(""));

/** A page with the plots of a sweep and a table of its runs; it is well-formed XML too, and asks nothing of the network. */
export const patchPage = (document: PatchJson): string => {
  const figure = figureOf(document);
  const style = `body{font:15px/1.5 ${FONTS};margin:2rem auto;max-width:60rem;padding:0 1rem}svg{height:auto;max-width:100%}table{border-collapse:collapse;font-variant-numeric:tabular-nums}th,td{border-bottom:1px solid;padding:.25rem .75rem;text-align:right}th:first-child,td:first-child{text-align:left}.wide{overflow-x:auto}${pageStyle}`;
  const head = [
    element("meta", { charset: "utf-8" }),
    element("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }),
    element("meta", { name: "color-scheme", content: "light dark" }),
    element("title", {}, escaped(figure.title)),
    element("style", {}, style),
  ].join("\n");
  const table = element(
    "table",
    {},
    `\n${element(
      "thead",
      {},
      row(
        COLUMNS.map(({ head: each }) => each),
        "th",
      ),
    )}\n${element(
      "tbody",
      {},
      `\n${document.runs
        .map((run) =>
          row(
            COLUMNS.map(({ of }) => of(run)),
            "td",
          ),
        )
        .join("\n")}\n`,
    )}\n`,
  );
  const body = `\n${svgOf(figure)}${element("div", { class: "wide" }, table)}\n`;
  return `<!DOCTYPE html>\n${element("html", { lang: "en" }, `\n${element("head", {}, `\n${head}\n`)}\n${element("body", {}, body)}\n`)}\n`;
};

/** A picture of the plots of a sweep. */
export const patchPicture = (document: PatchJson): string => svgOf(figureOf(document));
