#!/usr/bin/env node
// Committed, so that installing the workspace links `cmodx` before anything has been built.
import { existsSync } from "node:fs";

const main = new URL("../dist/main.js", import.meta.url);
if (existsSync(main)) {
  await import(main.href);
} else {
  process.stderr.write("cmodx is not built yet: run `npm run build` in the repository root.\n");
  process.exitCode = 2;
}
