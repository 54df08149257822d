// Packs every public package, checks the tarballs, and uses them from plain npm projects outside the workspace.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { publishedPackages } from "./packages.mjs";
import { pnpm } from "./pnpm.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), "cmodx-pack-"));
process.on("exit", () => rmSync(scratch, { recursive: true, force: true }));

let passed = 0;
let failed = 0;

/** Runs a command line and counts it as one check; prints its output only when it failed. */
function check(title, cwd, command, accept = () => true) {
  const [program, ...args] = command;
  const result = spawnSync(program === "node" ? process.execPath : program, args, {
    cwd,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    shell: process.platform === "win32" && program !== "node",
  });
  const ok = result.status === 0 && accept(result.stdout);
  if (ok) passed++;
  else failed++;
  console.log(`${ok ? "ok    " : "FAILED"} ${title}`);
  if (!ok) console.log(`${result.error?.message ?? ""}${result.stdout ?? ""}${result.stderr ?? ""}`);
  return ok;
}

/** A tool of the workspace, by the file that its package names as its command. */
function tool(name, bin, ...args) {
  const folder = join(root, "node_modules", name);
  const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return ["node", join(folder, typeof manifest.bin === "string" ? manifest.bin : manifest.bin[bin]), ...args];
}

/** An empty npm project with some tarballs installed. */
function project(name, packages) {
  const folder = join(scratch, name);
  mkdirSync(folder);
  writeFileSync(join(folder, "package.json"), JSON.stringify({ name, private: true, type: "module" }));
  const tarballs = packages.map((entry) => entry.tarball);
  const install = ["npm", "install", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error", ...tarballs];
  return check(`${name}: npm install`, folder, install) ? folder : undefined;
}

/** Uses packages as a program would: by import, by require, and from TypeScript under both resolutions. */
function use(name, folder, packages) {
  const names = packages.map((entry) => entry.name);
  const all = JSON.stringify(names);
  writeFileSync(join(folder, "import.mjs"), `for (const name of ${all}) await import(name);\n`);
  check(`${name}: import`, folder, ["node", "import.mjs"]);
  // `require` must give the very same module, or there would be two sets of classes.
  const same = "if (Object.keys(c).some((key) => m[key] !== c[key])) throw new Error(name);";
  writeFileSync(
    join(folder, "require.cjs"),
    `(async () => { for (const name of ${all}) { const c = require(name); const m = await import(name); ${same} } })();\n`,
  );
  check(`${name}: require`, folder, ["node", "require.cjs"]);

  const lines = names.map((entry, index) => `import * as p${index} from "${entry}";\nvoid p${index};\n`);
  writeFileSync(join(folder, "types.ts"), lines.join(""));
  for (const [module, moduleResolution] of [
    ["node16", "node16"],
    ["esnext", "bundler"],
  ]) {
    const config = `tsconfig.${moduleResolution}.json`;
    const lib = ["ES2023", "ESNext.Disposable", "DOM"];
    const compilerOptions = { module, moduleResolution, target: "es2022", lib, types: [], strict: true, noEmit: true };
    writeFileSync(join(folder, config), JSON.stringify({ compilerOptions, files: ["types.ts"] }));
    check(`${name}: TypeScript, ${moduleResolution}`, folder, tool("typescript", "tsc", "-p", config));
  }
}

/** What a user of the library writes to see a run that breaks a scenario. */
const counterexample = `
import { createSimulation } from "@cmodx/core";
import { verdictText, verdictToJson } from "@cmodx/view";
import { plainStore, x86 } from "@cmodx/x86";

const sites = [{ address: 0xffffffff8100003en, old: "nop5", new: "call" }];
const patchers = [{ strategy: plainStore(), sites: [0], flips: 1 }];
const scenario = { name: "printed", sites, patchers, cpus: 2 };
const simulation = createSimulation({ architecture: x86() });
const verdict = await simulation.check(scenario);
const machine = simulation.machine(scenario);
console.log(verdictText(machine, verdict));
const { counterexample } = JSON.parse(JSON.stringify(verdictToJson(machine, verdict)));
console.log(counterexample.steps.length === verdict.trace.length ? "as JSON as well" : "another JSON");
`;

const packages = publishedPackages(scratch);

for (const { folder, name, tarball } of packages) {
  if (!check(`${name}: pack`, folder, pnpm("pack", "--pack-destination", scratch))) continue;
  check(`${name}: publint`, scratch, tool("publint", "publint", "run", tarball, "--strict"));
  check(
    `${name}: attw`,
    scratch,
    tool("@arethetypeswrong/cli", "attw", tarball, "--profile", "esm-only", "--no-color"),
  );
}

if (failed === 0) {
  const everything = project("all packages", packages);
  if (everything) {
    use("all packages", everything, packages);
    const help = ["npx", "--no-install", "cmodx", "--help"];
    check("all packages: npx cmodx --help", everything, help, (stdout) => stdout.includes("cmodx"));
  }
  const few = packages.filter(({ name }) => name === "@cmodx/core" || name === "@cmodx/x86");
  const pair = project("core and x86 alone", few);
  if (pair) use("core and x86 alone", pair, few);
  const library = project("a library", [...few, ...packages.filter(({ name }) => name === "@cmodx/view")]);
  if (library) {
    writeFileSync(join(library, "print.mjs"), counterexample);
    check("a library: prints a counterexample", library, ["node", "print.mjs"], (stdout) =>
      ["unsafe: ", "CPU 1", "may fetch", "as JSON as well"].every((text) => stdout.includes(text)),
    );
  }
}

console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
