import { own } from "@cmodx/core";
import { wrap } from "@cmodx/view";
import type { Colors } from "./io.js";
import type { PairJson, PairsJson } from "./json.js";
import { count, WIDTH } from "./text.js";

/** What breaks, in a word that fits a cell. */
const words: { readonly [property: string]: string } = { "old-or-new": "torn", "mid-sequence": "mid" };

const COLUMN = 8;

/** A table of pairs as text: one block for each group, old instructions down, new ones across. */
export const pairsText = (document: PairsJson, paint: Colors): string => {
  const { architecture, cpus, ways, groups, pairs } = document;
  const [cheapest] = ways;
  const lines = [
    paint.bold(
      `${architecture}, ${count(cpus, "CPU")}: old instructions down, new ones across; the first way that is safe`,
    ),
    ...ways.map(({ id, mark, means }) => `${mark.padEnd(4)}${id.padEnd(10)}${means}`),
    ...(pairs.some(isVacuous)
      ? [`${SAME.padEnd(4)}${"nothing".padEnd(10)}the same instruction: there is nothing to change`]
      : []),
    ...wrap(
      `Behind it stands what ${cheapest?.id ?? "the first way"} breaks: "rule", the list of the manual; "torn", old-or-new too: an ` +
        "instruction is executed that is neither. On the diagonal the operand changes; of a 32-bit BL of Thumb, the range by one halfword.",
      WIDTH,
    ),
  ];
  for (const { id, fetch, offset, names } of groups) {
    const own = pairs.filter(({ group }) => group === id);
    const label = Math.max(...names.map((name) => name.length)) + 1;
    const row = (first: string, parts: readonly string[]): string =>
      (first.padEnd(label) + parts.map((part) => part.slice(0, COLUMN - 1).padEnd(COLUMN)).join("")).trimEnd();
    lines.push("", paint.bold(`${id} (--fetch ${fetch}${offset === 0 ? "" : `, offset ${offset}`})`), row("", names));
    for (const old of names) {
      const found = names.map((next) => own.find((pair) => pair.old === old && pair.new === next));
      lines.push(
        row(
          old,
          found.map((pair) => (pair === undefined ? "" : cell(pair, document))),
        ),
      );
    }
    lines.push(...wrap(summary(own, document), WIDTH));
  }
  return `${lines.join("\n")}\n`;
};

const SAME = "=";

const isVacuous = ({ ways }: PairJson): boolean => ways.at(-1)?.verdict === "vacuous";

const cell = (pair: PairJson, { ways }: PairsJson): string => {
  if (isVacuous(pair)) return SAME;
  const isUndecided = pair.ways.at(-1)?.verdict === "inconclusive";
  const mark = ways.find(({ id }) => id === pair.needs)?.mark ?? (isUndecided ? "?" : "-");
  const property = pair.ways[0]?.property ?? "";
  return `${mark} ${own(words, property) ?? property}`;
};

/** How many pairs need what. */
const summary = (own: readonly PairJson[], { ways }: PairsJson): string => {
  const counts = ways.map(({ id }) => `${id} ${own.filter((pair) => pair.needs === id).length}`);
  const same = own.filter(isVacuous).length;
  const none = own.filter((pair) => pair.needs === null).length - same;
  const others = [...(same === 0 ? [] : [`nothing ${same}`]), ...(none === 0 ? [] : [`none ${none}`])];
  return `${count(own.length, "pair")}: ${[...counts, ...others].join(", ")}`;
};
