import { wrap } from "@cmodx/view";
import type { Colors } from "./io.js";
import type { CellJson, MatrixJson } from "./json.js";
import { count, WIDTH } from "./text.js";

const GAP = 1;

/** What a table says where some cell has it. */
export const IN_BRACKETS =
  "In brackets: what breaks in the sequential memory order alone, which lets CPUs fetch more than the architecture does.";

/** A matrix as text: one block for each fetch profile, strategies down, environments across. */
export const matrixText = (document: MatrixJson, paint: Colors): string => {
  const { architecture, cpus, memory, environments, cells } = document;
  const strategies = [...new Set(cells.map(({ strategy }) => strategy))];
  const profiles = [...new Set(cells.map(({ fetch }) => fetch))];
  const label = Math.max(8, ...strategies.map((id) => id.length));
  const column = Math.floor((WIDTH - label - GAP) / Math.max(1, environments.length)) - GAP;
  const lines = [
    paint.bold(
      `${architecture}, ${count(cpus, "CPU")}, ${memory} memory, each cell: verdict, states, first broken property`,
    ),
    ...wrap(
      "2 flips, there and back (1 where there is no way back); line-cross: the site over two lines, n/a where none of its length can be; " +
        "multi-insn: several old instructions replaced by one, 1 flip, with preemption; n/a: the strategy refuses the site",
      WIDTH,
    ),
  ];
  if (cells.some(({ sequential }) => sequential !== null)) lines.push(...wrap(IN_BRACKETS, WIDTH));
  const row = (first: string, parts: readonly Part[]): string =>
    `${first.padEnd(label)} ${parts.map(([text, style]) => style(text.slice(0, column).padEnd(column + GAP))).join("")}`.trimEnd();
  for (const fetch of profiles) {
    lines.push(
      "",
      row(
        fetch,
        environments.map(({ id }) => [id, paint.bold]),
      ),
    );
    for (const strategy of strategies) {
      const found = environments.map(({ id }) =>
        cells.find((cell) => cell.strategy === strategy && cell.fetch === fetch && cell.environment === id),
      );
      lines.push(
        row(
          strategy,
          found.map((cell) => verdictPart(cell, paint)),
        ),
      );
      if (found.some((cell) => secondLine(cell) !== ""))
        lines.push(
          row(
            "",
            found.map((cell) => [secondLine(cell), paint.red]),
          ),
        );
    }
  }
  return `${lines.join("\n")}\n`;
};

type Part = readonly [string, (text: string) => string];

const verdictPart = (cell: CellJson | undefined, paint: Colors): Part => {
  switch (cell?.verdict) {
    case "safe":
      return [`safe ${cell.states}`, paint.green];
    case "vacuous":
      return [`vacuous ${cell.states}`, paint.yellow];
    case "unsafe":
      return [`UNSAFE ${cell.states}`, paint.red];
    case "inconclusive":
      return [`? ${cell.states}`, paint.yellow];
    default:
      return ["n/a", paint.dim];
  }
};

/** What breaks; in brackets, what breaks in the sequential order alone. */
const secondLine = (cell: CellJson | undefined): string =>
  cell?.property ?? (cell === undefined || cell.sequential === null ? "" : `(${cell.sequential})`);
