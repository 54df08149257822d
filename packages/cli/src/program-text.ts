import {
  type Condition,
  type Data,
  isStep,
  type Line,
  nested,
  type PatchProgram,
  type Step,
  type Value,
} from "@cmodx/core";
import { wrap } from "@cmodx/view";
import type { Colors } from "./io.js";
import type { SiteJson } from "./json.js";
import { hex, WIDTH } from "./text.js";

/** A program as text: a line for each step with its id, its operation and its note; what is nested is indented. */
export const programText = (program: PatchProgram, site: SiteJson, paint: Colors): readonly string[] => {
  const part = (lines: readonly Line[]): readonly string[] => {
    const rows = rowsOf(lines, "  ", site);
    const id = Math.max(...rows.map(([first]) => first.length)) + 2;
    return rows.flatMap(([first, rest]) =>
      wrap(rest, WIDTH - id, "  ").map((text, i) => `${(i === 0 ? first : "").padEnd(id)}${text}`.trimEnd()),
    );
  };
  const words = [
    ...Object.entries(program.words ?? {}).map(([name, value]) => `${name} = ${valueText(value, site)}`),
    ...Object.entries(program.cpuWords ?? {}).map(([name, value]) => `${name} = ${valueText(value, site)} on each CPU`),
  ];
  return [
    ...part(program.main),
    ...Object.entries(program.traps ?? {}).flatMap(([vector, lines]) => [
      paint.bold(`${vector} handler:`),
      ...part(lines),
    ]),
    ...(words.length > 0 ? [paint.bold("words, at first:"), ...words.map((word) => `  ${word}`)] : []),
  ];
};

/** The id of a line, indented, and what the line does. */
type Row = readonly [id: string, text: string];

const rowsOf = (lines: readonly Line[], indent: string, site: SiteJson): readonly Row[] =>
  lines.flatMap((line): readonly Row[] => {
    const inner = (within: readonly Line[]): readonly Row[] => rowsOf(within, `${indent}  `, site);
    const id = `${indent}${line.id}`;
    if (isStep(line)) {
      const note = line.note === undefined ? "" : `  # ${line.note}`;
      const blocks = blocksOf(line).flatMap(([title, held]): readonly Row[] => [
        [`${indent}  (${title})`, ""],
        ...inner(held),
      ]);
      return [[id, `${operationText(line, site)}${note}`], ...blocks];
    }
    if ("while" in line) return [[id, `while ${conditionText(line.while, site)}`], ...inner(line.repeat)];
    const otherwise: readonly Row[] =
      line.otherwise === undefined ? [] : [[`${indent}else`, ""], ...inner(line.otherwise)];
    return [[id, `when ${conditionText(line.when, site)}`], ...inner(line.lines), ...otherwise];
  });

/** Lines that a step holds, with what they are for. */
const blocksOf = (step: Step): readonly (readonly [string, readonly Line[]])[] => {
  if (nested(step).length === 0) return [];
  return Object.entries(step.args)
    .filter(([, value]) => Array.isArray(value) && isLines(value))
    .map(([name, value]) => [name, value as readonly Line[]]);
};

const isLines = (value: readonly Data[]): boolean =>
  value.length > 0 && value.every((each) => typeof each === "object" && each !== null && "id" in each);

/** Arguments that are clear without their names. */
const SUBJECTS: ReadonlySet<string> = new Set(["word", "name", "window", "vector", "kind"]);

const operationText = ({ op, args }: Step, site: SiteJson): string => {
  if (op === "store")
    return `store ${args.bytes} at ${addressText(args.address as bigint, site)}, ${args.width} at a time`;
  const shown = Object.entries(args).filter(([, value]) => !(Array.isArray(value) && isLines(value)));
  return [
    op,
    ...shown.map(([name, value]) =>
      SUBJECTS.has(name) ? valueText(value, site) : `${name}=${valueText(value, site)}`,
    ),
  ].join(" ");
};

const conditionText = ({ test, a, b }: Condition, site: SiteJson): string =>
  `${valueText(a, site)} ${{ eq: "==", ne: "!=", lt: "<" }[test]} ${valueText(b, site)}`;

const addressText = (address: bigint, site: SiteJson): string => {
  const offset = address - BigInt(site.address);
  return offset >= 0n && offset < BigInt(site.oldBytes.length / 2) ? `+${offset}` : hex(address);
};

const valueText = (value: Value, site: SiteJson): string => {
  if (typeof value === "bigint") return addressText(value, site);
  if (Array.isArray(value)) return `[${(value as readonly Data[]).map((each) => valueText(each, site)).join(", ")}]`;
  if (typeof value !== "object" || value === null) return String(value);
  if ("local" in value) return String(value.local);
  return `{ ${Object.entries(value)
    .map(([name, each]) => `${name}: ${valueText(each as Data, site)}`)
    .join(", ")} }`;
};
