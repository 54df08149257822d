import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Seconds after which a run of herd7 is given up. */
export const LIMIT = 120;

/** Whether the peer can be run here: herdtools7. */
export const herd7IsThere = () => spawnSync("herd7", ["-version"], { stdio: "ignore" }).error === undefined;

/** Seconds of one run of herd7 on a litmus test of instruction fetch; infinite where it was given up. Throws where herd7 fails. */
export const runHerd7 = (text) => {
  const folder = mkdtempSync(join(tmpdir(), "cmodx-bench-"));
  try {
    const file = join(folder, "test.litmus");
    writeFileSync(file, text);
    const began = performance.now();
    const { error, status, stderr } = spawnSync("herd7", ["-variant", "ifetch", file], {
      encoding: "utf8",
      timeout: 1000 * LIMIT,
    });
    if (error?.code === "ETIMEDOUT") return Number.POSITIVE_INFINITY;
    if (error !== undefined || status !== 0) throw new Error(`herd7: ${error?.message ?? stderr}`);
    return (performance.now() - began) / 1000;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/**
 * Seconds that herd7 was measured to take for tests of these families, by size: herdtools7 of 2026-08-21 with `-variant ifetch`, single runs on
 * two shared cores. Its tests had the same shapes, not the same text.
 */
export const measured = {
  A: { 2: 0.05, 3: 0.06, 4: 0.22, 5: 1.55 },
  B: { 1: 0.02, 2: 0.21, 3: 0.11, 4: 0.22, 5: 0.95 },
  C: { 2: 0.05, 3: 0.2, 4: 31.9, 5: Number.POSITIVE_INFINITY },
  D: { 1: 0.03, 2: 0.04, 3: 0.11, 4: 0.92 },
  E: { 2: 0.03, 4: 0.07, 6: 0.7, 8: 13.6 },
  F: { 1: 0.02, 2: 0.17, 3: 0.66 },
  G: { 2: 0.14, 3: 0.02, 4: 0.04, 5: 0.14 },
};
