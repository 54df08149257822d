import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { forms } from "../../src/isa/encodings.js";
import { operations, outside, type Result, readVectors, run, type Vector } from "./vectors.js";

const sample = new URL("../data/arm64-sample.jsonl", import.meta.url);
const folder = process.env.CMODX_DATA
  ? pathToFileURL(`${process.env.CMODX_DATA}/`)
  : new URL("../../../../../shared/data/", import.meta.url);
const full = new URL("vectors/arm64.jsonl.gz", folder);

/** What a program cannot run without a kernel; test/isa/execute.test.ts has these. */
const ofSystem: ReadonlySet<string> = new Set([
  ...["brk", "dc", "dcps1", "dcps2", "dcps3", "dmb", "dsb", "eret", "hint", "hlt", "hvc", "ic", "isb", "mrs", "msr"],
  ...["pssbb", "smc", "ssbb", "svc", "udf"],
]);

const measured = ({ out, mem, pc, end, flagsOut }: Vector): Result => ({ out, ...(mem && { mem }), pc, end, flagsOut });

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

  it("runs every operation but those of the system", () => {
    const run = new Set(readVectors(sample).flatMap(operations));
    const left = [...new Set(forms.map(({ op }) => op))].filter((op) => !run.has(op) && !ofSystem.has(op));
    expect(left).toEqual([]);
  });
});

if (!existsSync(full))
  console.log("The full set of arm64 vectors is not here; CMODX_DATA names the folder that holds it.");

describe.runIf(existsSync(full))("all executions measured under QEMU", () => {
  it("lie inside the subset but for a few, and agree with the model", () => {
    const vectors = readVectors(full);
    const left = vectors.map(outside).filter((bytes) => bytes !== undefined);
    console.log(
      `arm64 vectors: ${vectors.length - left.length} of ${vectors.length} inside; left out: ${left.join(" ")}`,
    );
    expect(left.length).toBeLessThanOrEqual(vectors.length * 0.05);
    expectAgreement(vectors.filter((vector) => outside(vector) === undefined));
  });
});
