import { line, symbol, symbolsFill } from "d3-shape";
import { type Axis, heightAxis, sizeAxis, type Unit, withUnit } from "./axes.js";
import { element, escaped } from "./markup.js";
import { COLOURS, plotStyle } from "./theme.js";
import { FONTS, fitted, widthOf } from "./widths.js";

/** A line of a plot. */
export type Series = { readonly label: string; readonly points: readonly (readonly [size: number, value: number])[] };

/** One plot: the same series as its neighbours, something else of them. */
export type Panel = {
  readonly title: string;
  readonly unit: Unit;
  /** In the order of the figure's labels. */
  readonly series: readonly Series[];
};

/** Plots over one axis of sizes. */
export type Figure = {
  readonly title: string;
  /** Lines below the title. */
  readonly notes: readonly string[];
  /** What the sizes count. */
  readonly sizes: string;
  readonly panels: readonly Panel[];
};

const WIDTH = 760;
const EDGE = 16;
const LEFT = 92;
const RIGHT = WIDTH - 40;
const TITLE = 16;
const TEXT = 12;
const LINE = 20;
const HEIGHT = 190;
/** From the foot of a plot to the head of the next: the labels of its ticks, the title of its sizes, and its own title. */
const BETWEEN = 84;
const SWATCH = 28;

const write = (text: string, x: number, y: number, rest: { readonly [name: string]: string | number } = {}): string =>
  element("text", { x, y, "font-size": TEXT, ...rest }, escaped(text));

const ruled = (kind: string, x1: number, y1: number, x2: number, y2: number): string =>
  element("line", { class: kind, x1, y1, x2, y2 });

/** A series' line and marks differ from others' in form too, for whoever does not see colours. */
const mark = (series: number, x: number, y: number, told: string): string =>
  element(
    "path",
    {
      class: `m${series % COLOURS}`,
      d: symbol(symbolsFill[series % symbolsFill.length], 44)() ?? "",
      transform: `translate(${x.toFixed(2)},${y.toFixed(2)})`,
    },
    told === "" ? "" : element("title", {}, escaped(told)),
  );

/** What the series are called, in as many rows as that takes, and how high they are. */
const legend = (labels: readonly string[], top: number): { readonly markup: string; readonly bottom: number } => {
  let [x, y] = [EDGE, top];
  const markup = labels.map((label, i) => {
    const shown = fitted(label, TEXT, WIDTH - 2 * EDGE - SWATCH);
    const width = SWATCH + widthOf(shown, TEXT);
    if (x > EDGE && x + width > WIDTH - EDGE) [x, y] = [EDGE, y + LINE];
    const drawn = `${element("line", { class: `line s${i % COLOURS}`, x1: x, y1: y - 4, x2: x + SWATCH - 6, y2: y - 4 })}${mark(i, x + (SWATCH - 6) / 2, y - 4, "")}${write(shown, x + SWATCH, y)}`;
    x += width + EDGE;
    return drawn;
  });
  return { markup: markup.join("\n"), bottom: y };
};

const drawn = ({ title, unit, series }: Panel, sizes: string, across: Axis, top: number): string => {
  const bottom = top + HEIGHT;
  const values = series.flatMap(({ points }) => points.map(([, value]) => value));
  const up = heightAxis(values, unit, [bottom, top], 1.5 * TEXT);
  const none = up.logarithmic && values.some((value) => value <= 0) ? "; what is 0 is left out" : "";
  const lines = series.map(({ label, points }, i) => {
    const placed = points.flatMap(([size, value]) => {
      const [x, y] = [across.at(size), up.at(value)];
      return x === undefined || y === undefined
        ? []
        : [{ x, y, told: `${label}, ${withUnit(size, "count")} ${sizes}: ${withUnit(value, unit)}` }];
    });
    const path = line<(typeof placed)[number]>(
      ({ x }) => x,
      ({ y }) => y,
    ).digits(2)(placed);
    const marks = placed.map(({ x, y, told }) => mark(i, x, y, told)).join("");
    return path === null ? "" : `${element("path", { class: `line s${i % COLOURS}`, d: path })}${marks}`;
  });
  return [
    write(fitted(`${title}${up.logarithmic ? ", logarithmic" : ""}${none}`, TEXT, WIDTH - 2 * EDGE), EDGE, top - 14, {
      "font-weight": "bold",
    }),
    ...up.ticks.map(
      ({ at, label }) =>
        `${ruled("grid", LEFT, at, RIGHT, at)}${write(label, LEFT - 8, at + 4, { "text-anchor": "end" })}`,
    ),
    ...across.ticks.map(
      ({ at, label }) =>
        `${ruled("axis", at, bottom, at, bottom + 5)}${write(label, at, bottom + 18, { "text-anchor": "middle" })}`,
    ),
    ruled("axis", LEFT, bottom, RIGHT, bottom),
    ruled("axis", LEFT, top, LEFT, bottom),
    write(`${sizes}${across.logarithmic ? ", logarithmic" : ""}`, RIGHT, bottom + 38, { "text-anchor": "end" }),
    ...lines,
  ].join("\n");
};

/** The figure as a document of SVG 1.1: text is text, and its colours are those of the theme that it is shown in. */
export const svgOf = ({ title, notes, sizes, panels }: Figure): string => {
  const room = WIDTH - 2 * EDGE;
  const all = panels.flatMap(({ series }) => series.flatMap(({ points }) => points.map(([size]) => size)));
  const across = sizeAxis(all, [LEFT, RIGHT], TEXT);
  const head = [
    element("text", { x: EDGE, y: 30, "font-size": TITLE, "font-weight": "bold" }, escaped(fitted(title, TITLE, room))),
    ...notes.map((note, i) => write(fitted(note, TEXT, room), EDGE, 52 + i * LINE)),
  ];
  const labels = legend(panels[0]?.series.map(({ label }) => label) ?? [], 58 + notes.length * LINE);
  const first = labels.bottom + 44;
  const tops = panels.map((_, i) => first + i * (HEIGHT + BETWEEN));
  const height = first + panels.length * (HEIGHT + BETWEEN) - BETWEEN + 52;
  return `${element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      class: "cmodx-plot",
      viewBox: `0 0 ${WIDTH} ${height}`,
      width: WIDTH,
      height,
      role: "img",
      "font-family": FONTS,
    },
    `\n${[
      element("title", {}, escaped(title)),
      element("style", {}, `${plotStyle}.cmodx-plot .line{fill:none;stroke-width:2}`),
      element("rect", { class: "ground", width: WIDTH, height }),
      ...head,
      labels.markup,
      ...panels.map((panel, i) => drawn(panel, sizes, across, tops[i] ?? 0)),
    ].join("\n")}\n`,
  )}\n`;
};
