// Has the tools of Debian read what cmodx records; installs them where apt can, and says in one line that it did not where it cannot.
import { spawnSync } from "node:child_process";

/** The tools by the packages that hold them. */
const TOOLS = { "linux-perf": "perf", "trace-cmd": "trace-cmd", babeltrace2: "babeltrace2" };

const runs = (command, ...args) => spawnSync(command, args, { stdio: "ignore" }).status === 0;
const missing = () => Object.keys(TOOLS).filter((name) => !runs("sh", "-c", `command -v ${TOOLS[name]}`));

if (missing().length > 0 && runs("sh", "-c", "command -v apt-get") && process.getuid?.() === 0) {
  runs("apt-get", "update", "-qq");
  runs("apt-get", "install", "-y", "-qq", "--no-install-recommends", ...missing());
}
if (missing().length > 0) {
  console.log(`skipped: ${missing().join(", ")} cannot be had here`);
} else {
  const vitest = ["vitest", "run", "--config", "vitest.record.config.ts", ...process.argv.slice(2)];
  process.exitCode =
    spawnSync(vitest[0], vitest.slice(1), { stdio: "inherit", shell: process.platform === "win32" }).status ?? 1;
}
