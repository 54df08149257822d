import { run } from "./cli.js";
import { messageOf } from "./errors.js";
import { exit, wantsColor } from "./io.js";

const { stdout, stderr, env } = process;

/** Writes to a stream, and remembers why that failed first. */
const writer = (stream: NodeJS.WriteStream) => {
  let failed: NodeJS.ErrnoException | undefined;
  let last: Promise<void> = Promise.resolve();
  const fail = (error?: Error | null): void => {
    failed ??= error ?? undefined;
  };
  stream.on("error", fail);
  return {
    write(text: string): void {
      last = new Promise((resolve) => {
        stream.write(text, (error) => {
          fail(error);
          resolve();
        });
      });
    },
    async written(): Promise<Error | undefined> {
      await last;
      return failed?.code === "EPIPE" ? undefined : failed;
    },
  };
};

const out = writer(stdout);
const err = writer(stderr);

// What is thrown where nobody waits for it, as a plugin may, must not end in an exit code that means something else.
const fail = (error: unknown): void => {
  stderr.write(`cmodx: Something failed outside the run, in a plugin or a module: ${messageOf(error)}\n`);
  process.exit(exit.input);
};
process.on("uncaughtException", fail);
process.on("unhandledRejection", fail);

// The first SIGINT ends the run in good order; the second one, with no handler left, at once.
const interrupted = new AbortController();
process.once("SIGINT", () => interrupted.abort());

process.exitCode = await run(process.argv.slice(2), {
  out: out.write,
  err: err.write,
  written: out.written,
  color: wantsColor(env, stdout),
  terminal: stderr.isTTY === true,
  cwd: process.cwd(),
  env,
  signal: interrupted.signal,
});
