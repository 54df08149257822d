import { runLitmus } from "../../src/index.js";
import { armStates } from "./arm.js";
import { litmusOf, stateOf } from "./litmus.js";
import { randomProgram } from "./random.js";
import { riscvStates } from "./riscv.js";

export type Architecture = "AArch64" | "RISCV";

/** How the final states of a random program by the machine differ from those of the axioms; undefined where they do not. */
export const differenceOf = (seed: number, architecture: Architecture): string | undefined => {
  const program = randomProgram(seed, architecture);
  const text = litmusOf(program, architecture);
  const { states } = runLitmus(text, `seed-${seed}.litmus`);
  const found = new Set(states.map((state) => stateOf(state, architecture)));
  const wanted = architecture === "AArch64" ? armStates(program) : riscvStates(program);
  const extra = [...found].filter((state) => !wanted.has(state));
  const missing = [...wanted].filter((state) => !found.has(state));
  if (extra.length + missing.length === 0) return undefined;
  return [`seed ${seed}`, text, "Falsely allowed:", ...extra, "Falsely forbidden:", ...missing].join("\n");
};
