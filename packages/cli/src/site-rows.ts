import { type Code, InputError } from "@cmodx/core";
import { type Elf, type Hazard, hazards, isPadding, lineOffsets, type PatchSite, type SiteKind } from "@cmodx/image";
import { isInputError } from "./errors.js";
import type { SiteRowJson } from "./json.js";
import { replacementsFor } from "./replacements.js";

/** What a list of sites is narrowed to; a name may have `*` for any characters. */
export type SiteFilter = {
  readonly kind?: readonly SiteKind[];
  readonly hazard?: readonly Hazard[];
  readonly key?: string;
  readonly symbol?: string;
};

/** Whether a text is what a pattern with `*` says. */
const matches = (pattern: string, text: string | undefined): boolean => {
  const parts = pattern.split("*").map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return text !== undefined && new RegExp(`^${parts.join(".*")}$`, "s").test(text);
};

/** The function that a site lies in, without the offset. */
const functionOf = ({ symbol }: PatchSite): string | undefined => symbol?.replace(/[+-]0x[0-9a-f]+$/, "");

/** The sites that a filter lets through. Throws nothing. */
export const filtered = (sites: readonly PatchSite[], filter: SiteFilter): readonly PatchSite[] =>
  sites.filter(
    (site) =>
      (filter.kind === undefined || filter.kind.includes(site.kind)) &&
      (filter.key === undefined || matches(filter.key, site.key)) &&
      (filter.symbol === undefined ||
        matches(filter.symbol, site.symbol) ||
        matches(filter.symbol, functionOf(site))) &&
      (filter.hazard === undefined || hazards(site).some((hazard) => filter.hazard?.includes(hazard))),
  );

/** Sites and call padding of a file apart: padding is listed in the same table, but nobody executes or patches it. */
export const sitesAndPadding = (
  sites: readonly PatchSite[],
): { readonly sites: readonly PatchSite[]; readonly padding: number } => {
  const real = sites.filter((site) => !isPadding(site));
  return { sites: real, padding: sites.length - real.length };
};

const codeText = (code: Code): string => (typeof code === "string" ? code : Buffer.from(code).toString("hex"));

/** One row of the list. */
export const rowOf = (site: PatchSite, machine: Elf["machine"], file: string): SiteRowJson => {
  const offsets = lineOffsets(site);
  return {
    number: site.number,
    kind: site.kind,
    symbol: site.symbol ?? null,
    section: site.section,
    address: `0x${site.address.toString(16)}`,
    offset: offsets.length === 1 ? (offsets[0] ?? 0) : null,
    bytes: Buffer.from(site.bytes).toString("hex"),
    hazards: hazards(site),
    old: site.instruction,
    new: newCodeOf(site, machine.name, file),
    key: site.key ?? null,
  };
};

const newCodeOf = (site: PatchSite, machine: string, file: string): string | null => {
  try {
    return codeText(replacementsFor(machine, file).replace(site).new);
  } catch (error) {
    if (isInputError(error)) return null;
    throw error;
  }
};

const HEADINGS = [
  "file",
  "number",
  "kind",
  "symbol",
  "section",
  "address",
  "offset",
  "bytes",
  "hazards",
  "old",
  "new",
  "key",
];

/** A field as RFC 4180 has it; lines end as all of ours do. */
const field = (value: string | number | null): string => {
  const text = value === null ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
};

/** The rows of files as comma-separated values, with a line of headings; hazards have blanks between them. */
export const csvOf = (files: readonly { readonly file: string; readonly rows?: readonly SiteRowJson[] }[]): string => {
  const lines = files.flatMap(({ file, rows = [] }) =>
    rows.map((row) =>
      [
        file,
        row.number,
        row.kind,
        row.symbol,
        row.section,
        row.address,
        row.offset,
        row.bytes,
        row.hazards.join(" "),
        row.old,
        row.new,
        row.key,
      ]
        .map(field)
        .join(","),
    ),
  );
  return `${[HEADINGS.join(","), ...lines].join("\n")}\n`;
};

/** One of the words that an option takes. Throws {@link InputError} where it is none. */
export const oneOfWords =
  <K extends string>(flag: string, known: readonly K[]) =>
  (words: readonly string[] | undefined): readonly K[] | undefined => {
    const wrong = words?.find((word) => !(known as readonly string[]).includes(word));
    if (wrong !== undefined)
      throw new InputError(`${flag} takes ${known.join(", ")}, not ${wrong}.`, { place: flag, code: "usage" });
    return words as readonly K[] | undefined;
  };
