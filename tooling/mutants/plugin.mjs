// Runs the tests against one mutant: CMODX_MUTANT=<id> vitest run
import { join } from "node:path";
import { normalizePath } from "vite";
import { root } from "./code.mjs";
import { mutate, readMutants } from "./list.mjs";

/**
 * @param {string | undefined} id
 * @returns {import("vite").Plugin}
 */
export function mutant(id) {
  if (!id) return { name: "cmodx:mutant" };

  const entry = readMutants().find((candidate) => candidate.id === id);
  if (!entry) throw new Error(`mutant ${id}: not in tooling/mutants/mutants.json`);
  const { file, text } = mutate(entry); // Fails here, loudly, rather than when a test happens to load the file.
  const path = normalizePath(join(root, file));

  return {
    name: "cmodx:mutant",
    enforce: "pre",
    transform(_code, module) {
      return module.split("?")[0] === path ? { code: text, map: null } : null;
    },
  };
}
