// The list of mutants: every rule of the machine, broken on purpose in one place.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * @typedef {object} Mutant
 * @property {string} id the rule, numbered where one rule has several mutants
 * @property {string} rule the rule of the machine that this mutant breaks
 * @property {string} file the source file, relative to the repository
 * @property {string} from text that occurs there exactly once
 * @property {string} to what stands there instead
 * @property {string[]} [tests] test files or folders to run, relative to the repository
 */

/** @returns {Mutant[]} */
export function readMutants() {
  const entries = JSON.parse(readFileSync(new URL("mutants.json", import.meta.url), "utf8"));
  const seen = new Map();
  return entries.map((entry) => {
    const count = (seen.get(entry.rule) ?? 0) + 1;
    seen.set(entry.rule, count);
    return { ...entry, id: count === 1 ? entry.rule : `${entry.rule}#${count}` };
  });
}

/** Applies one mutant to the text of its file; throws where it does not fit. */
export function mutate(entry, source) {
  const parts = source.split(entry.from);
  if (entry.from === "" || parts.length !== 2) {
    throw new Error(
      `mutant ${entry.id}: ${entry.file} contains its \`from\` ${parts.length - 1} times, expected exactly once`,
    );
  }
  if (entry.from === entry.to) throw new Error(`mutant ${entry.id}: \`from\` and \`to\` are the same`);
  return parts.join(entry.to);
}
