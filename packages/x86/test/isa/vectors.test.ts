import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { outside, type Result, readVectors, run, type Vector } from "./vectors.js";

const sample = new URL("../data/x86-sample.jsonl", import.meta.url);
const folder = process.env.CMODX_DATA
  ? pathToFileURL(`${process.env.CMODX_DATA}/`)
  : new URL("../../../../../shared/data/", import.meta.url);
const full = new URL("vectors/x86.jsonl.gz", folder);

const measured = ({ out, mem, pc, end, flagsOut }: Vector): Result => ({ out, ...(mem && { mem }), pc, end, flagsOut });

const expectAgreement = (vectors: readonly Vector[]) => {
  for (const vector of vectors) expect(run(vector), JSON.stringify(vector)).toEqual(measured(vector));
};

describe("a sample of executions measured on silicon", () => {
  it("agrees with the model", () => {
    const vectors = readVectors(sample);
    expect(vectors.length).toBeGreaterThanOrEqual(200);
    expect(vectors.filter((vector) => outside(vector) !== undefined)).toEqual([]);
    expectAgreement(vectors);
  });
});

if (!existsSync(full))
  console.log("The full set of x86 vectors is not here; CMODX_DATA names the folder that holds it.");

describe.runIf(existsSync(full))("all executions measured on silicon", () => {
  it("lie inside the subset but for a few, and agree with the model", () => {
    const vectors = readVectors(full);
    const left = vectors.map(outside).filter((bytes) => bytes !== undefined);
    console.log(
      `x86 vectors: ${vectors.length - left.length} of ${vectors.length} inside; left out: ${left.join(" ")}`,
    );
    expect(left.length).toBeLessThanOrEqual(vectors.length * 0.01);
    expectAgreement(vectors.filter((vector) => outside(vector) === undefined));
  });
});
