import type { Layout } from "../contract/layout.js";

/** The name of the program of a patcher, by its index. */
export const patcherProgram = (programs: Layout["programs"], patcher: number): string => {
  for (const { name, role } of programs.values()) if (role.is === "patcher" && role.patcher === patcher) return name;
  throw new Error(`No program is that of patcher ${patcher}.`);
};
