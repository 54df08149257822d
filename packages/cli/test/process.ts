import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "./harness.js";

export const bin = join(root, "packages/cli/bin/cmodx.js");
export const built = existsSync(join(root, "packages/cli/dist/main.js"));

export const start = (args: readonly string[]): ChildProcess =>
  spawn(process.execPath, [bin, ...args], { cwd: root, stdio: ["ignore", "pipe", "pipe"] });

export const end = async (
  child: ChildProcess,
): Promise<{ code: number | null; signal: string | null; out: string; err: string }> => {
  let out = "";
  let err = "";
  child.stdout?.on("data", (chunk) => {
    out += chunk;
  });
  child.stderr?.on("data", (chunk) => {
    err += chunk;
  });
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) =>
    child.on("close", (...left) => resolve(left)),
  );
  return { code, signal, out, err };
};

export const wait = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));
