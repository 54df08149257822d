// Runs every example as its reader would: from a plain npm project, with the packages as they are published. Each must exit 0.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { installedVersion, publishedPackages } from "./packages.mjs";
import { pnpm } from "./pnpm.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "cmodx-examples-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));

/** Runs a command line; its output if it failed. */
function failure(cwd, [program, ...args]) {
  const result = spawnSync(program === "node" ? process.execPath : program, args, {
    cwd,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    shell: process.platform === "win32" && program !== "node",
  });
  if (result.status === 0) return undefined;
  return `${result.error?.message ?? ""}${result.stdout ?? ""}${result.stderr ?? ""}`;
}

let passed = 0;
let failed = 0;

function check(title, output) {
  if (output === undefined) passed++;
  else failed++;
  console.log(`${output === undefined ? "ok    " : "FAILED"} ${title}`);
  if (output !== undefined) console.log(output);
  return output === undefined;
}

const examples = readdirSync(join(root, "examples"))
  .map((name) => ({ name, folder: join(root, "examples", name) }))
  .map((entry) => ({ ...entry, manifest: JSON.parse(readFileSync(join(entry.folder, "package.json"), "utf8")) }));

/** One project with what any of the examples needs; Node looks for packages in the folders above. */
function install() {
  const packages = publishedPackages(scratch);
  for (const { folder, name } of packages) {
    const output = failure(folder, pnpm("pack", "--pack-destination", scratch));
    if (output !== undefined) return check(`${name}: pack`, output);
  }
  const ours = new Set(packages.map(({ name }) => name));
  const others = examples
    .flatMap(({ manifest }) => Object.keys(manifest.devDependencies ?? {}))
    .filter((name) => !ours.has(name));
  writeFileSync(join(scratch, "package.json"), JSON.stringify({ private: true, type: "module" }));
  const wanted = [
    ...packages.map(({ tarball }) => tarball),
    ...[...new Set(others)].map((name) => `${name}@${installedVersion(name)}`),
  ];
  const npm = ["npm", "install", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error", ...wanted];
  return check("npm install", failure(scratch, npm));
}

/** Copies an example there, without what the workspace put into it, and runs its `start` or else its `test`. */
function run({ name, folder, manifest }) {
  const copy = join(scratch, "examples", name);
  mkdirSync(copy, { recursive: true });
  cpSync(folder, copy, { recursive: true, filter: (path) => !path.includes("node_modules") });
  const { scripts = {} } = manifest;
  const script = ["start", "test"].find((each) => scripts[each] !== undefined);
  if (script === undefined) return check(`examples/${name}`, "package.json has no script start or test.");
  return check(`examples/${name}`, failure(copy, ["npm", "run", "--silent", script]));
}

if (install()) for (const example of examples) run(example);

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
