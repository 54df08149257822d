// Runs `npm start` of every example: each must exit 0.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

process.chdir(fileURLToPath(new URL("../..", import.meta.url)));

const examples = existsSync("examples")
  ? readdirSync("examples").filter((name) => existsSync(`examples/${name}/package.json`))
  : [];

let passed = 0;
for (const name of examples) {
  const manifest = JSON.parse(readFileSync(`examples/${name}/package.json`, "utf8"));
  const result = manifest.scripts?.start
    ? spawnSync("npm", ["start", "--silent"], {
        cwd: `examples/${name}`,
        encoding: "utf8",
        stdio: ["ignore", "pipe", "pipe"],
        shell: process.platform === "win32",
      })
    : { status: 1, stdout: "", stderr: "no start script in package.json\n" };
  const ok = result.status === 0;
  if (ok) passed++;
  console.log(`${ok ? "ok    " : "FAILED"} examples/${name}`);
  if (!ok) console.log(result.stdout + result.stderr);
}

console.log(`${passed} passed, ${examples.length - passed} failed`);
process.exitCode = passed === examples.length ? 0 : 1;
