import { expect, it } from "vitest";
import { json } from "./harness.js";

/** More than any cell has. */
const STATES = 5_000_000;

type Cell = { readonly strategy: string; readonly fetch: string; readonly environment: string } & {
  readonly verdict: string;
  readonly property: string | null;
};

/** By strategy, fetch model and environment what the matrix says in a memory order. */
const cells = async (architecture: string, memory: string): Promise<ReadonlyMap<string, string>> => {
  const { document } = await json(`matrix --arch ${architecture} --memory ${memory} --max-states ${STATES}`);
  return new Map(
    (document.cells as readonly Cell[]).map(({ strategy, fetch, environment, verdict, property }) => [
      `${strategy}, ${fetch}, ${environment}`,
      `${verdict} ${property}`,
    ]),
  );
};

it.each([
  ["arm64", 192],
  ["armv7", 88],
  ["riscv", 216],
  ["x86", 360],
])(
  "%s: both memory orders say the same of every strategy that is whole",
  async (architecture, count) => {
    const sequential = await cells(architecture, "sequential");
    expect(sequential.size).toBeGreaterThanOrEqual(count);
    expect([...sequential.values()].filter((answer) => answer.startsWith("inconclusive"))).toEqual([]);
    expect(await cells(architecture, "architectural")).toEqual(sequential);
  },
  600_000,
);
