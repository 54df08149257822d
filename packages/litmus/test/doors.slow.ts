import { expect, test } from "vitest";
import { asLitmus, asScenario, randomDoors } from "./doors.js";
import { aarch64Door, riscvDoor } from "./doors-architectures.js";

/* More of doors.test.ts: 300 random programs for each architecture. */

const BATCH = 50;
const batches = [aarch64Door, riscvDoor].flatMap((door) =>
  Array.from({ length: 300 / BATCH }, (_, batch) => [door.head, batch * BATCH, door] as const),
);

test.each(batches)(
  "%s: both doors have the same outcomes, from seed %i on",
  { timeout: 120_000 },
  (_head, from, door) => {
    for (let seed = from; seed < from + BATCH; seed++) {
      const program = randomDoors(seed);
      expect(asScenario(program, door), `seed ${seed}: ${JSON.stringify(program)}`).toEqual(asLitmus(program, door));
    }
  },
);
