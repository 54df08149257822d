// pnpm at the pinned version through npx, so that Node and npm are all a machine needs. Built-in modules only.
import { readFileSync } from "node:fs";

const manifest = new URL("../../package.json", import.meta.url);

/** The pin, as in `pnpm@10.0.0`. */
export const pin = JSON.parse(readFileSync(manifest, "utf8")).packageManager;

/** A command line that runs pnpm. Without --prefer-offline a machine without network waits for a minute. */
export const pnpm = (...args) => ["npx", "--yes", "--prefer-offline", "--loglevel=error", pin, ...args];
