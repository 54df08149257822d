// Sets the workspace up where needed, then runs a task: node tooling/scripts/run.mjs TASK [ARGUMENT…]
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { constants } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { pin, pnpm } from "./pnpm.mjs";

const lint = [
  ["node", "tooling/mutants/anchors.mjs"],
  ["biome", "check", "."],
];
const typecheck = ["tsc", "--noEmit", "-p", "tsconfig.json"];
const build = [
  ["node", "tooling/scripts/build.mjs"],
  ["tsc", "-b", "tsconfig.build.json"],
];
const unit = ["vitest", "run"];
/** A dot for each test; what fails is told in full. */
const quiet = [...unit, "--reporter=dot"];

/** The commands of each task, run in order; further arguments go to the last. */
const tasks = {
  start: [...build, ["node", "tooling/scripts/demo.mjs"]],
  test: [...lint, typecheck, ...build, quiet],
  lint,
  format: [["biome", "check", "--write", "."]],
  typecheck: [typecheck],
  build,
  "test:unit": [unit],
  "test:exports": [["node", "tooling/scripts/api.mjs"], ["knip"]],
  "test:mutants": [["node", "tooling/scripts/mutants.mjs"]],
  "test:pack": [...build, ["node", "tooling/scripts/pack.mjs"]],
  "test:examples": [...build, ["node", "tooling/scripts/examples.mjs"]],
  "test:slow": [[...unit, "--config", "vitest.slow.config.ts"]],
  "test:kernels": [...build, ["node", "tooling/scripts/kernels.mjs"]],
  "test:qemu": [...build, ["node", "tooling/scripts/qemu.mjs"]],
  "test:record": [...build, ["node", "tooling/scripts/record.mjs"]],
  coverage: [[...unit, "--coverage"]],
  bench: [...build, ["node", "bench/main.mjs"]],
  changeset: [["changeset"]],
};

const root = fileURLToPath(new URL("../..", import.meta.url));
const stamp = join(root, "node_modules/.cmodx-bootstrap");
const env = { ...process.env, PATH: `${join(root, "node_modules/.bin")}${delimiter}${process.env.PATH ?? ""}` };

let child;
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    // A terminal sends Ctrl-C to the whole group: the child has it already, and a second one may mean "at once".
    const terminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
    if (signal !== "SIGINT" || !terminal) child?.kill(signal);
  });
}

/** Runs one command with our streams; resolves to its exit code. */
function run([command, ...args]) {
  return new Promise((resolve, reject) => {
    const program = command === "node" ? process.execPath : command;
    child = spawn(program, args, {
      cwd: root,
      env,
      stdio: "inherit",
      shell: process.platform === "win32" && command !== "node",
    });
    child.on("error", reject);
    child.on("close", (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  });
}

async function setUp() {
  const hash = createHash("sha256").update(pin).update(process.version);
  const state = hash.update(readFileSync(join(root, "pnpm-lock.yaml"))).digest("hex");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === state) return 0;
  process.stderr.write(`Installing dependencies (${pin}) …\n`);
  const code = await run(pnpm("install", "--frozen-lockfile", "--config.confirm-modules-purge=false"));
  if (code === 0) {
    mkdirSync(join(root, "node_modules"), { recursive: true });
    writeFileSync(stamp, state);
  }
  return code;
}

const [task, ...args] = process.argv.slice(2);
const commands = Object.hasOwn(tasks, task ?? "") ? tasks[task] : undefined;
if (!commands) {
  process.stderr.write(`run.mjs: unknown task ${task ?? ""}; expected one of ${Object.keys(tasks).join(", ")}\n`);
  process.exit(2);
}

let code = await setUp();
for (const [index, command] of commands.entries()) {
  if (code !== 0) break;
  code = await run(index === commands.length - 1 ? [...command, ...args] : command);
}
process.exitCode = code;
