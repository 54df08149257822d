// Runs the tests against the mutant that CMODX_MUTANT names, if it names one.
import { join } from "node:path";
import { normalizePath } from "vite";
import { root } from "./code.mjs";
import { mutate, readMutants } from "./list.mjs";

/** The source that a mutant changes, as vite names it, and its text then. */
const read = (id) => {
  const entry = readMutants().find((candidate) => candidate.id === id);
  if (!entry) throw new Error(`mutant ${id}: not in tooling/mutants/mutants.json`);
  const { file, text } = mutate(entry);
  return { id, path: normalizePath(join(root, file)), text };
};

/** @returns {import("vite").Plugin} */
export function mutant() {
  let current;
  const wanted = () => {
    const id = process.env.CMODX_MUTANT;
    if (!id) return undefined;
    if (current?.id !== id) current = read(id);
    return current;
  };
  wanted(); // Fails here, loudly, rather than when a test happens to load the file.

  return {
    name: "cmodx:mutant",
    enforce: "pre",
    transform(_code, module) {
      const mutated = wanted();
      return module.split("?")[0] === mutated?.path ? { code: mutated.text, map: null } : null;
    },
  };
}
