import { describe, expect, test } from "vitest";
import { leastSquares } from "../src/fit/least-squares.js";
import { cmodx, folder, json } from "./harness.js";
import { wrongWith } from "./json-schema.js";

const linear = (rows: readonly (readonly number[])[], measured: readonly number[], start: readonly number[]) =>
  leastSquares({
    start,
    measured,
    predict: async (values) => rows.map((row) => row.reduce((sum, each, i) => sum + each * (values[i] as number), 0)),
  });

describe("least squares", () => {
  test("of relative deviations: a short time counts as much as a long one", async () => {
    const { values } = await linear(
      [
        [1, 1],
        [5, 80],
      ],
      [2500, 93_000],
      [1, 0],
    );
    expect(values.map(Math.round)).toEqual([1427, 1073]);
    // 10 and 1,010 for one parameter: the mean of the relative deviations decides, not the long one.
    const { values: one } = await linear([[1], [100]], [10, 1010], [500]);
    expect(one[0]).toBeCloseTo((1 / 10 + 100 / 1010) / (1 / 100 + (100 / 1010) ** 2), 6);
  });

  test("no value falls below 0, and what is not told is said", async () => {
    const { values } = await linear(
      [
        [1, 1],
        [1, 2],
      ],
      [100, 50],
      [10, 10],
    );
    expect(Math.min(...values)).toBeGreaterThanOrEqual(0);
    expect(
      await linear(
        [
          [1, 2],
          [2, 4],
        ],
        [10, 21],
        [1, 1],
      ),
    ).toMatchObject({ untold: 1 });
    expect(
      await linear(
        [
          [1, 0],
          [2, 0],
        ],
        [10, 21],
        [1, 1],
      ),
    ).toMatchObject({ untold: 1 });
  });

  test("what is not linear is found too", async () => {
    const { values } = await leastSquares({
      start: [1],
      measured: [49],
      predict: async ([x = 0]) => [x * x],
    });
    expect(values[0]).toBeCloseTo(7, 3);
  });
});

test("cost check predicts public measurements from others, and fits none that it is tested on", async () => {
  const { code, document } = await json("cost check");
  expect(code).toBe(0);
  expect(wrongWith(document)).toEqual([]);
  type Fit = {
    readonly complete: boolean;
    readonly rows: readonly { readonly held: boolean; readonly deviation: number }[];
  };
  for (const { complete, rows } of document.fits as readonly Fit[]) {
    expect(complete).toBe(true);
    for (const { held, deviation } of rows) expect(Math.abs(deviation)).toBeLessThan(held ? 0.3 : 0.01);
    expect(rows.filter(({ held }) => held)).toHaveLength(1);
  }
});

describe("cost fit", () => {
  test("finds the parameters that patch calls were timed with, and predicts what is held", async () => {
    const cwd = folder({ "mine.json": '{"parameters": {"ipiDeliver": 5200, "textWrite": 1900}}' });
    const times: number[] = [];
    for (const strategy of ["int3", "int3-batch", "stop-machine"]) {
      const { document } = await json(`patch --sites 20 --strategy ${strategy} --cpus 6 --cost mine.json`, { cwd });
      times.push(document.runs[0].time);
    }
    const row = (strategy: string, time = 1) => ({ strategy, sites: 20, cpus: 6, time });
    const rows = [row("int3", times[0]), row("int3-batch", times[1]), { ...row("stop-machine", times[2]), held: true }];
    const at = folder({ "m.json": JSON.stringify({ fit: ["ipiDeliver", "textWrite"], rows }) });
    const { code, document } = await json("cost fit m.json", { cwd: at });
    expect(code).toBe(0);
    const [{ parameters, rows: shown }] = document.fits;
    expect(Math.abs(parameters[0].value / 5200 - 1)).toBeLessThan(0.05);
    expect(Math.abs(parameters[1].value / 1900 - 1)).toBeLessThan(0.05);
    expect(Math.abs(shown[2].deviation)).toBeLessThan(0.05);
    const { out } = await cmodx("cost fit m.json", { cwd: at });
    const file = /cost file: (.*)/.exec(out)?.[1] ?? "";
    expect((await cmodx("cost show fitted.json", { cwd: folder({ "fitted.json": file }) })).code).toBe(0);
  });

  test("an end by the user leaves what was computed, marked", async () => {
    const stop = new AbortController();
    stop.abort();
    const cwd = folder({
      "m.json": '{"fit": ["ipiDeliver"], "rows": [{"strategy": "int3", "sites": 9, "cpus": 4, "time": 9}]}',
    });
    const { code, document } = await json("cost fit m.json", { cwd, signal: stop.signal });
    expect(code).toBe(3);
    expect(document.fits[0]).toMatchObject({ complete: false, rows: [{ predicted: null }] });
  });

  test.each([
    ["{", "m.json is no JSON"],
    ['{"fit": []}', "m.json has no measurements to fit"],
    ['{"fit": ["ipiDelivery"], "rows": []}', "There is no cost parameter ipiDelivery; did you mean ipiDeliver?"],
    ['{"fit": ["ipiGroup"], "rows": []}', "ipiGroup is no time (its unit is count), and only times are fitted."],
    ['{"fit": ["sync", "sync"], "rows": []}', "sync is fitted twice."],
    ['{"fit": ["sync"], "rows": []}', "1 parameters need as many rows that are not held back; there are 0."],
    ['{"fit": ["sync"], "rows": [{"time": 5, "strategy": "int3"}]}', "either strategy, sites and cpus, or costs"],
    ['{"fit": ["sync"], "rows": [{"time": 0, "costs": {"sync": 1}}]}', "A measured time is above 0."],
    ['{"fit": ["sync"], "rows": [{"time": 5, "costs": {"step": 1}}]}', "The rows do not tell what sync is"],
    ['{"fit": ["sync"], "rows": [{"time": 5, "cost": {"sync": 1}}]}', "did you mean costs"],
    ['{"fit": ["sync"], "rows": [{"time": 5, "strategy": "int4", "sites": 1, "cpus": 2}]}', "int4"],
  ])("%s is refused in one sentence", async (text, sentence) => {
    const { code, out, err } = await cmodx("cost fit m.json", { cwd: folder({ "m.json": text }) });
    expect([code, out]).toEqual([2, ""]);
    expect(err).toContain(sentence);
  });
});
