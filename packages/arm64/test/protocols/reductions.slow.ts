import { strategies } from "@cmodx/arm64";
import { describe, it } from "vitest";
import { expectSameWithoutReductions } from "./check.js";

describe("every strategy touches no more than it declares, and is judged the same without reductions", () => {
  it.each(strategies.map((strategy) => [strategy.id, strategy] as const))(
    "%s",
    (_, strategy) => expectSameWithoutReductions(strategy),
    60_000,
  );
});
