// Draws docs/recording.svg from what the tools print of the recorded run in packages/record/fixtures.
import { readFileSync, writeFileSync } from "node:fs";

const root = new URL("../../", import.meta.url);
const fixture = (name) => readFileSync(new URL(`packages/record/fixtures/${name}`, root), "utf8").split("\n");

const WIDTH = 1180;
const LEFT = 70;
/** Steps that are drawn: those of the first call, to its return. */
const LAST = 110;
const COLORS = {
  text_poke: "#d1242f",
  text_poke_event: "#8250df",
  executed: "#1a7f37",
  trap: "#bf8700",
  ipi: "#0969da",
  other: "#afb8c1",
};

const events = fixture("run.report.txt").flatMap((line) => {
  const [, cpu, name, n] = /\[(\d+)\] +[\d.]+: (\w+): +n=(\d+)/.exec(line) ?? [];
  return name === undefined || Number(n) > LAST ? [] : [{ cpu: Number(cpu), name, n: Number(n), line: line.trim() }];
});
const colorOf = (name) =>
  COLORS[name] ??
  (/^ipi|sync_core/.test(name) ? COLORS.ipi : /^(trap|emulated)/.test(name) ? COLORS.trap : COLORS.other);
const x = (n) => LEFT + 10 + ((WIDTH - LEFT - 30) * n) / LAST;
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

const out = [];
const text = (at, y, what, style = "") => out.push(`<text x="${at}" y="${y}"${style}>${escaped(what)}</text>`);
const title = (y, what) => text(12, y, what, ' font-weight="bold"');
/** Lines of a tool on a ground of their own; those with `marked` in them stand out. */
const panel = (y, lines, marked) => {
  out.push(
    `<rect x="10" y="${y}" width="${WIDTH - 20}" height="${lines.length * 16 + 10}" fill="#f6f8fa" stroke="#d0d7de"/>`,
  );
  for (const [i, line] of lines.entries())
    text(18, y + 18 + i * 16, line.slice(0, 158), marked.test(line) ? ` fill="${COLORS.text_poke_event}"` : "");
  return y + lines.length * 16 + 40;
};

title(24, "KernelShark: a row for each CPU, a mark for each event of run.dat (here the first patch call)");
const poke = events.find(({ name }) => name === "text_poke_event");
for (const cpu of [0, 1]) {
  const y = 60 + cpu * 44;
  text(12, y + 4, `CPU ${cpu}`);
  out.push(`<line x1="${LEFT}" y1="${y}" x2="${WIDTH - 12}" y2="${y}" stroke="#d0d7de"/>`);
  for (const { name, n } of events.filter((event) => event.cpu === cpu)) {
    const tall = name.startsWith("text_poke") ? 16 : 10;
    out.push(`<rect x="${x(n).toFixed(1)}" y="${y - tall}" width="4" height="${2 * tall}" fill="${colorOf(name)}"/>`);
  }
}
out.push(
  `<line x1="${x(poke.n) + 2}" y1="36" x2="${x(poke.n) + 2}" y2="130" stroke="${COLORS.text_poke_event}" stroke-dasharray="4"/>`,
);
let at = LEFT;
for (const [name, color] of Object.entries(COLORS)) {
  out.push(`<rect x="${at}" y="140" width="10" height="10" fill="${color}"/>`);
  text(at + 16, 150, name);
  at += 40 + name.length * 8;
}

title(184, "trace-cmd report -i run.dat: a line for each event, with the step");
const around = events.indexOf(poke);
let y = panel(
  192,
  events.slice(around - 5, around + 5).map(({ line }) => line),
  /text_poke_event/,
);
title(y, "perf script -i run.perf --show-text-poke-events --no-itrace: the change, as the strategy published it");
const pokes = fixture("run.text-poke.txt");
y = panel(
  y + 8,
  pokes.slice(0, 4).map((line) => line.trim()),
  /TEXT_POKE|bytes/,
);
title(
  y,
  "perf script -i run.perf --itrace=be -F cpu,event,ip,addr: the branches of each CPU, decoded across the change",
);
y = panel(
  y + 8,
  fixture("run.branches.txt")
    .slice(4, 14)
    .map((line) => line.trim()),
  /ffffffff81001000$/,
);

writeFileSync(
  new URL("docs/recording.svg", root),
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y - 16}" font-family="monospace" font-size="12" xml:space="preserve">
<title>One recorded run: marks for each CPU, and lines of trace-cmd and perf</title>
<rect width="100%" height="100%" fill="#ffffff"/>
${out.join("\n")}
</svg>
`,
);
