// The list of mutants: every rule of the machine, broken on purpose in one place.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findCode, parses, readCode, readSources, renamed, root } from "./code.mjs";

/**
 * @typedef {object} Mutant
 * @property {string} id the rule, numbered where one rule has several mutants
 * @property {string} rule the rule of the machine that this mutant breaks
 * @property {string} from code that occurs exactly once in the packages, whatever its variables are called
 * @property {string} to what stands there instead, with names that `from` uses or that it declares itself
 * @property {string} [in] the package to look in, where others have the same code
 * @property {string[]} tests test files or folders to run, relative to the repository
 * @property {string} why what the machine then does wrong
 * @property {string} [dies] the test that noticed when it last ran: the first one to try
 */

const DEATHS = new URL("deaths.json", import.meta.url);

/** What a mutant is called in the list of deaths, wherever it stands among those of its rule. */
const nameOf = ({ rule, why }) => `${rule}: ${why}`;

/** @returns {Mutant[]} */
export function readMutants() {
  const entries = JSON.parse(readFileSync(new URL("mutants.json", import.meta.url), "utf8"));
  const deaths = JSON.parse(readFileSync(DEATHS, "utf8"));
  const seen = new Map();
  return entries.map((entry) => {
    const count = (seen.get(entry.rule) ?? 0) + 1;
    seen.set(entry.rule, count);
    return { ...entry, id: count === 1 ? entry.rule : `${entry.rule}#${count}`, dies: deaths[nameOf(entry)] };
  });
}

/** Notes which test noticed each mutant: those of today's list alone, in its order. */
export function writeDeaths(mutants) {
  const all = mutants.filter(({ dies }) => dies !== undefined).map((entry) => [nameOf(entry), entry.dies]);
  writeFileSync(DEATHS, `${JSON.stringify(Object.fromEntries(all), null, 2)}\n`);
}

/** Ends with what is wrong with an entry. */
const fail = ({ id }, problem) => {
  throw new Error(`mutant ${id}: ${problem}`);
};

/** Reads one of the two pieces of code of an entry. */
const codeOf = (entry, key) =>
  readCode(entry[key]) ?? fail(entry, `\`${key}\` is no whole piece of code: ${entry[key]}`);

/** Where the sources have the code of an entry. */
function placeOf(entry, sources) {
  const within = entry.in === undefined ? "packages/" : `packages/${entry.in}/`;
  const from = codeOf(entry, "from");
  if (from.nodes.length === 0) fail(entry, "`from` is empty");
  const places = findCode(
    from,
    sources.filter(({ file }) => file.startsWith(within)),
  );
  if (places.length !== 1) {
    const files = places.map(({ source }) => source.file).join(", ");
    fail(entry, `\`from\` occurs ${places.length} times, not once${files && ` (${files})`}: ${entry.from}`);
  }
  return { ...places[0], isStatement: from.kind === "statements" };
}

/**
 * Applies one mutant to the sources.
 * @returns {{ file: string, text: string }} the file that it changes, relative to the repository, and its text then
 * @throws {Error} in one sentence, where the entry does not fit
 */
export function mutate(entry, sources = readSources()) {
  for (const key of ["rule", "from", "to", "why"]) {
    if (typeof entry[key] !== "string") fail(entry, `\`${key}\` is missing`);
  }
  const { source, start, end, renaming, isStatement } = placeOf(entry, sources);
  const to = codeOf(entry, "to");
  const { text, unknown } = renamed(entry.to, to, renaming);
  if (unknown.length > 0) fail(entry, `\`to\` uses \`${unknown[0]}\`, which \`from\` does not name`);
  const isExpression = to.kind === "elements" && to.nodes.length === 1 && to.nodes[0].type !== "SpreadElement";
  const before = source.text.slice(0, start) + (isExpression ? `(${text})` : text);
  const after = source.text.slice(end);
  // What goes from a list goes with its comma.
  return { file: source.file, text: before + (text === "" && !isStatement ? after.replace(/^\s*,/, "") : after) };
}

/** What is wrong with some mutants, a sentence each, found without running a test. */
export function problemsOf(mutants) {
  const sources = readSources();
  const originals = new Map(sources.map(({ file, text }) => [file, text]));
  return mutants.flatMap((entry) => {
    const missing = entry.tests?.find((path) => !existsSync(join(root, path)));
    if (!entry.tests?.length || missing) return [`mutant ${entry.id}: no tests at ${missing ?? "all"}`];
    try {
      const { file, text } = mutate(entry, sources);
      if (text === originals.get(file)) return [`mutant ${entry.id}: \`from\` and \`to\` are the same`];
      return parses(text) ? [] : [`mutant ${entry.id}: ${file} no longer parses`];
    } catch (error) {
      return [error.message];
    }
  });
}

/** Writes the names that variables and functions have today into the list. */
export function writeNames(mutants) {
  const sources = readSources();
  const file = new URL("mutants.json", import.meta.url);
  let [done, rest] = ["", readFileSync(file, "utf8")];
  for (const entry of mutants) {
    const { renaming } = placeOf(entry, sources);
    for (const key of ["from", "to"]) {
      const old = `"${key}": ${JSON.stringify(entry[key])}`;
      const { text } = renamed(entry[key], readCode(entry[key]), renaming.withoutHoles());
      const end = rest.indexOf(old) + old.length;
      done += `${rest.slice(0, end - old.length)}"${key}": ${JSON.stringify(text)}`;
      rest = rest.slice(end);
    }
  }
  writeFileSync(file, done + rest);
}
