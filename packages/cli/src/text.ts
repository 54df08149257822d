import { wrap } from "@cmodx/view";

/** Human output fits this many columns. */
export const WIDTH = 100;

/** A number with its thousands set apart; one that is too large to be exact by its first digits. */
export const thousands = (value: number): string =>
  value <= Number.MAX_SAFE_INTEGER
    ? value.toLocaleString("en-US")
    : `${value < Number.MAX_VALUE ? "about" : "more than"} ${value.toExponential(1).replace("+", "")}`;

/** `1 state`, `2 states`. */
export const count = (value: number, thing: string): string => `${thousands(value)} ${thing}${value === 1 ? "" : "s"}`;

/** Seconds, as precise as is of use. */
export const seconds = (value: number): string => `${value.toFixed(value < 10 ? 2 : 0)} s`;

/** An address. */
export const hex = (address: bigint): string => `0x${address.toString(16)}`;

/** Paragraphs, divided by empty lines and each wrapped anew; those that are indented stay as they are. */
export const prose = (text: string): string =>
  text
    .split("\n\n")
    .map((block) => (block.startsWith(" ") ? block : wrap(block.trim().replaceAll("\n", " "), WIDTH).join("\n")))
    .join("\n\n");

/** A paragraph with a title in a column of its own: `Bounds    3 CPUs, …`. */
export const entry = (title: string, text: string, column = 12, width = WIDTH): string => {
  const lines = wrap(text, width - column);
  return lines.map((line, i) => (i === 0 ? title.padEnd(column) : " ".repeat(column)) + line).join("\n");
};

/** The greatest of what rows have, or 0; there may be more rows than a function takes arguments. */
const most = <T>(rows: readonly T[], of: (row: T) => number): number =>
  rows.reduce((greatest, row) => Math.max(greatest, of(row)), 0);

/** Columns of text, two spaces apart. The last one is wrapped into what is left of `width`. */
export const columns = (rows: readonly (readonly string[])[], width = WIDTH): readonly string[] => {
  const last = most(rows, (row) => row.length) - 1;
  const widths = Array.from({ length: last }, (_, i) => most(rows, (row) => row[i]?.length ?? 0));
  const before = widths.reduce((sum, each) => sum + each + 2, 0);
  return rows.flatMap((row) => {
    const head = widths.map((each, i) => (row[i] ?? "").padEnd(each + 2)).join("");
    return wrap(row[last] ?? "", Math.max(20, width - before)).map((line, i) =>
      ((i === 0 ? head : " ".repeat(before)) + line).trimEnd(),
    );
  });
};
