import { expect, test } from "vitest";
import { asLitmus, asScenario, randomDoors } from "./doors.js";
import { aarch64Door, riscvDoor } from "./doors-architectures.js";

/* R42: an indirect branch reaches what is held, in blocks as in sites: the same program has the same outcomes through both doors. */

test.each([
  ["AArch64", aarch64Door],
  ["RISC-V", riscvDoor],
])("%s: a litmus test and a scenario of a program have the same outcomes", (_name, door) => {
  const several = [2, 13, 15, 20, 24, 29].map((seed) => {
    const program = randomDoors(seed);
    const [litmus, scenario] = [asLitmus(program, door), asScenario(program, door)];
    expect(scenario, `seed ${seed}: ${JSON.stringify(program)}`).toEqual(litmus);
    return litmus.length;
  });
  expect(Math.max(...several)).toBeGreaterThan(2);
});
