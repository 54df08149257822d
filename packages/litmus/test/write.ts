import { type LitmusResult, runLitmus } from "../src/index.js";

/** A litmus test in short: `code` has one text for each thread, instructions on lines of their own. */
export type Short = {
  readonly info?: string;
  readonly init: string;
  readonly code: readonly string[];
  readonly condition: string;
};

/** The litmus file of a test in short. */
export const written = ({ info = "", init, code, condition }: Short): string => {
  const columns = code.map((text) =>
    text
      .trim()
      .split("\n")
      .map((line) => line.trim()),
  );
  const rows = Array.from({ length: Math.max(...columns.map((column) => column.length)) }, (_, i) =>
    columns.map((column) => column[i] ?? "").join(" | "),
  );
  const head = columns.map((_, i) => `P${i}`).join(" | ");
  return `AArch64 short\n${info}\n{ ${init} }\n${[head, ...rows].map((row) => `${row} ;`).join("\n")}\n${condition}\n`;
};

/** Runs a test in short. */
export const ask = (short: Short): LitmusResult => runLitmus(written(short), "short.litmus");
