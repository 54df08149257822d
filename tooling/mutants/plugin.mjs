// Runs the tests against one mutant: CMODX_MUTANT=<id> vitest run
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { normalizePath } from "vite";
import { mutate, readMutants, root } from "./list.mjs";

/**
 * @param {string | undefined} id
 * @returns {import("vite").Plugin}
 */
export function mutant(id) {
  if (!id) return { name: "cmodx:mutant" };

  const entry = readMutants().find((candidate) => candidate.id === id);
  if (!entry) throw new Error(`mutant ${id}: not in tooling/mutants/mutants.json`);
  const path = join(root, entry.file);
  mutate(entry, readFileSync(path, "utf8")); // Fails here, loudly, rather than when a test happens to load the file.

  return {
    name: "cmodx:mutant",
    enforce: "pre",
    transform(code, module) {
      if (module.split("?")[0] !== normalizePath(path)) return null;
      return { code: mutate(entry, code), map: null };
    },
  };
}
