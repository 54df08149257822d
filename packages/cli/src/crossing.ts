import { type Architecture, createSimulation } from "@cmodx/core";
import { siteFromText } from "./ask.js";

/** Bytes of a cache line. */
const LINE = 64;
/** The offset at which sites over two lines are shown where their length allows it: two bytes lie in the first. */
const USUAL = 62;

/** Where in its line a site has to begin, so that it lies over two; undefined where none of its length can. */
const crossingOffset = (length: number, alignment: number): number | undefined => {
  const crosses = (offset: number): boolean =>
    offset > 0 && offset < LINE && offset % alignment === 0 && offset + length > LINE;
  if (crosses(USUAL)) return USUAL;
  const last = LINE - alignment;
  return crosses(last) ? last : undefined;
};

/** The same of the site that `OLD:NEW` describes. */
export const crossingOf = (text: string, architecture: Architecture): number | undefined => {
  const address = architecture.base;
  const site = { ...siteFromText(text, address), address };
  const { layout } = createSimulation({ architecture }).machine({ name: text, sites: [site], patchers: [], cpus: 1 });
  const [resolved] = layout.sites;
  // Data that code loads is no code that is fetched by lines.
  if (resolved === undefined || resolved.data) return undefined;
  return crossingOffset(resolved.length, architecture.instructionSet.alignment);
};
