import { expect, test } from "vitest";
import { runLitmus } from "../src/index.js";
import { finalStates } from "./axiomatic/model.js";
import { type Cache, litmusOf, stateOf } from "./axiomatic/program.js";
import { randomProgram } from "./axiomatic/random.js";

/*
 * The machine against the axioms: random programs have the same final states by stepping through every interleaving of a machine with a
 * window, and by enumerating candidate executions of Arm's axiomatic model. Neither knows of the other.
 */

const caches: readonly Cache[] = [
  { idc: false, dic: false },
  { idc: true, dic: false },
  { idc: true, dic: true },
];

const PROGRAMS = 300;
const BATCH = 25;

const batches = Array.from({ length: PROGRAMS / BATCH }, (_, batch) => batch * BATCH);

test.each(batches)("random programs have the states of the axioms, from seed %i on", { timeout: 120_000 }, (from) => {
  for (let seed = from; seed < from + BATCH; seed++) {
    const program = randomProgram(seed);
    for (const cache of caches) {
      const text = litmusOf(program, cache);
      const { states } = runLitmus(text, `seed-${seed}.litmus`);
      expect(states.map(stateOf).sort(), `seed ${seed}\n${text}`).toEqual([...finalStates(program, cache)].sort());
    }
  }
});
