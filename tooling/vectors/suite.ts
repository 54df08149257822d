import { existsSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { gunzipSync } from "node:zlib";
import type { Instruction } from "@cmodx/core";
import { describe, expect, it } from "vitest";
import { outside, type Result, run, type Target, type Vector } from "./run.js";

const folder = process.env.CMODX_DATA
  ? pathToFileURL(`${process.env.CMODX_DATA}/`)
  : new URL("../../../shared/data/", import.meta.url);

/** Reads vectors, one a line, gzipped or not. */
export const readVectors = (file: URL): Vector[] => {
  const content = readFileSync(file);
  const text = file.pathname.endsWith(".gz") ? gunzipSync(content) : content;
  return text
    .toString("utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
};

const measured = ({ out, mem, pc, end, flagsOut }: Vector): Result => ({
  out,
  ...(mem && { mem }),
  pc,
  end,
  ...(flagsOut !== undefined && { flagsOut }),
});

/** The vectors of `target` agree with the model: those of `sample`, and where the full sets are at hand, those as well. */
export const describeVectors = <I extends Instruction>(
  target: Target<I>,
  { on, sample, full }: { readonly on: string; readonly sample: URL; readonly full: readonly string[] },
): void => {
  const expectAgreement = (vectors: readonly Vector[]) => {
    const disagreeing = vectors
      .map((vector) => ({ vector, measured: measured(vector), model: run(target, vector) }))
      .filter(({ measured, model }) => !isDeepStrictEqual(model, measured));
    expect(disagreeing).toEqual([]);
  };

  describe(`a sample of executions measured ${on}`, () => {
    it("agrees with the model", () => {
      const vectors = readVectors(sample);
      expect(vectors.length).toBeGreaterThanOrEqual(200);
      expect(vectors.filter((vector) => outside(target, vector) !== undefined)).toEqual([]);
      expectAgreement(vectors);
    });
  });

  describe.each(full)(`all executions of %s measured ${on}`, (name) => {
    const file = new URL(`vectors/${name}.jsonl.gz`, folder);
    if (!existsSync(file))
      console.log(`The full set of ${name} vectors is not here; CMODX_DATA names the folder that holds it.`);

    it.runIf(existsSync(file))("lie inside the subset but for a few, and agree with the model", () => {
      const vectors = readVectors(file);
      const reasons = vectors.map((vector) => outside(target, vector));
      const inside = vectors.filter((_, k) => reasons[k] === undefined);
      const left = reasons.filter((bytes) => bytes !== undefined);
      console.log(`${name} vectors: ${inside.length} of ${vectors.length} inside; left out: ${left.join(" ")}`);
      expect(left.length).toBeLessThanOrEqual(vectors.length * 0.01);
      expectAgreement(inside);
    });
  });
};
