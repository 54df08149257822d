import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { measured, outside, readVectors, run, type Vector } from "./vectors.js";

const sample = new URL("../data/armv7-sample.jsonl", import.meta.url);
const folder = process.env.CMODX_DATA
  ? pathToFileURL(`${process.env.CMODX_DATA}/`)
  : new URL("../../../../../shared/data/", import.meta.url);

const expectAgreement = (vectors: readonly Vector[]) => {
  for (const vector of vectors) expect(run(vector), JSON.stringify(vector)).toEqual(measured(vector));
};

describe("a sample of executions measured under QEMU", () => {
  it("agrees with the model", () => {
    const vectors = readVectors(sample);
    expect(vectors.length).toBeGreaterThanOrEqual(200);
    expect(vectors.filter((vector) => outside(vector) !== undefined)).toEqual([]);
    expectAgreement(vectors);
  });
});

describe.each(["armv7", "thumb2"])("all executions of %s measured under QEMU", (name) => {
  const full = new URL(`vectors/${name}.jsonl.gz`, folder);
  if (!existsSync(full)) {
    console.log(`The full set of ${name} vectors is not here; CMODX_DATA names the folder that holds it.`);
  }
  it.runIf(existsSync(full))("lie inside the subset but for a few, and agree with the model", () => {
    const vectors = readVectors(full);
    const inside = vectors.filter((vector) => outside(vector) === undefined);
    const left = vectors.map(outside).filter((bytes) => bytes !== undefined);
    console.log(`${name} vectors: ${inside.length} of ${vectors.length} inside; left out: ${left.join(" ")}`);
    expect(left.length).toBeLessThanOrEqual(vectors.length * 0.01);
    expectAgreement(inside);
  });
});
