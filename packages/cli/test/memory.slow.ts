import { spawn } from "node:child_process";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "./harness.js";

const bin = join(root, "packages/cli/bin/cmodx.js");

/** Loaded by every thread of the command: tells at the end what the process had at most, in kilobytes. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: it is the text of a program
const TELL = "process.on('exit', () => process.stderr.write(`most:${process.resourceUsage().maxRSS};`))";

const run = async (line: string): Promise<{ readonly out: string; readonly most: number }> => {
  const child = spawn(process.execPath, [
    "--import",
    `data:text/javascript,${encodeURIComponent(TELL)}`,
    bin,
    ...line.split(" "),
  ]);
  let [out, err] = ["", ""];
  child.stdout.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr.on("data", (chunk) => {
    err += chunk;
  });
  await new Promise((resolve) => child.on("close", resolve));
  const told = [...err.matchAll(/most:(\d+);/g)].map(([, kilobytes]) => Number(kilobytes) * 1024);
  return { out, most: Math.max(...told) };
};

const MEGABYTES = 220;

test.each([
  // The sequential order, x86's store buffer, and the window that Arm and RISC-V have.
  "check --strategy int3 --cpus 5 --nmi --irq --preempt",
  "check --strategy int3 --cpus 3 --nmi --irq --memory architectural",
  "check --arch arm64 --strategy brk-emulate-synced --cpus 4 --irq --nmi --memory architectural",
])("%s takes as much memory as it may, and no more", async (line) => {
  // With a bound of states they are looked at one by one.
  const { out, most } = await run(`${line} --no-repair --max-states 1000000000 --max-memory ${MEGABYTES}`);
  expect(out).toContain(`The limit of ${MEGABYTES} megabytes was reached.`);
  expect(most / (MEGABYTES * 1e6)).toBeLessThan(1.05);
  expect(most / (MEGABYTES * 1e6)).toBeGreaterThan(0.9);
});
