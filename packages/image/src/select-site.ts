import { InputError, nearest } from "@cmodx/core";
import type { PatchSite } from "./sites.js";

/**
 * Finds one site by what a user wrote.
 *
 * @param sites The sites of one file, as {@link findSites} gives them.
 * @param selector `#N`: the site of that number, from 1. `SYMBOL`: the first site in that function, call padding
 *   before it only when there is no other. `SYMBOL+0xoff` (also `-0xoff`,
 *   or decimal): the site at exactly that offset in bytes; of several kinds there the first.
 * @param options.name The file's name for messages; by default `(input)`.
 * @throws InputError when there is no such site; the message says which there are, or the nearest names.
 */
export function selectSite(
  sites: readonly PatchSite[],
  selector: string,
  options: { readonly name?: string } = {},
): PatchSite {
  const name = options.name ?? "(input)";
  const fail = (sentence: string): never => {
    throw new InputError(`${name}: ${selector}: ${sentence}`, { file: name, place: selector, code: "no-code" });
  };
  if (sites.length === 0) return fail("the file has no patch sites");
  if (selector.startsWith("#")) {
    const number = /^#\d+$/.test(selector) ? Number(selector.slice(1)) : 0;
    return sites.find((site) => site.number === number) ?? fail(`expected a number from #1 to #${sites.length}`);
  }
  const named = sites.map((site) => ({ site, ...parse(site.symbol ?? "") }));
  const whole = named.filter(({ symbol }) => symbol === selector);
  const executed = whole.find(({ site }) => site.padding !== site.length) ?? whole[0];
  if (executed) return executed.site;
  const wanted = parse(selector);
  const within = named.filter(({ symbol }) => symbol === wanted.symbol);
  if (within.length === 0) return fail(`no function of this name has a patch site; ${suggest(wanted.symbol, named)}`);
  const exact = within.find(({ offset }) => offset === wanted.offset);
  const offsets = [...new Set(within.map(({ site }) => site.symbol))];
  return exact?.site ?? fail(`no patch site lies there; expected ${listed(offsets)}`);
}

/** Splits `symbol+0x10` into its name and its signed offset in bytes. */
function parse(text: string): { symbol: string; offset: number } {
  const match = /^(.+)([+-])(0x[0-9a-f]+|\d+)$/i.exec(text);
  if (!match) return { symbol: text, offset: 0 };
  const [, symbol = "", sign, digits] = match;
  return { symbol, offset: sign === "-" ? -Number(digits) : Number(digits) };
}

function suggest(wanted: string, named: readonly { readonly symbol: string }[]): string {
  const names = [...new Set(named.map(({ symbol }) => symbol))].filter((symbol) => symbol !== "");
  if (names.length === 0) return "the file has no symbols for them, expected a number such as #1";
  const near = nearest(wanted, names);
  return near.length === 0 ? `the first are ${listed(names.slice(0, 3))}` : `the nearest are ${listed(near)}`;
}

function listed(items: readonly (string | undefined)[]): string {
  const shown = items.slice(0, 8).join(", ");
  return items.length > 8 ? `${shown} and ${items.length - 8} more` : shown;
}
