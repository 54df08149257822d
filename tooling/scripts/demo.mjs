// npm start [-- FILE]
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const cli = fileURLToPath(new URL("../../packages/cli/bin/cmodx.js", import.meta.url));
process.exitCode = spawnSync(process.execPath, [cli, "list"], { stdio: "inherit" }).status ?? 1;
