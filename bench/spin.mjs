import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const model = fileURLToPath(new URL("textpoke.pml", import.meta.url));
const has = (program) => spawnSync(program, ["--version"], { stdio: "ignore" }).error === undefined;

/** Whether the peer can be run here: Debian's packages `spin` and `gcc`. */
export const spinIsThere = () => has("spin") && has("gcc");

/** One exhaustive run of SPIN on the INT3 protocol with `executors`: distinct states and the seconds of the search alone. */
export const runSpin = (executors) => {
  const folder = mkdtempSync(join(tmpdir(), "cmodx-bench-"));
  const run = (program, args) =>
    execFileSync(program, args, { cwd: folder, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  try {
    run("spin", ["-a", `-DN=${executors}`, "-DK=2", model]);
    run("gcc", ["-O2", "-DSAFETY", "-w", "-o", "pan", "pan.c"]);
    const output = run("./pan", ["-m10000000"]);
    const number = (pattern) => Number(pattern.exec(output)?.[1]);
    return { states: number(/(\d+) states, stored/), seconds: number(/elapsed time ([\d.]+) seconds/) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
