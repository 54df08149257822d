import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { outside, type Result, readVectors, run, type Vector } from "./vectors.js";

const sample = new URL("../data/riscv-sample.jsonl", import.meta.url);
const folder = process.env.CMODX_DATA
  ? pathToFileURL(`${process.env.CMODX_DATA}/`)
  : new URL("../../../../../shared/data/", import.meta.url);
const full = new URL("vectors/riscv64.jsonl.gz", folder);

const measured = ({ out, mem, pc, end }: Vector): Result => ({ out, ...(mem && { mem }), pc, end });

const expectAgreement = (vectors: readonly Vector[]) => {
  for (const vector of vectors) expect(run(vector), JSON.stringify(vector)).toEqual(measured(vector));
};

/** The forms that the measured code contains; the tests of `execute` go through the others. */
const measuredForms =
  "addi addiw add andi auipc beq bge bgeu blt bltu bne c.addi c.ebreak c.j c.nop c.slli ebreak fence fence.i jal jalr lb lbu ld lh lhu lui lw lwu ori sb sd sh slli slti sltiu sub sw xori".split(
    " ",
  );
const rare = new Set(["c.slli"]);

const endings = new Set(["trap", "illegal", "segv"]);

describe("a sample of executions measured under QEMU", () => {
  it("agrees with the model", () => {
    const vectors = readVectors(sample);
    expect(vectors.length).toBeGreaterThanOrEqual(200);
    expect(new Set(vectors.map(({ end }) => end))).toEqual(endings);
    expect(vectors.filter((vector) => outside(vector) !== undefined)).toEqual([]);
    expectAgreement(vectors);
  });

  it("runs every instruction that the full set runs, at least four times each", () => {
    const counts = new Map<string, number>();
    for (const vector of readVectors(sample)) run(vector, (form) => counts.set(form, (counts.get(form) ?? 0) + 1));
    const often = [...counts].filter(([form, count]) => count >= 4 || rare.has(form)).map(([form]) => form);
    expect(often.sort()).toEqual([...measuredForms].sort());
  });
});

if (!existsSync(full))
  console.log("The full set of RISC-V vectors is not here; CMODX_DATA names the folder that holds it.");

describe.runIf(existsSync(full))("all executions measured under QEMU", () => {
  it("lie inside the subset but for a few, and agree with the model", () => {
    const vectors = readVectors(full);
    const left = vectors.map(outside).filter((bytes) => bytes !== undefined);
    console.log(
      `RISC-V vectors: ${vectors.length - left.length} of ${vectors.length} inside; left out: ${left.join(" ")}`,
    );
    expect(left.length).toBeLessThanOrEqual(vectors.length * 0.05);
    expectAgreement(vectors.filter((vector) => outside(vector) === undefined));
  });
});
