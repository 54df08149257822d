import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";
import { run } from "../src/cli.js";

/** The root of the repository. */
export const root = fileURLToPath(new URL("../../..", import.meta.url));

/** A binary with sites of every kind. */
export const fixture = (name: string): string => join(root, "packages/image/fixtures", name);

/** What a run left. */
export type Ran = { readonly code: number; readonly out: string; readonly err: string };

/** Where a run happens, where it differs from a pipe in an empty folder. */
export type Surroundings = {
  readonly cwd?: string;
  readonly color?: boolean;
  readonly terminal?: boolean;
  readonly signal?: AbortSignal;
  /** Why standard output cannot be written. */
  readonly unwritten?: Error;
};

const folders: string[] = [];
afterAll(() => {
  for (const each of folders.splice(0)) rmSync(each, { recursive: true, force: true });
});

/** A folder with these files, removed after the tests. */
export const folder = (files: { readonly [name: string]: string | Uint8Array } = {}): string => {
  const path = mkdtempSync(join(tmpdir(), "cmodx-cli-"));
  folders.push(path);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), content);
  return path;
};

/** The words of a command line; the repository may lie in a folder whose name has a blank. */
const wordsOf = (line: string): readonly string[] =>
  line
    .replaceAll(root, "\0")
    .split(" ")
    .filter((word) => word !== "")
    .map((word) => word.replaceAll("\0", root));

/** Runs a command line in this process. Words are split at blanks; one with blanks is given as an array. */
export const cmodx = async (line: string | readonly string[], surroundings: Surroundings = {}): Promise<Ran> => {
  let out = "";
  let err = "";
  const code = await run(typeof line === "string" ? wordsOf(line) : line, {
    out: (text) => {
      out += text;
    },
    err: (text) => {
      err += text;
    },
    written: async () => surroundings.unwritten,
    color: surroundings.color ?? false,
    terminal: surroundings.terminal ?? false,
    cwd: surroundings.cwd ?? folder(),
    env: {},
    signal: surroundings.signal ?? new AbortController().signal,
  });
  return { code, out, err };
};

/** Runs a command line with `--json`: its document and its exit code. Nothing else may be on standard output. */
export const json = async (
  line: string | readonly string[],
  surroundings: Surroundings = {},
): Promise<{
  readonly code: number;
  // biome-ignore lint/suspicious/noExplicitAny: each test knows what document it asked for
  readonly document: any;
}> => {
  const words = typeof line === "string" ? wordsOf(line) : line;
  const { code, out, err } = await cmodx([...words, "--json"], surroundings);
  if (err !== "") throw new Error(`With --json nothing is written to standard error, but: ${err}`);
  return { code, document: JSON.parse(out) };
};

/** The longest line of a text. */
export const widest = (text: string): number => Math.max(...text.split("\n").map((line) => line.length));
