/* Colours for light and dark. Texts have at least 4.5 : 1 to the ground, lines 3 : 1 (WCAG 2.2, 1.4.3 and 1.4.11). */

type Theme = {
  readonly ground: string;
  readonly text: string;
  readonly axis: string;
  readonly grid: string;
  readonly series: readonly string[];
};

const light: Theme = {
  ground: "#ffffff",
  text: "#1f2328",
  axis: "#6b7280",
  grid: "#e5e7eb",
  series: ["#0072b2", "#b84a00", "#00754c", "#a2348f", "#7f6400", "#555555", "#b3202c", "#0a7480"],
};

const dark: Theme = {
  ground: "#16181d",
  text: "#e6e8eb",
  axis: "#9aa3ad",
  grid: "#30343b",
  series: ["#56b4e9", "#ff9e4a", "#3ddc97", "#e58fd6", "#f0e442", "#bbbbbb", "#ff7b7b", "#4fd6e0"],
};

/** How many series have a colour of their own. */
export const COLOURS = light.series.length;

const rules = ({ ground, text, axis, grid, series }: Theme): string =>
  [
    `.cmodx-plot .ground{fill:${ground}}`,
    `.cmodx-plot text{fill:${text}}`,
    `.cmodx-plot .axis{stroke:${axis}}`,
    `.cmodx-plot .grid{stroke:${grid}}`,
    ...series.map((colour, i) => `.cmodx-plot .s${i}{stroke:${colour}}.cmodx-plot .m${i}{fill:${colour}}`),
  ].join("");

/** The style of plots. Who shows it says whether it is dark. */
export const plotStyle = `${rules(light)}@media (prefers-color-scheme:dark){${rules(dark)}}`;

const page = ({ ground, text, grid }: Theme): string =>
  `body{background:${ground};color:${text}}th,td{border-color:${grid}}`;

/** The style of a page around them. */
export const pageStyle = `${page(light)}@media (prefers-color-scheme:dark){${page(dark)}}`;
